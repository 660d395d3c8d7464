"""The live figures of a stopping rule by writing out every outcome, in fractions.

Nothing here is the product's: follow-up counts by its length in a window of `WINDOW` days, days are
counted from noon UTC, and every participant who is not through has the event or has not.
"""

from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from math import ceil, factorial

WINDOW = 40
HALF_DAY = Fraction(1, 2)
SLACK = Fraction(1, 10**9)


@dataclass(frozen=True)
class Person:
    """One participant in days: entry, last observation, and what happened, if it did."""

    name: str
    entry: int
    last: Fraction
    event: Fraction | None = None
    competing: Fraction | None = None
    withdrawal: int | None = None


@dataclass(frozen=True)
class Plan:
    """A rule: the events that stop at x = 0 .. n, the looks (none: each size) and its numbers."""

    table: tuple[int, ...]
    looks: tuple[int, ...]
    policy: str
    p0: Fraction
    prior: tuple[int, int]

    @property
    def n(self):
        return len(self.table) - 1

    def compare(self, events, size_before, size):
        """Return True when the count stops as the size grows."""
        if not self.looks:
            return events >= self.table[ceil(size)]
        reached_looks = [look for look in self.looks if size_before < look <= size]
        return bool(reached_looks) and events >= self.table[reached_looks[0]]


@dataclass(frozen=True)
class Follower:
    """One participant at the cut, as the policy counts."""

    person: Person
    followed_until: Fraction
    event: Fraction | None
    closed_on: Fraction | None
    event_counts_at: Fraction | None
    closed_counts_at: Fraction | None
    is_frozen: bool

    @property
    def end(self):
        return self.person.entry + WINDOW

    @property
    def is_open(self):
        return self.closed_counts_at is None and (
            self.closed_on is not None or self.followed_until < self.end
        )

    @property
    def progress(self):
        days = max(self.followed_until - self.person.entry, Fraction(0))
        return Fraction(1) if self.closed_on is not None else days / WINDOW

    def weigh(self, policy, day, *, just_before=False):
        """Return the weight on *day*, or as the day comes near."""

        def has_come(instant):
            return instant is not None and (instant < day if just_before else instant <= day)

        if not has_come(Fraction(self.person.entry)):
            return Fraction(0)
        if has_come(self.closed_counts_at) or policy == "everyone_treated":
            return Fraction(1)
        share = (min(day, self.followed_until) - self.person.entry) / Fraction(WINDOW)
        if policy == "complete":
            return Fraction(has_come(Fraction(self.end)) and share >= 1)
        return max(share, Fraction(0))


def follow(person, policy, cut):
    """Return *person* as known at *cut*."""
    event, competing = (
        day if day is not None and day <= cut else None for day in (person.event, person.competing)
    )
    if event is not None and competing is not None and competing < event:
        event = None
    closed_on = min((day for day in (event, competing) if day is not None), default=None)
    end = person.entry + WINDOW
    withdrawal = person.withdrawal
    if withdrawal is not None and withdrawal > cut:
        withdrawal = None

    def find_counting_day(day):
        if day is None or policy != "complete":
            return day
        return Fraction(end) if end <= cut else None

    return Follower(
        person,
        min(Fraction(day) for day in (end, person.last, withdrawal, cut) if day is not None),
        event,
        closed_on,
        find_counting_day(event),
        find_counting_day(closed_on),
        withdrawal is not None and withdrawal < end,
    )  # fmt: skip


class Enumeration:
    """A trial at a cut, and its figures."""

    def __init__(self, plan, people, cut):
        entries = sorted(
            (one for one in people if one.entry <= cut), key=lambda p: (p.entry, p.name)
        )
        self.plan = plan
        self.cut = Fraction(cut)
        self.members = [follow(one, plan.policy, cut) for one in entries[: plan.n]]
        self.size = self.measure(self.cut)
        self.events = self.count_events(self.cut)
        open_members = [one for one in self.members if one.is_open]
        self.frozen = [one for one in open_members if one.is_frozen and one.closed_on is None]
        self.pending = [
            one for one in open_members if not (one.is_frozen and one.closed_on is None)
        ]
        self.complete = len(self.members) - len(open_members)
        self.is_crossed = self.find_crossing()

    def measure(self, day, *, just_before=False):
        return sum(
            (one.weigh(self.plan.policy, day, just_before=just_before) for one in self.members),
            Fraction(0),
        )

    def count_events(self, day):
        return sum(
            one.event_counts_at is not None and one.event_counts_at <= day for one in self.members
        )

    def find_crossing(self):
        """Return True when the path in clinical time has stopped at any date, or at a look."""
        if not self.plan.looks:
            days = sorted(
                {o.event_counts_at for o in self.members if o.event_counts_at is not None}
            )
            last_of_date = {(day + HALF_DAY) // 1: day for day in days}.values()
            return any(
                self.count_events(day) >= self.plan.table[ceil(self.measure(day))]
                for day in last_of_date
            )
        for look in self.plan.looks:
            day = self.find_day_of(look)
            if day is not None:
                last = (day + HALF_DAY) // 1 + HALF_DAY  # midnight that ends the date
                events = sum(
                    one.event_counts_at is not None and one.event_counts_at < last
                    for one in self.members
                )
                if events >= self.plan.table[look]:
                    return True
        return False

    def find_day_of(self, look):
        """Return the day on which the size first reaches *look*: between bends it is straight."""
        goal = look - SLACK
        days = {
            day
            for one in self.members
            for day in (one.person.entry, one.followed_until, one.closed_counts_at, one.end)
            if day is not None
        }
        bends = sorted({Fraction(day) for day in days if day <= self.cut} | {self.cut})
        previous = None
        for day in bends:
            if self.measure(day) >= goal:
                left_limit = self.measure(day, just_before=True)
                if previous is None or left_limit < goal:
                    return day
                start = self.measure(previous)
                return previous + (goal - start) / (left_limit - start) * (day - previous)
            previous = day
        return None

    def list_choices(self, *, with_new):
        """Return for each completion to come: gain of size, weight so far, and what may be."""
        choices = []
        for follower in self.pending:
            gain = 1 - follower.weigh(self.plan.policy, self.cut)
            may_be = (True, False) if follower.closed_on is None else (follower.event is not None,)
            choices.append((gain, follower.progress, follower.event is not None, may_be))
        if with_new:
            newcomers = self.plan.n - len(self.members)
            choices += [(Fraction(1), Fraction(0), False, (True, False))] * newcomers
        return choices

    def crosses(self, choices, outcome):
        """Return True when the count stops on the way through *outcome*."""
        size, events = self.size, self.events
        for (gain, *_), has_event in zip(choices, outcome, strict=True):
            events += has_event
            if self.plan.compare(events, size, size + gain):
                return True
            size += gain
        return False

    def is_high_when_complete(self, choices, outcome):
        size = self.size + sum(gain for gain, *_ in choices)
        return self.events + sum(outcome) >= self.plan.table[ceil(size)]

    def compute_chance(self, p, *, with_new):
        """Return the chance, at rate *p*, to cross by n, or once those pending are complete."""
        if self.is_crossed and (with_new or self.plan.looks):
            return Fraction(1)
        choices = self.list_choices(with_new=with_new)
        stops = self.crosses if with_new or self.plan.looks else self.is_high_when_complete
        total = Fraction(0)
        for outcome in product(*(may_be for *_, may_be in choices)):
            if not stops(choices, outcome):
                continue
            chance = Fraction(1)
            for (_, weight, is_known, _), has_event in zip(choices, outcome, strict=True):
                if not is_known and weight < 1:
                    risk = p * (1 - weight) / (1 - p * weight)
                    chance *= risk if has_event else 1 - risk
                elif not is_known and has_event:
                    chance = Fraction(0)
            total += chance
        return total

    def integrate(self, stops):
        """Return (integral of the likelihood where *stops*, integral of all, of p times it)."""
        choices = self.list_choices(with_new=True)
        frozen_weights = [one.progress for one in self.frozen]
        part, total, moment = Fraction(0), Fraction(0), Fraction(0)
        for outcome in product(*(may_be for *_, may_be in choices)):
            is_part = stops(choices, outcome)
            for later_events in product((True, False), repeat=len(frozen_weights)):
                share = Fraction(1)
                for (_, weight, is_known, _), has_event in zip(choices, outcome, strict=True):
                    share *= 1 - weight if has_event and not is_known else 1
                for weight, has_event in zip(frozen_weights, later_events, strict=True):
                    share *= 1 - weight if has_event else 1
                events = self.events + sum(outcome) + sum(later_events)
                people = self.complete + len(outcome) + len(later_events)
                a, b = self.plan.prior[0] + events, self.plan.prior[1] + people - events
                mass = share * Fraction(factorial(a - 1) * factorial(b - 1), factorial(a + b - 1))
                total += mass
                moment += mass * Fraction(a, a + b)
                part += mass * is_part
        return part, total, moment

    def compute_predictive_chance(self):
        if self.is_crossed:
            return Fraction(1)
        part, total, _ = self.integrate(self.crosses)
        return part / total

    def compute_mean_rate(self):
        _, total, moment = self.integrate(lambda *_: False)
        return moment / total

    def count_events_from_new(self):
        """Return the fewest events of new participants alone that stop; None: none do."""
        if self.is_crossed:
            return 0
        newcomers = self.plan.n - len(self.members)
        outcomes = product((True, False), repeat=newcomers)
        counts = [self._count_until_stop(outcome) for outcome in outcomes]
        return min((count for count in counts if count is not None), default=None)

    def _count_until_stop(self, outcome):
        size, events = self.size, self.events
        for has_event in outcome:
            events += has_event
            if self.plan.compare(events, size, size + 1):
                return events - self.events
            size += 1
        return None

    @property
    def is_certain(self):
        if not self.plan.looks:
            size = self.size + sum(gain for gain, *_ in self.list_choices(with_new=False))
            return self.events >= self.plan.table[ceil(size)]
        choices = self.list_choices(with_new=False)
        return self.is_crossed or self.crosses(choices, [False] * len(choices))

    @property
    def is_possible(self):
        if self.plan.looks:
            choices = self.list_choices(with_new=False)
            return self.is_crossed or self.crosses(choices, [True] * len(choices))
        known_size = self.complete + sum(
            one.weigh(self.plan.policy, self.cut) for one in self.frozen
        )
        return any(
            self.events + k >= self.plan.table[ceil(known_size + k)]
            for k in range(len(self.pending) + 1)
        )
