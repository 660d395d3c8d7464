"""The times at which a rule was at its boundary, at any earlier state of knowledge."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from services.safety_rules.domain.stopping.cohort import choose_event, choose_event_kind
from services.safety_rules.domain.stopping.monitor import (
    count_looks_reached,
    find_crossing_date,
)
from services.safety_rules.domain.stopping.observation import observe_standings
from services.safety_rules.domain.stopping.path import Limits, read_limits
from services.vocabulary.protocol import Rule
from services.vocabulary.standing import ObservedStanding, Standing

_TICK = timedelta(microseconds=1)
_NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class KnowledgeChange:
    """The knowledge that was new at one instant, of any rule and participant.

    Args:
        known_at: Aware.
        standings: Those that changed; the last of a participant and rule holds.
        observed_until: By participant, the last instant of observation, where it has moved.
    """

    known_at: datetime
    standings: Sequence[Standing] = ()
    observed_until: Mapping[str, datetime] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class BoundaryCrossing:
    """The time during which a rule was at its boundary, from *crossed_at* on.

    *ended_at* is the instant at which it was found to be below it again; None: it is still at it.
    """

    crossed_at: datetime
    ended_at: datetime | None = None


def list_knowledge_changes(
    standing_changes: Iterable[tuple[datetime, Standing]],
    observations: Iterable[tuple[datetime, str, datetime]],
) -> list[KnowledgeChange]:
    """Return the changes of knowledge, in order of time, for `find_crossings`.

    Args:
        standing_changes: Each standing with the instant from which it is known; those of one
            participant and rule in their order.
        observations: By time, the instant of knowledge, the participant, and the instant at which
            the participant was observed.
    """
    observed_until: defaultdict[datetime, dict[str, datetime]] = defaultdict(dict)
    latest: dict[str, datetime] = {}
    for known_at, participant, observed_at in observations:
        if participant not in latest or latest[participant] < observed_at:
            latest[participant] = observed_until[known_at][participant] = observed_at
    standings: defaultdict[datetime, list[Standing]] = defaultdict(list)
    for known_at, standing in standing_changes:
        standings[known_at].append(standing)
    return [
        KnowledgeChange(at, tuple(standings.get(at, ())), observed_until.get(at, {}))
        for at in sorted({*observed_until, *standings})
    ]


def find_first_crossings(
    crossings: Mapping[str, Sequence[BoundaryCrossing]],
) -> Mapping[str, datetime | None]:
    """Return the first instant at which each rule, by id, was at its boundary; None: never."""
    return {
        rule: min((one.crossed_at for one in past), default=None)
        for rule, past in crossings.items()
    }


def find_crossings(
    rules: Sequence[Rule], changes: Sequence[KnowledgeChange], data_cut: datetime
) -> Mapping[str, Sequence[BoundaryCrossing]]:
    """Return the crossings of each rule, by id, at each state of knowledge.

    A rule is checked when a standing under it changes. In between, later follow-up can only take it
    off its boundary, and time alone brings it there only at the date of an event, at the end of a
    window that has to be complete, or at a grouped look: then it is checked too.

    Args:
        rules: Without a fault (see `find_rule_faults`).
        changes: In order of time, each instant once.
        data_cut: The data cut, aware; not before the last of *changes*.

    Raises:
        ValueError: An exposed standing has no end of its window.
    """
    watches = {rule.id: _RuleWatch(rule, read_limits(rule)) for rule in rules}
    observed_until: dict[str, datetime] = {}
    for number, change in enumerate(changes, 1):
        end = changes[number].known_at - _TICK if number < len(changes) else data_cut
        observed_until.update(change.observed_until)
        changed_rules = {one.rule for one in change.standings}
        for standing in change.standings:
            if standing.rule in watches:
                watches[standing.rule].standings[standing.participant] = standing
        for rule, watch in watches.items():
            if rule in changed_rules or watch.due_at <= end or watch.limit.compared_sizes:
                watch.check_period(
                    change.known_at, end, observed_until, has_changed=rule in changed_rules
                )
    for watch in watches.values():
        if watch.is_crossed:
            watch.update_crossings(data_cut, data_cut, observed_until)
    return {rule: tuple(watch.crossings) for rule, watch in watches.items()}


@dataclass(slots=True)
class _RuleWatch:
    """One rule, checked at each change of knowledge.

    *due_at* is the next instant at which time alone may change it; *looks_reached* is the number of
    grouped looks that were reached.
    """

    rule: Rule
    limit: Limits
    standings: dict[str, Standing] = field(default_factory=dict)
    crossings: list[BoundaryCrossing] = field(default_factory=list)
    due_at: datetime = _NEVER
    looks_reached: int = 0

    @property
    def is_crossed(self) -> bool:
        return bool(self.crossings) and self.crossings[-1].ended_at is None

    def check_period(
        self,
        instant: datetime,
        end: datetime,
        observed_until: Mapping[str, datetime],
        *,
        has_changed: bool,
    ) -> None:
        """Check the rule at *instant*, and up to *end*, before anything else becomes known.

        Of the same standings, more follow-up lets a grouped look be reached, and then only earlier
        than before, with fewer events: it is compared when it is first reached.
        """
        is_due = has_changed or self.due_at <= instant or not self.limit.compared_sizes
        if self._update_looks_reached(instant, observed_until) or is_due:
            self.update_crossings(instant, instant, observed_until)
        self.due_at = self._find_due_after(instant)
        seen_ahead = bool(self.limit.compared_sizes) and any(
            seen > instant for seen in observed_until.values()
        )
        if instant < end and (self.due_at <= end or seen_ahead):
            self.update_crossings(instant, end, observed_until)
            self.due_at = self._find_due_after(end)

    def update_crossings(
        self, known_at: datetime, instant: datetime, observed_until: Mapping[str, datetime]
    ) -> None:
        """Check the rule at *instant* on the knowledge since *known_at*."""
        crossed_at = self._find_crossing_date(instant, observed_until)
        if crossed_at is not None and not self.is_crossed:
            self.crossings.append(BoundaryCrossing(max(known_at, crossed_at)))
        elif crossed_at is None and self.is_crossed:
            self.crossings[-1] = replace(self.crossings[-1], ended_at=instant)

    def _find_crossing_date(
        self, instant: datetime, observed_until: Mapping[str, datetime]
    ) -> datetime | None:
        return (
            find_crossing_date(self.rule, self._list_observed(instant, observed_until), instant)
            if self._may_cross()
            else None
        )

    def _may_cross(self) -> bool:
        kind = choose_event_kind(self.rule)
        events = sum(choose_event(one, kind) is not None for one in self.standings.values())
        return events >= self.limit.fewest_events

    def _list_observed(
        self, instant: datetime, observed_until: Mapping[str, datetime]
    ) -> Sequence[ObservedStanding]:
        return observe_standings(self.standings.values(), observed_until, instant)

    def _update_looks_reached(
        self, instant: datetime, observed_until: Mapping[str, datetime]
    ) -> bool:
        """Count the grouped looks that are reached; return True when the number has changed."""
        if not self.limit.compared_sizes or not self._may_cross():
            return False
        previous_count, self.looks_reached = (
            self.looks_reached,
            count_looks_reached(self.rule, self._list_observed(instant, observed_until), instant),
        )
        return self.looks_reached != previous_count

    def _find_due_after(self, instant: datetime) -> datetime:
        return min((one for one in self._list_instants() if one > instant), default=_NEVER)

    def _list_instants(self) -> Sequence[datetime]:
        """Return the date of each event, and under ``complete`` the end of its window."""
        kind = choose_event_kind(self.rule)
        event_standings = [
            (event.at, one) for one in self.standings.values() if (event := choose_event(one, kind))
        ]
        ends = [one.window_ends_at for _, one in event_standings if one.window_ends_at is not None]
        return [
            *(at for at, _ in event_standings),
            *(ends if self.rule.policy == "complete" else ()),
        ]
