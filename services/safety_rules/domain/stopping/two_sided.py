"""Designs with two limits: stop as too harmful at the upper, as safe enough at the lower.

No rule of a protocol is made of them: a lower limit that stops the watch of a harm is no safety
rule. They are here to read the designs that others have published, and a futility limit beside a
boundary of ours.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from services.safety_rules.domain.stopping.calibrate import check_looks
from services.safety_rules.domain.stopping.characteristics import check_rates
from services.safety_rules.domain.stopping.families import Floats, Ints, check_plan_size
from services.safety_rules.domain.stopping.pending import SLACK
from services.safety_rules.domain.stopping.steps import format_steps, merge_steps
from services.vocabulary.spelled_numbers import spell_number, spell_numbers


@dataclass(frozen=True, slots=True)
class TwoSidedCharacteristics:
    """The behaviour of two limits when the true event rate is *rate*; each a chance, but the last.

    Args:
        rate: Probability of an event, in [0, 1].
        p_upper: Probability of ever stopping at the upper limit.
        p_lower: Probability of ever stopping at the lower limit, before the upper.
        p_neither: Probability that the plan ends between the two.
        e_evaluated: Expected participants evaluated when it stops, or n.
    """

    rate: float
    p_upper: float
    p_lower: float
    p_neither: float
    e_evaluated: float


@dataclass(frozen=True, slots=True)
class TwoSidedLimits:
    """Two limits at the same looks.

    Args:
        n: Planned maximum.
        looks: Evaluable participants at each look, increasing, up to n.
        upper: Events that stop as too harmful, or more, at each look; look + 1: none there.
        lower: Events that stop as safe enough, or fewer, at each look; -1: none there.
    """

    n: int
    looks: tuple[int, ...]
    upper: tuple[int, ...]
    lower: tuple[int, ...]

    @property
    def upper_text(self) -> str:
        """The upper limit in one line, ``4@4-14 5@15-29``; empty: none."""
        limits = zip(self.looks, self.upper, strict=True)
        return format_steps(
            merge_steps((look, events) for look, events in limits if events <= look)
        )

    @property
    def lower_text(self) -> str:
        """The lower limit in one line; empty: none."""
        limits = zip(self.looks, self.lower, strict=True)
        return format_steps(merge_steps((x, events) for x, events in limits if events >= 0))

    def compute_characteristics(
        self, rates: Sequence[float]
    ) -> tuple[TwoSidedCharacteristics, ...]:
        """Return the behaviour at each of *rates*, exact.

        Raises:
            ValueError: A rate is outside [0, 1].
        """
        check_rates(rates)
        return tuple(self._compute_at(rate) for rate in rates)

    def _compute_at(self, rate: float) -> TwoSidedCharacteristics:
        limits = {
            look: (lower, upper)
            for look, lower, upper in zip(self.looks, self.lower, self.upper, strict=True)
        }
        state = np.zeros(self.n + 1)
        state[0] = 1.0
        p_upper = p_lower = e_evaluated = 0.0
        for x in range(1, self.n + 1):
            state[1:] = state[1:] * (1 - rate) + state[:-1] * rate
            state[0] *= 1 - rate
            lower, upper = limits.get(x, (-1, x + 1))
            stopped_above = float(state[upper:].sum())
            stopped_below = float(state[: lower + 1].sum())
            state[upper:] = state[: lower + 1] = 0.0
            p_upper, p_lower = p_upper + stopped_above, p_lower + stopped_below
            e_evaluated += x * (stopped_above + stopped_below)
        p_neither = float(state.sum())
        e_evaluated += self.n * p_neither
        return TwoSidedCharacteristics(rate, p_upper, p_lower, p_neither, e_evaluated)


def read_two_sided_limits(
    n: int, upper: Sequence[float], lower: Sequence[float], looks: Sequence[int] = ()
) -> TwoSidedLimits:
    """Return the limits of a published design.

    Args:
        n: Planned maximum, 1 to 1000.
        upper: Events that stop as too harmful at each look; above the look: none there.
        lower: Events that stop as safe enough at each look; below 0: none there.
        looks: Evaluable participants at each look, increasing, up to n; empty: after each one.

    Raises:
        ValueError: An argument is out of range, or the limits meet; the message names it.
    """
    check_plan_size(n)
    sizes = tuple(check_looks(looks, n).tolist())
    for name, limits in (("boundary", upper), ("lower", lower)):
        if len(limits) != len(sizes):
            raise ValueError(f"{name} must be {len(sizes)} numbers, one for each look")
        if not all(math.isfinite(limit) and limit == int(limit) for limit in limits):
            raise ValueError(f"{name} must be whole numbers, not {spell_numbers(limits)}")
        if any(limit < previous for previous, limit in pairwise(limits)):
            raise ValueError(f"{name} must not fall from one look to the next")
    for look, low, high in zip(sizes, lower, upper, strict=True):
        if low >= high:
            raise ValueError(f"lower must be below boundary; at {look} it is {low:g} of {high:g}")
    return TwoSidedLimits(
        n,
        sizes,
        tuple(min(int(high), look + 1) for look, high in zip(sizes, upper, strict=True)),
        tuple(max(int(low), -1) for low in lower),
    )


def make_wald_limits(
    n: int, p0: float, p1: float, *, alpha: float, beta: float, looks: Sequence[int] = ()
) -> TwoSidedLimits:
    """Return Wald's sequential test of p0 against p1 with both limits, cut off at n.

    The limits are Wald's own, (1 - beta) / alpha and beta / (1 - alpha): published designs have
    them so. They are not calibrated: the errors attained are those of the characteristics.

    >>> limits = make_wald_limits(75, 0.04, 0.10, alpha=0.04, beta=0.2, looks=range(4, 76))
    >>> limits.upper[:12], limits.lower[20:22]
    ((4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 5), (-1, 0))

    Args:
        n: Planned maximum, 1 to 1000.
        p0: Acceptable event rate, inside (0, 1).
        p1: Rate that must not be missed, above p0 and below 1.
        alpha: Nominal error at p0, above 0; with *beta* below 1.
        beta: Nominal error at p1, above 0.
        looks: Evaluable participants at each look, increasing, up to n; empty: after each one.

    Raises:
        ValueError: An argument is out of range; the message names it and its range.

    Source: Wald 1945, Annals of Mathematical Statistics 16:117-186
    """
    check_plan_size(n)
    if not 0 < p0 < 1:
        raise ValueError(f"p0 must be above 0 and below 1, not {spell_number(p0)}")
    if not p0 < p1 < 1:
        raise ValueError(f"p1 must be above p0 = {p0:g} and below 1, not {spell_number(p1)}")
    if not (alpha > 0 and beta > 0 and alpha + beta < 1):
        raise ValueError(
            "alpha and beta must be above 0 and together below 1, not"
            f" {spell_number(alpha)} and {spell_number(beta)}"
        )
    sizes = check_looks(looks, n)
    event, no_event = math.log(p1 / p0), math.log((1 - p0) / (1 - p1))
    high, low = math.log((1 - beta) / alpha), math.log(beta / (1 - alpha))
    upper = np.ceil(_find_events(high, sizes, event, no_event) - SLACK).astype(np.int64)
    lower = np.floor(_find_events(low, sizes, event, no_event) + SLACK).astype(np.int64)
    return read_two_sided_limits(
        n, np.maximum(upper, 1).tolist(), np.maximum(lower, -1).tolist(), sizes.tolist()
    )


def _find_events(log_ratio: float, sizes: Ints, event: float, no_event: float) -> Floats:
    """Return the events at which the log likelihood ratio is *log_ratio*, at each size."""
    return np.asarray((log_ratio + sizes * no_event) / (event + no_event), dtype=np.float64)
