"""The signed boundary of a rule of person-time, for lookups."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from services.safety_rules.domain.stopping.families import Floats, Ints
from services.safety_rules.domain.stopping.person_time_plan import PersonTimePlan
from services.safety_rules.domain.stopping.person_time_rule import (
    list_limits,
    read_boundary,
    read_plan,
)
from services.vocabulary.protocol import Rule, TimeUnit

_SLACK: dict[TimeUnit, float] = {"person_days": 1e-11, "expected_events": 1e-13}


@dataclass(frozen=True, slots=True)
class PersonTimeLimits:
    """The limits of 1, 2, ... events and the plan that they belong to, in *unit*.

    *out_of_reach* is a number of events that no trial has: what stops where nothing does.
    """

    limits: tuple[float, ...]
    plan: PersonTimePlan
    unit: TimeUnit
    out_of_reach: int

    @property
    def slack(self) -> float:
        """The rounding of a sum of person-time: about a microsecond of one participant."""
        return _SLACK[self.unit]

    @property
    def fewest_events(self) -> int:
        """The smallest number of events that stops at any time."""
        return next(k for k, end in enumerate(self.limits, 1) if end > 0)

    @property
    def compared_sizes(self) -> tuple[float, ...]:
        """The person-times that are compared as soon as they are reached, without an event too."""
        start = self.plan.delayed_start
        if self.plan.looks:
            return tuple(look for look in self.plan.looks if look >= start)
        return (start,) if start else ()

    def is_compared_at(self, size: float) -> bool:
        """Return True when an event at person-time *size* is compared at once."""
        return not self.plan.looks and size >= self.plan.delayed_start - self.slack

    def are_compared_at(self, sizes: Floats) -> npt.NDArray[np.bool_]:
        """Return `is_compared_at` of each of *sizes*, of any shape."""
        has_started = sizes >= self.plan.delayed_start - self.slack
        return np.asarray(has_started & (not self.plan.looks))

    def find_boundary_at(self, size: float) -> int:
        """Return the events that stop at *size*, or where it is compared next."""
        next_size = next((one for one in self.compared_sizes if one >= size - self.slack), None)
        is_between_looks = self.plan.looks and next_size is not None
        is_before_start = not self.plan.looks and size < self.plan.delayed_start
        if next_size is not None and (is_between_looks or is_before_start):
            size = next_size
        return int(self.find_boundaries(np.array([size]))[0])

    def find_boundaries(self, sizes: Floats) -> Ints:
        """Return the events that stop at each of *sizes*, of any shape."""
        index = np.searchsorted(np.array(self.limits), sizes - self.slack)
        stops = np.append(np.arange(1, len(self.limits) + 1), self.out_of_reach)
        first = next((k for k, end in enumerate(self.limits) if end > 0), len(self.limits))
        return np.asarray(stops[np.maximum(index, first)])

    def count_events_from_new(self, size: float, events: int, newcomers: int) -> int | None:
        """Return the events that reach the boundary if each comes at once from a new participant.

        They add no person-time then; None: they are more than *newcomers*.
        """
        needed = max(self.find_boundary_at(size) - events, 0)
        return needed if needed <= newcomers else None

    def count_free_until_rise(self, size: float) -> int | None:
        """Return the whole person-days without event until the boundary rises; None: never.

        None in expected events too: the whole of one is too long.
        """
        boundary = self.find_boundary_at(size)
        if self.unit != "person_days" or boundary >= len(self.limits):
            return None
        return math.ceil(max(self.limits[boundary - 1] - size, 0.0))


def read_time_limits(rule: Rule) -> PersonTimeLimits:
    """Return the lookups of the signed boundary of a rule of person-time."""
    boundary = read_boundary(rule)
    return PersonTimeLimits(
        list_limits(boundary.steps), read_plan(rule), boundary.unit, rule.stop_when.n + 1
    )
