"""The path of a rule in clinical time: events against effective size, and whether it crossed."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from services.safety_rules.domain.stopping.cohort import (
    DAY_S,
    Cohort,
    Outcomes,
    compute_sizes,
    to_instant,
)
from services.safety_rules.domain.stopping.families import Floats, Ints
from services.safety_rules.domain.stopping.pending import SLACK, find_table_row
from services.safety_rules.domain.stopping.steps import expand_steps
from services.vocabulary.decision import PathPoint
from services.vocabulary.protocol import Curve, Policy, Rule


@dataclass(frozen=True, slots=True)
class SignedLimits:
    """The signed boundary for lookups.

    *table* is for x = 0 .. n; *looks* are the sizes at which it is compared, empty: every one.
    """

    table: tuple[int, ...]
    looks: tuple[int, ...]

    def find_boundary(self, x: int) -> int:
        """Return the boundary at x, or the one of the next look (after the last: the last)."""
        if not self.looks:
            return self.table[x]
        return self.table[next((look for look in self.looks if look >= x), self.looks[-1])]

    def find_compared_boundary(self, before: float, now: float) -> int | None:
        """Return the boundary that counts when the size grows from *before* to *now*.

        With grouped looks it is that of the first look on the way; None when there is none.
        """
        if not self.looks:
            return self.table[find_table_row(now)]
        passed = (x for x in self.looks if before < x - SLACK <= now)
        return next((self.table[x] for x in passed), None)


def read_limits(rule: Rule) -> SignedLimits:
    """Return the lookups of a rule's signed boundary."""
    when = rule.stop_when
    return SignedLimits(expand_steps(when.boundary, when.n, rule.looks), rule.looks)


@dataclass(frozen=True, slots=True)
class RulePath:
    """Where a rule was at the last event of each UTC date with events, and at the data cut.

    Arrays of one length, by time; the last entry is the cut. *reached_at* is in seconds.
    """

    reached_at: Floats
    size: Floats
    events: Ints

    def crosses_boundary(self, limit: SignedLimits) -> bool:
        """Whether it is at the boundary, or beyond it, at any date; without grouped looks."""
        rows = np.ceil(self.size[:-1] - SLACK).astype(np.int64)
        return bool((self.events[:-1] >= np.array(limit.table)[rows]).any())


def trace_path(of: Cohort, happened: Outcomes, policy: Policy, curve: Curve) -> RulePath:
    """Return effective size and events in clinical time."""
    dates = _last_of_each_date(happened.event_at[np.isfinite(happened.event_at)])
    at = np.append(dates, of.as_of)
    size = compute_sizes(of, happened, policy, curve, at)
    return RulePath(at, size, (happened.event_at <= at[:, None]).sum(axis=1))


def path_crosses(
    of: Cohort, happened: Outcomes, policy: Policy, curve: Curve, limit: SignedLimits
) -> bool:
    """Return whether the path is at the boundary, or beyond it, at any date."""
    if limit.looks:
        return any(point.crossed for point in list_path_points(of, happened, policy, curve, limit))
    return trace_path(of, happened, policy, curve).crosses_boundary(limit)


def list_path_points(
    of: Cohort, happened: Outcomes, policy: Policy, curve: Curve, limit: SignedLimits
) -> tuple[PathPoint, ...]:
    """Return the points by date: one for each UTC date with events, at the last of them.

    With grouped looks those are for drawing only; what is compared is one more point for each look,
    at the first instant when the effective size reaches it, with all the events of that date.
    """
    known = trace_path(of, happened, policy, curve)
    rows = (column[:-1].tolist() for column in (known.reached_at, known.size, known.events))
    points = [
        _point(
            moment, ess, events, limit.find_boundary(find_table_row(ess)), compared=not limit.looks
        )
        for moment, ess, events in zip(*rows, strict=True)
    ]
    for look, moment, ess in _reached(of, happened, policy, curve, limit.looks):
        end_of_date = (moment // DAY_S + 1) * DAY_S
        events = int((happened.event_at < end_of_date).sum())
        points.append(_point(moment, ess, events, limit.table[look], compared=True))
    return tuple(sorted(points, key=lambda point: point.at))


def _point(moment: float, ess: float, events: int, boundary: int, *, compared: bool) -> PathPoint:
    return PathPoint(to_instant(moment), ess, events, boundary, compared and events >= boundary)


def _last_of_each_date(at: Floats) -> Floats:
    latest = {moment // DAY_S: moment for moment in sorted(at.tolist())}
    return np.array(list(latest.values()))


def _reached(
    of: Cohort, happened: Outcomes, policy: Policy, curve: Curve, looks: Sequence[int]
) -> list[tuple[int, float, float]]:
    """Each look that was reached: when, in seconds, and the effective size then."""

    def size(microseconds: int) -> float:
        return float(compute_sizes(of, happened, policy, curve, np.array([microseconds / 1e6]))[0])

    found = []
    low = int(of.entered_at[0] * 1e6) - 1 if len(of.members) else 0
    end = round(of.as_of * 1e6)
    for look in looks if len(of.members) else ():
        if size(end) < look - SLACK:
            break
        before, high = low, end
        while high - before > 1:  # the size never shrinks: find the first instant
            middle = (before + high) // 2
            before, high = (before, middle) if size(middle) >= look - SLACK else (middle, high)
        found.append((look, high / 1e6, size(high)))
    return found
