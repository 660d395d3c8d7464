"""Acts about serious adverse events: the seriousness of a record, start and end of its clocks."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import NAMESPACE_URL, uuid4, uuid5

from services.acts.append_act import Subject, Values, append_act, require_reason
from services.acts.refusal import ActRefusedError
from services.acts.seen_content import hash_seen
from services.store import sae_clocks
from services.store.sae_clocks import ClockRow, SeriousnessRow
from services.store.session import Connection, Database
from services.vocabulary.act import ActKind
from services.vocabulary.episode import Episode
from services.vocabulary.operations import CLOCK_PERIODS, ClockKind
from services.vocabulary.person import Actor


@dataclass(frozen=True, slots=True)
class ClockStart:
    """The start of the clocks of *kinds* of a record that is serious, from *aware_at* (aware).

    *periods* are the protocol's.
    """

    record: Episode
    kinds: Sequence[ClockKind]
    aware_at: datetime
    reason: str
    periods: Mapping[ClockKind, timedelta] = field(default_factory=lambda: CLOCK_PERIODS)


def set_seriousness(
    db: Database, actor: Actor, record: Episode, reason: str, instant: datetime, *, is_serious: bool
) -> None:
    """Record that *record* is serious, or is not.

    Raises:
        ActRefusedError: It is retracted, the reason is blank, or one of its clocks runs and it is
            not to be serious.
    """
    with db.write() as conn:
        if not is_serious:
            _require_no_running_clock(conn, record)
        _append_seriousness(conn, actor, record, reason, instant, is_serious=is_serious)


def start_clocks(
    db: Database, actor: Actor, start: ClockStart, instant: datetime
) -> list[ClockRow]:
    """Start the clocks, and record that the record is serious; return them.

    One that was closed may be started again: a mistyped time of awareness is corrected so.

    Raises:
        ActRefusedError: The record is retracted, its clock runs already, nobody can be aware of it
            yet or was before it began, or the reason is blank.
    """
    record = start.record
    _require_possible_awareness(record, start.aware_at, instant)
    with db.write() as conn:
        earlier_rows = sae_clocks.load_clocks(conn, [record.id])
        running_kinds = {row.kind for row in earlier_rows if row.closed_at is None}
        if taken_kinds := [kind for kind in start.kinds if kind in running_kinds]:
            raise ActRefusedError(
                f"the {taken_kinds[0]} clock of this record was started before, and runs; where"
                " its time is wrong, close it with that reason and start it again"
            )
        _append_seriousness(conn, actor, record, start.reason, instant, is_serious=True)
        counts = Counter(row.kind for row in earlier_rows)
        rows = [_make_clock(actor, start, kind, instant, counts[kind]) for kind in start.kinds]
        for row in rows:
            sae_clocks.add_clock(conn, row)
            _append_clock_act(conn, actor, row)
    return rows


def close_clock(
    db: Database, actor: Actor, row: ClockRow, reason: str, instant: datetime
) -> ClockRow:
    """Close a clock that runs: its report was made, or a person says why there is none.

    Raises:
        ActRefusedError: It was closed before, or the reason is blank.
    """
    closed_row = ClockRow(
        row.id, row.record, row.participant, row.kind, row.aware_at, row.due_at, row.started_by,
        row.reason, row.started_at, instant, actor.id, require_reason(reason),
    )  # fmt: skip
    with db.write() as conn:
        if not sae_clocks.close_clock(conn, closed_row):
            raise ActRefusedError(f"the {row.kind} clock of this record was closed before")
        _append_clock_act(conn, actor, closed_row)
    return closed_row


def _require_possible_awareness(record: Episode, aware_at: datetime, instant: datetime) -> None:
    onset_at = record.content.onset_at.replace(second=0, microsecond=0)  # people write minutes
    if aware_at > instant:
        raise ActRefusedError("the time of awareness lies in the future")
    if aware_at < onset_at:
        raise ActRefusedError(
            f"the record begins at {onset_at:%Y-%m-%dT%H:%MZ}: nobody was aware of it before"
        )


def _require_no_running_clock(conn: Connection, record: Episode) -> None:
    rows = sae_clocks.load_clocks(conn, [record.id])
    if running_kinds := [row.kind for row in rows if row.closed_at is None]:
        raise ActRefusedError(
            f"the {running_kinds[0]} clock of this record runs: close it first, with the reason"
            " why there is no report"
        )


def _append_seriousness(
    conn: Connection,
    actor: Actor,
    record: Episode,
    reason: str,
    instant: datetime,
    *,
    is_serious: bool,
) -> None:
    if record.retracted:
        raise ActRefusedError("the record is retracted: there is nothing to report")
    earlier_row = sae_clocks.load_seriousness(conn).get(record.id)
    if earlier_row is not None and earlier_row.is_serious == is_serious:
        return
    participant = record.content.participant
    sae_clocks.append_seriousness(
        conn,
        SeriousnessRow(
            str(uuid4()),
            record.id,
            participant,
            is_serious,
            actor.id,
            require_reason(reason),
            instant,
        ),
    )
    append_act(
        conn,
        actor,
        ActKind.SET_SERIOUSNESS,
        Subject(record.id, participant, hash_seen(record)),
        Values(
            "" if earlier_row is None else _name_seriousness(is_serious=earlier_row.is_serious),
            _name_seriousness(is_serious=is_serious),
        ),
        reason=reason,
        acted_at=instant,
    )


def _name_seriousness(*, is_serious: bool) -> str:
    return "serious" if is_serious else "not serious"


def _make_clock(
    actor: Actor, start: ClockStart, kind: ClockKind, instant: datetime, earlier_count: int
) -> ClockRow:
    record = start.record
    key = f"{record.id}|{kind}{f'|{earlier_count}' if earlier_count else ''}"
    return ClockRow(
        str(uuid5(NAMESPACE_URL, key)),
        record.id,
        record.content.participant,
        str(kind),
        start.aware_at,
        start.aware_at + start.periods[kind],
        actor.id,
        require_reason(start.reason),
        instant,
    )


def _append_clock_act(conn: Connection, actor: Actor, row: ClockRow) -> None:
    """Append the act that started *row*, or closed it."""
    append_act(
        conn,
        actor,
        ActKind.CLOSE_CLOCK if row.closed_at else ActKind.START_CLOCK,
        Subject(row.record, row.participant),
        Values(new_value=f"{row.kind} clock, due {row.due_at:%Y-%m-%dT%H:%MZ}"),
        reason=row.closing_reason or row.reason,
        acted_at=row.closed_at or row.started_at,
    )
