"""When a rule was at its boundary, at any earlier state of knowledge."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from services.safety_rules.domain.stopping.monitor import (
    choose_operative_event,
    count_looks_reached,
    find_crossing_date,
)
from services.vocabulary.protocol import Rule
from services.vocabulary.standing import ObservedStanding, Standing

_TICK = timedelta(microseconds=1)
_NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class KnowledgeChange:
    """What became known at one instant, of any rule and participant.

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
    """A rule was at its boundary with what was known from *crossed_at* on.

    *ended_at* is when that was found to be no longer so; None: it still is.
    """

    crossed_at: datetime
    ended_at: datetime | None = None


def list_knowledge_changes(
    stood: Iterable[tuple[datetime, Standing]], observed: Iterable[tuple[datetime, str, datetime]]
) -> list[KnowledgeChange]:
    """Return what became known when, for `crossings`.

    Args:
        stood: Since when each standing is known, those of a participant and rule in their order.
        observed: When it became known, of whom, and at which instant they were observed; by time.
    """
    until: defaultdict[datetime, dict[str, datetime]] = defaultdict(dict)
    latest: dict[str, datetime] = {}
    for at, participant, observed_at in observed:
        if participant not in latest or latest[participant] < observed_at:
            latest[participant] = until[at][participant] = observed_at
    standings: defaultdict[datetime, list[Standing]] = defaultdict(list)
    for at, standing in stood:
        standings[at].append(standing)
    return [
        KnowledgeChange(at, tuple(standings.get(at, ())), until.get(at, {}))
        for at in sorted({*until, *standings})
    ]


def find_first_crossings(
    found: Mapping[str, Sequence[BoundaryCrossing]],
) -> Mapping[str, datetime | None]:
    """Return since when each rule, by id, was first at its boundary; None: it never was."""
    return {
        rule: min((one.crossed_at for one in past), default=None) for rule, past in found.items()
    }


def find_crossings(
    rules: Sequence[Rule], learned: Sequence[KnowledgeChange], upto: datetime
) -> Mapping[str, Sequence[BoundaryCrossing]]:
    """Return when each rule, by id, was at its boundary, with what was known at each instant.

    A rule is looked at when a standing under it changes. In between, later follow-up can only take
    it off its boundary, and time alone brings it there only at the date of an event, at the end of
    a window that has to be complete, or at a grouped look: then it is looked at too.

    Args:
        rules: Without a fault (see `rule_faults`).
        learned: In order of time, each instant once.
        upto: The data cut, aware; not before the last of *learned*.

    Raises:
        ValueError: An exposed standing has no end of its window.
    """
    watches = {rule.id: _Watch(rule) for rule in rules}
    until: dict[str, datetime] = {}
    for number, news in enumerate(learned, 1):
        end = learned[number].known_at - _TICK if number < len(learned) else upto
        until.update(news.observed_until)
        changed = {one.rule for one in news.standings}
        for one in news.standings:
            if one.rule in watches:
                watches[one.rule].standings[one.participant] = one
        for rule, watch in watches.items():
            if rule in changed or watch.due <= end or watch.rule.looks:
                watch.look(news.known_at, end, until, changed=rule in changed)
    for watch in watches.values():
        if watch.is_crossed:
            watch.check(upto, upto, until)
    return {rule: tuple(watch.found) for rule, watch in watches.items()}


@dataclass(slots=True)
class _Watch:
    """One rule, followed through what became known.

    *due* is when time alone may change it; *looks* is how many grouped looks were reached.
    """

    rule: Rule
    standings: dict[str, Standing] = field(default_factory=dict)
    found: list[BoundaryCrossing] = field(default_factory=list)
    due: datetime = _NEVER
    looks: int = 0

    @property
    def is_crossed(self) -> bool:
        return bool(self.found) and self.found[-1].ended_at is None

    def look(
        self, at: datetime, end: datetime, until: Mapping[str, datetime], *, changed: bool
    ) -> None:
        """See what it says at *at*, and until *end*, before anything else becomes known.

        Of the same standings, more follow-up lets a grouped look be reached, and then only earlier
        than before, with fewer events: it is compared when it is first reached.
        """
        is_due = changed or self.due <= at or not self.rule.looks
        if self._reaches_more(at, until) or is_due:
            self.check(at, at, until)
        self.due = self._next_after(at)
        seen_ahead = bool(self.rule.looks) and any(seen > at for seen in until.values())
        if at < end and (self.due <= end or seen_ahead):
            self.check(at, end, until)
            self.due = self._next_after(end)

    def check(self, known: datetime, at: datetime, until: Mapping[str, datetime]) -> None:
        """See what it says at *at* of what has been known since *known*."""
        first = self._crossed_since(at, until)
        if first is not None and not self.is_crossed:
            self.found.append(BoundaryCrossing(max(known, first)))
        elif first is None and self.is_crossed:
            self.found[-1] = replace(self.found[-1], ended_at=at)

    def _crossed_since(self, at: datetime, until: Mapping[str, datetime]) -> datetime | None:
        return (
            find_crossing_date(self.rule, self._seen(at, until), at) if self._may_cross() else None
        )

    def _may_cross(self) -> bool:
        chosen = choose_operative_event(self.rule)
        events = sum(chosen(one) is not None for one in self.standings.values())
        return events >= self.rule.stop_when.boundary[0].events

    def _seen(self, at: datetime, until: Mapping[str, datetime]) -> Sequence[ObservedStanding]:
        exposed = [one for one in self.standings.values() if one.exposed_at is not None]
        return [
            ObservedStanding(one, until.get(one.participant, one.exposed_at or at))
            for one in exposed
        ]

    def _reaches_more(self, at: datetime, until: Mapping[str, datetime]) -> bool:
        """Say whether another number of grouped looks is reached than when this was last asked."""
        if not self.rule.looks or not self._may_cross():
            return False
        before, self.looks = self.looks, count_looks_reached(self.rule, self._seen(at, until), at)
        return self.looks != before

    def _next_after(self, at: datetime) -> datetime:
        return min((one for one in self._instants() if one > at), default=_NEVER)

    def _instants(self) -> Sequence[datetime]:
        """The date of each event, and when it counts if that is when its window is over."""
        chosen = choose_operative_event(self.rule)
        found = [(event.at, one) for one in self.standings.values() if (event := chosen(one))]
        ends = [one.window_ends_at for _, one in found if one.window_ends_at is not None]
        return [*(at for at, _ in found), *(ends if self.rule.policy == "complete" else ())]
