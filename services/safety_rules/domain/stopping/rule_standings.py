"""The standings under one rule, kept between looks and changed one participant at a time."""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from operator import itemgetter

import numpy as np

from services.safety_rules.domain.stopping.cohort import (
    NEVER,
    Cohort,
    list_event_instants,
    make_event_instants,
    to_seconds,
)
from services.safety_rules.domain.stopping.families import Floats
from services.vocabulary.protocol import Rule
from services.vocabulary.standing import ObservedStanding, Standing

_MOMENT = timedelta(seconds=1)
_FOREVER = datetime.max.replace(tzinfo=UTC)
_Entry = tuple[datetime, str]  # first infusion, pseudonym


@dataclass(slots=True)
class _Columns:
    """The counted standings as arrays, in seconds since 1970; infinite when never."""

    observed: list[ObservedStanding]
    members: list[Standing]
    rows: dict[str, int]
    entered_at: Floats
    window_ends_at: Floats
    observed_until: Floats
    frozen_at: Floats
    event_instants: Floats

    def replace_row(self, observed: ObservedStanding) -> None:
        """Replace the row of a participant whose first infusion is as it was."""
        standing = observed.standing
        k = self.rows[standing.participant]
        self.observed[k], self.members[k] = observed, standing
        self.window_ends_at[k] = to_seconds(standing.window_ends_at)
        self.observed_until[k] = observed.observed_until.timestamp()
        self.frozen_at[k] = to_seconds(standing.frozen_at)
        self.event_instants[:, k] = list_event_instants(standing)


class RuleStandings:
    """The standings of a study's participants under one rule, in the order of first infusion."""

    def __init__(self, rule: Rule, observed: Iterable[ObservedStanding] = ()) -> None:
        """Hold *observed*: one of each identity, in any order.

        Raises:
            ValueError: A standing is under another rule, or an exposed one has no end of window.
        """
        self._rule = rule
        self._standings = {
            one.standing.participant: one for one in observed if not one.standing.merged_into
        }
        for standing in [one.standing for one in self._standings.values()]:
            self._check(standing)
        self._order = sorted(
            entry for one in self._standings.values() if (entry := _find_entry(one)) is not None
        )
        self._uncountable = {
            who: one for who, one in self._standings.items() if one.standing.missing_anchor
        }
        self._columns: _Columns | None = None
        self._revision = 0

    @property
    def rule(self) -> Rule:
        """The rule that they are under."""
        return self._rule

    @property
    def revision(self) -> int:
        """Counts the changes that a decision may depend on."""
        return self._revision

    def put(self, observed: ObservedStanding) -> None:
        """Replace what is known of one participant.

        Raises:
            ValueError: The standing is under another rule, or exposed without end of its window.
        """
        participant = observed.standing.participant
        previous = self._standings.pop(participant, None)
        self._uncountable.pop(participant, None)
        if previous is None or previous.standing != observed.standing or self._is_at_risk(previous):
            self._revision += 1
        entry = None
        if not observed.standing.merged_into:
            self._check(observed.standing)
            self._standings[participant] = observed
            entry = _find_entry(observed)
            if observed.standing.missing_anchor:
                self._uncountable[participant] = observed
        previous_entry = _find_entry(previous) if previous is not None else None
        if entry != previous_entry:
            self._move(previous_entry, entry)
        elif self._columns is not None and participant in self._columns.rows:
            self._columns.replace_row(observed)

    def select_cohort(self, as_of: datetime) -> Cohort:
        """Return the first n that were exposed by *as_of*."""
        exposed_count = bisect_right(self._order, as_of, key=itemgetter(0))
        columns = self._list_columns(min(exposed_count, self._rule.stop_when.n))
        data_cut = as_of.timestamp()
        frozen_at = np.where(columns.frozen_at <= data_cut, columns.frozen_at, NEVER)
        ends_at = np.minimum(columns.window_ends_at, columns.observed_until)
        members = tuple(columns.members)
        return Cohort(
            members=members,
            entered_at=columns.entered_at.copy(),
            window_ends_at=columns.window_ends_at.copy(),
            followed_until=np.minimum(ends_at, np.minimum(frozen_at, data_cut)),
            is_frozen=frozen_at < columns.window_ends_at,
            as_of=data_cut,
            not_exposed=len(self._standings) - exposed_count,
            beyond_plan=exposed_count - len(members),
            data_to=self.find_data_end(as_of),
            event_instants=np.where(
                columns.event_instants <= data_cut, columns.event_instants, NEVER
            ),
        )

    def find_next_change(self, as_of: datetime) -> datetime:
        """Return the first instant after *as_of* at which a decision may change by time alone.

        That is *as_of* itself while follow-up of somebody who counts ends with it.
        """
        exposed_count = bisect_right(self._order, as_of, key=itemgetter(0))
        counted_standings = self._list_columns(min(exposed_count, self._rule.stop_when.n)).observed
        if any(min(one.observed_until, _find_end(one)) > as_of for one in counted_standings):
            return as_of
        standings = [
            *(one.standing for one in counted_standings),
            *(one.standing for one in self._uncountable.values()),
        ]
        instants = (at for standing in standings for at in _list_instants(standing))
        next_entries = (at for at, _ in self._order[exposed_count : exposed_count + 1])
        return min((at for at in (*instants, *next_entries) if at > as_of), default=_FOREVER)

    def list_uncountable(self, as_of: datetime) -> list[Standing]:
        """Return the standings of treated participants who cannot be counted, by pseudonym.

        An event after *as_of* has not happened yet.
        """
        standings = [self._uncountable[who].standing for who in sorted(self._uncountable)]
        return [
            one if one.upper is not None and one.upper.at <= as_of else replace(one, upper=None)
            for one in standings
        ]

    def add_possible_events(self, as_of: datetime) -> "RuleStandings":
        """Return these with each participant who cannot be counted and may have an event.

        That one counts in full from the event on; the same standings when there is none.
        """
        possible_events = {
            one.participant: one.upper.at for one in self.list_uncountable(as_of) if one.upper
        }
        if not possible_events:
            return self
        return RuleStandings(
            self._rule,
            (_count_from(one, possible_events.get(who)) for who, one in self._standings.items()),
        )

    def find_data_end(self, as_of: datetime) -> datetime | None:
        """Return the last instant at which anybody who counts was observed; None: nobody counts."""
        exposed_count = bisect_right(self._order, as_of, key=itemgetter(0))
        columns = self._list_columns(min(exposed_count, self._rule.stop_when.n))
        if not columns.observed:
            return None
        latest = columns.observed[int(columns.observed_until.argmax())]
        return min(latest.observed_until, as_of)

    def _is_at_risk(self, observed: ObservedStanding) -> bool:
        """Return True when later follow-up of somebody may count: the window is not over."""
        is_counted = self._columns is None or observed.standing.participant in self._columns.rows
        return is_counted and observed.observed_until < _find_end(observed)

    def _check(self, standing: Standing) -> None:
        if standing.rule != self._rule.id:
            raise ValueError(f"a standing under {standing.rule} is none under {self._rule.id}")
        if standing.exposed_at is not None and standing.window_ends_at is None:
            raise ValueError(f"an exposed standing under {self._rule.id} has no end of its window")

    def _move(self, previous_entry: _Entry | None, entry: _Entry | None) -> None:
        if previous_entry is not None:
            del self._order[bisect_left(self._order, previous_entry)]
        if entry is not None:
            insort(self._order, entry)
        self._columns = None

    def _list_columns(self, count: int) -> _Columns:
        if self._columns is None or len(self._columns.members) != count:
            self._columns = _make_columns(
                [self._standings[participant] for _, participant in self._order[:count]]
            )
        return self._columns


def _make_columns(observed: Sequence[ObservedStanding]) -> _Columns:
    members = [one.standing for one in observed]
    return _Columns(
        [*observed],
        members,
        {one.participant: k for k, one in enumerate(members)},
        np.array([to_seconds(one.exposed_at) for one in members]),
        np.array([to_seconds(one.window_ends_at) for one in members]),
        np.array([one.observed_until.timestamp() for one in observed]),
        np.array([to_seconds(one.frozen_at) for one in members]),
        make_event_instants(members),
    )


def _find_entry(observed: ObservedStanding) -> _Entry | None:
    exposed_at = observed.standing.exposed_at
    return None if exposed_at is None else (exposed_at, observed.standing.participant)


def _find_end(observed: ObservedStanding) -> datetime:
    return observed.standing.window_ends_at or _FOREVER


def _list_instants(standing: Standing) -> Iterator[datetime]:
    """Yield the instants at which the standing may count otherwise, by time alone."""
    for instant in (standing.window_ends_at, standing.frozen_at):
        if instant is not None:
            yield instant
    for event in (standing.event, standing.confirmed, standing.upper, standing.competing):
        if event is not None:
            yield event.at


def _count_from(observed: ObservedStanding, event_at: datetime | None) -> ObservedStanding:
    if event_at is None:
        return observed
    standing = replace(observed.standing, exposed_at=event_at, window_ends_at=event_at + _MOMENT)
    return replace(observed, standing=standing)
