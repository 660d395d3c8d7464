"""The path of a rule in clinical time: events against effective size, and whether it crossed."""

from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from services.safety_rules.domain.stopping.cohort import (
    DAY_S,
    NEVER,
    Cohort,
    Outcomes,
    to_instant,
)
from services.safety_rules.domain.stopping.families import Floats, Ints
from services.safety_rules.domain.stopping.follow_up import (
    FollowUp,
    compute_sizes,
    measure_follow_up,
)
from services.safety_rules.domain.stopping.pending import SLACK, find_table_row
from services.safety_rules.domain.stopping.person_time_limits import (
    PersonTimeLimits,
    read_time_limits,
)
from services.safety_rules.domain.stopping.steps import expand_steps
from services.vocabulary.decision import PathPoint
from services.vocabulary.protocol import BoundaryStep, Curve, Policy, Rule


@dataclass(frozen=True, slots=True)
class SignedLimits:
    """The signed boundary for lookups.

    *table* is for x = 0 .. n; *looks* are the sizes at which it is compared, empty: every one.
    """

    table: tuple[int, ...]
    looks: tuple[int, ...]

    @property
    def slack(self) -> float:
        """The rounding of a sum of weights."""
        return SLACK

    @property
    def fewest_events(self) -> int:
        """The smallest number of events that stops anywhere."""
        reachable = (events for x, events in enumerate(self.table) if events <= x)
        return min(reachable, default=len(self.table))

    @property
    def compared_sizes(self) -> tuple[int, ...]:
        """The sizes that are compared as soon as they are reached, without an event too."""
        return self.looks

    def is_compared_at(self, _size: float) -> bool:
        """Return True when an event is compared at once, at any size: there are no looks."""
        return not self.looks

    def are_compared_at(self, sizes: Floats) -> npt.NDArray[np.bool_]:
        """Return `is_compared_at` of each of *sizes*, of any shape."""
        return np.full(sizes.shape, not self.looks)

    def find_boundary_at(self, size: float) -> int:
        """Return `find_boundary` of an effective size, which is rounded up."""
        return self.find_boundary(find_table_row(size))

    def find_boundaries(self, sizes: Floats) -> Ints:
        """Return the events that stop at each of *sizes*, of any shape."""
        return np.asarray(_make_array(self.table)[np.ceil(sizes - SLACK).astype(np.int64)])

    def find_boundary(self, x: int) -> int:
        """Return the boundary at x, or the one of the next look (after the last: the last)."""
        if not self.looks:
            return self.table[x]
        return self.table[next((look for look in self.looks if look >= x), self.looks[-1])]

    def count_events_from_new(self, size: float, events: int, newcomers: int) -> int | None:
        """Return the events that reach the boundary if each comes from a new participant.

        Each adds one to the size; None: none of up to *newcomers* reaches it.
        """
        for k in range(1, newcomers + 1):
            boundary = self.find_compared_boundary(size + k - 1, size + k)
            if boundary is not None and boundary <= events + k:
                return max(boundary - events, 0)
        return None

    def count_free_until_rise(self, size: float) -> int | None:
        """Return the event-free participants beyond *size* that raise the boundary; None: never."""
        x = find_table_row(size)
        present = self.find_boundary(x)
        rises = (k - x for k in range(x + 1, len(self.table)) if self.find_boundary(k) > present)
        return next(rises, None)

    def find_compared_boundary(self, previous_size: float, size: float) -> int | None:
        """Return the boundary that counts when the size grows from *previous_size* to *size*.

        With grouped looks it is that of the first look on the way; None when there is none.
        """
        if not self.looks:
            return self.table[find_table_row(size)]
        passed_looks = (x for x in self.looks if previous_size < x - SLACK <= size)
        return next((self.table[x] for x in passed_looks), None)

    def list_compared_boundaries(self, size: float, gains: Floats) -> tuple[int | None, ...]:
        """Return `find_compared_boundary` after each of *gains* of *size*, up to the last look."""
        sizes = np.cumsum(np.concatenate(([size], gains)))
        if not self.looks:
            return tuple(self.find_boundaries(sizes[1:]).tolist())
        boundaries = [self.find_compared_boundary(*step) for step in pairwise(sizes.tolist())]
        while boundaries and boundaries[-1] is None:
            boundaries.pop()
        return tuple(boundaries)


@lru_cache(maxsize=256)
def _make_array(table: tuple[int, ...]) -> Ints:
    return np.array(table)


Limits = SignedLimits | PersonTimeLimits


def read_signed_limits(rule: Rule) -> SignedLimits:
    """Return the lookups of the signed boundary of a rule that counts participants."""
    return _make_signed_limits(rule.stop_when.boundary, rule.stop_when.n, rule.looks)


@lru_cache(maxsize=256)
def _make_signed_limits(
    steps: tuple[BoundaryStep, ...], n: int, looks: tuple[int, ...]
) -> SignedLimits:
    return SignedLimits(expand_steps(steps, n, looks), looks)


def read_limits(rule: Rule) -> Limits:
    """Return the lookups of a rule's signed boundary, of participants or of person-time."""
    return read_time_limits(rule) if rule.stop_when.person_time else read_signed_limits(rule)


@dataclass(frozen=True, slots=True)
class Timeline:
    """The last event of each UTC date with events: the instants that matter before the cut.

    Args:
        cohort: The participants that count.
        outcomes: Their outcomes, as one policy counts them.
        instants: By time, in seconds.
        events: At each instant.
        follow_up: At each instant.
    """

    cohort: Cohort
    outcomes: Outcomes
    instants: Floats
    events: Ints
    follow_up: FollowUp


@dataclass(frozen=True, slots=True)
class RulePath:
    """Effective size and events at each instant of a timeline, as *policy* and *curve* count.

    Under ``person_time`` the size is in the curve's unit.
    """

    timeline: Timeline
    policy: Policy
    curve: Curve
    size: Floats

    def crosses_boundary(self, limit: Limits) -> bool:
        """Return True when it is at or beyond the boundary at any date; without grouped looks."""
        return bool((self.timeline.events >= limit.find_boundaries(self.size)).any())


def make_timeline(cohort: Cohort, outcomes: Outcomes) -> Timeline:
    """Return the timeline of *outcomes*, which policies that count them alike can share."""
    event_at = np.sort(outcomes.event_at[outcomes.event_at < NEVER])
    latest = {moment // DAY_S: moment for moment in event_at.tolist()}  # of each date
    instants = np.array([*latest.values()])
    events = event_at.searchsorted(instants, side="right")
    return Timeline(
        cohort, outcomes, instants, events, measure_follow_up(cohort, outcomes, instants)
    )


def trace_path(timeline: Timeline, policy: Policy, curve: Curve) -> RulePath:
    """Return effective size and events in clinical time."""
    if policy == "person_time":
        size = compute_sizes(timeline.cohort, timeline.outcomes, policy, curve, timeline.instants)
    else:
        size = timeline.follow_up.weigh(policy, curve).sum(axis=-1)
    return RulePath(timeline, policy, curve, size)


def path_crosses(rule_path: RulePath, limit: Limits) -> bool:
    """Return True when the path is at the boundary, or beyond it, at any date."""
    if limit.compared_sizes:
        return any(point.crossed for point in make_points(rule_path, limit))
    return rule_path.crosses_boundary(limit)


def list_path_points(
    cohort: Cohort, outcomes: Outcomes, policy: Policy, curve: Curve, limit: Limits
) -> tuple[PathPoint, ...]:
    """Return the points of the path of a cohort; see `make_points`."""
    return make_points(trace_path(make_timeline(cohort, outcomes), policy, curve), limit)


def make_points(rule_path: RulePath, limit: Limits) -> tuple[PathPoint, ...]:
    """Return the points by date: one for each UTC date with events, at the last of them.

    With grouped looks those are for drawing only; one more point for each look is compared, at the
    first instant when the effective size reaches it, with all the events of that date.
    """
    timeline = rule_path.timeline
    columns = (timeline.instants, rule_path.size, timeline.events)
    points = [
        _make_point(
            moment,
            ess,
            events,
            limit.find_boundary_at(ess),
            is_compared=limit.is_compared_at(ess),
        )
        for moment, ess, events in zip(*(column.tolist() for column in columns), strict=True)
    ]
    for look, moment, ess in _find_reached_looks(rule_path, limit):
        end_of_date = (moment // DAY_S + 1) * DAY_S
        events = int((timeline.outcomes.event_at < end_of_date).sum())
        points.append(
            _make_point(moment, ess, events, limit.find_boundary_at(look), is_compared=True)
        )
    return tuple(sorted(points, key=lambda point: point.at))


@lru_cache(maxsize=8192)  # of most dates a path says what it said before
def _make_point(
    seconds: float, ess: float, events: int, boundary: int, *, is_compared: bool
) -> PathPoint:
    return PathPoint(to_instant(seconds), ess, events, boundary, is_compared and events >= boundary)


def _find_reached_looks(rule_path: RulePath, limit: Limits) -> list[tuple[float, float, float]]:
    """Return each look that was reached, its instant in seconds, and the effective size then."""
    cohort, outcomes = rule_path.timeline.cohort, rule_path.timeline.outcomes

    def compute_size(microseconds: int) -> float:
        instants = np.array([microseconds / 1e6])
        sizes = compute_sizes(cohort, outcomes, rule_path.policy, rule_path.curve, instants)
        return float(sizes[0])

    reached_looks = []
    low = int(cohort.entered_at[0] * 1e6) - 1 if len(cohort.members) else 0
    end = round(cohort.as_of * 1e6)
    for look in limit.compared_sizes if len(cohort.members) else ():
        if compute_size(end) < look - limit.slack:
            break
        low_end, high = low, end
        while high - low_end > 1:  # the size never shrinks: find the first instant
            middle = (low_end + high) // 2
            low_end, high = (
                (low_end, middle) if compute_size(middle) >= look - limit.slack else (middle, high)
            )
        reached_looks.append((look, high / 1e6, compute_size(high)))
    return reached_looks
