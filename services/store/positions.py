"""Positions of the journal and of the rules with each participant, cheap to read at every look."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from sqlalchemy import (
    ColumnElement,
    Connection,
    Table,
    Text,
    bindparam,
    case,
    cast,
    func,
    select,
)

from services.store.bulk import split_into_parts
from services.store.tables import participant, participant_state

_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


def list_positions(conn: Connection, study: str) -> frozenset[str]:
    """Return a line for each participant of *study* with facts, and for each state.

    What was stored or folded since another call is in other lines. One text is read, and no row for
    each: of thousands, few have moved.
    """
    texts = {
        "facts ": conn.scalar(_ALL_FACTS, {"study": study}),
        "steps ": conn.scalar(_ALL_STEPS),
    }
    return frozenset(
        prefix + line for prefix, text in texts.items() if text for line in text.split("\n")
    )


class GrowingNumbers:
    """Numbers by pseudonym, none of which ever falls: who has the same sum has the same numbers."""

    def __init__(self) -> None:
        """Hold none: 0 for everybody."""
        self._numbers: dict[str, int] = {}
        self.total = 0

    def find_number(self, subject: str) -> int:
        """Return the number of *subject*."""
        return self._numbers.get(subject, 0)

    def update(self, numbers: Mapping[str, int]) -> set[str]:
        """Replace some; return the pseudonyms of those that have grown.

        >>> tracked_numbers = GrowingNumbers()
        >>> sorted(tracked_numbers.update({"P-1": 2, "P-2": 5}))
        ['P-1', 'P-2']
        >>> tracked_numbers.update({"P-1": 2, "P-2": 6}), tracked_numbers.total
        ({'P-2'}, 8)
        """
        growth = {who: number - self.find_number(who) for who, number in numbers.items()}
        self.total += sum(growth.values())
        self._numbers |= numbers
        return {who for who, difference in growth.items() if difference}


class PositionTracker:
    """The positions of a study's participants at the last call, to tell who has moved since.

    A call reads two sums, and the positions of those about whom facts were stored since the call
    before, or were not folded then. All positions are read only when the sums say that others have
    moved: by a timer, or with somebody they were merged with.
    """

    def __init__(self) -> None:
        """Know nobody: at the first call all have moved."""
        self._facts, self._steps = GrowingNumbers(), GrowingNumbers()
        self._unfolded_subjects: set[str] = set()
        self.last_received_at: datetime | None = None

    def find_moved(self, conn: Connection, study: str) -> set[str]:
        """Return the pseudonyms of those with facts or steps since the last call."""
        last_received_at = self.last_received_at or _LONG_AGO
        fact_total, self.last_received_at, lines = conn.execute(
            _RECENT_FACTS, {"study": study, "since": last_received_at}
        ).one()
        moved_subjects = self._facts.update(_read_lines(lines))
        moved_subjects |= self._update_steps(conn, sorted(moved_subjects | self._unfolded_subjects))
        if (fact_total or 0) != self._facts.total:
            moved_subjects |= self._facts.update(
                _read_lines(conn.scalar(_ALL_FACTS, {"study": study}))
            )
        if (conn.scalar(_STEP_TOTAL) or 0) != self._steps.total:
            moved_subjects |= self._steps.update(_read_lines(conn.scalar(_ALL_STEPS)))
            self._unfolded_subjects = set(conn.scalars(_UNFOLDED_SUBJECTS, {"study": study}))
        return moved_subjects

    def _update_steps(self, conn: Connection, subjects: Sequence[str]) -> set[str]:
        """Read the states of *subjects*; return the pseudonyms of those with a step."""
        rows = [
            row
            for part in split_into_parts(subjects)
            for row in conn.execute(_STEPS_OF, {"subjects": part})
        ]
        folded_through = {row.subject: row.folded_through for row in rows}
        self._unfolded_subjects = {
            one for one in subjects if folded_through.get(one, 0) < self._facts.find_number(one)
        }
        return self._steps.update({row.subject: row.version for row in rows})


def _join_lines(number: ColumnElement[int], table: Table) -> ColumnElement[str]:
    return cast(number, Text) + " " + table.c.subject


def _read_lines(text: str | None) -> Mapping[str, int]:
    r"""Return the number of each pseudonym in a text of lines.

    >>> _read_lines("3 P-1\n1 P-2")
    {'P-1': 3, 'P-2': 1}
    """
    pairs = (line.split(" ", 1) for line in (text or "").split("\n") if line)
    return {subject: int(number) for number, subject in pairs}


_person, _state = participant.c, participant_state.c
_FACT_LINE = _join_lines(_person.last_seq, participant)
_OF_STUDY = _person.study == bindparam("study")
_ALL_FACTS = select(func.aggregate_strings(_FACT_LINE, "\n")).where(_OF_STUDY)
_ALL_STEPS = select(func.aggregate_strings(_join_lines(_state.version, participant_state), "\n"))
_RECENT_FACTS = select(
    func.sum(_person.last_seq),
    func.max(_person.last_received_at),
    func.aggregate_strings(case((_person.last_received_at > bindparam("since"), _FACT_LINE)), "\n"),
).where(_OF_STUDY)
_STEP_TOTAL = select(func.sum(_state.version))
_STEPS_OF = select(_state.subject, _state.version, _state.folded_through).where(
    _state.subject.in_(bindparam("subjects", expanding=True))
)
_UNFOLDED_SUBJECTS = (
    select(_person.subject)
    .outerjoin(participant_state, _person.subject == _state.subject)
    .where(_OF_STUDY, _person.last_seq > func.coalesce(_state.folded_through, 0))
)
