"""The weights of the outcomes to come, by their number of events: one recursion for every rate.

At event rate p somebody followed without event with onset weight w has the event later with chance
p (1 - w) / (1 - pw), and none with (1 - p) / (1 - pw). Of any order of s outcomes with k events the
chance is p^k (1 - p)^(s - k), over the product of 1 - pw, times the product of 1 - w over the
events: the last factor alone depends on the order. Its sum over the orders that reach no boundary
is the weight of k events; every chance is read from these weights, at a rate or over a density.
"""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from services.safety_rules.domain.stopping.families import Floats

_PART = 8  # factors that are multiplied out one by one


@dataclass(frozen=True, slots=True)
class OutcomeWeights:
    """The weights of k = 0, 1, ... events among the first outcomes to come.

    Args:
        weights: By the number of events beyond those that are known.
        risk: Onset weight of each pending participant among them who may have the event or not.
        sure: The number of those whose event is known, and counts later.
        completions: Of all those pending among them.
        newcomers: The number of those not followed yet.
    """

    weights: Floats
    risk: Floats
    sure: int
    completions: int
    newcomers: int

    def compute_chances(self, p: float) -> Floats:
        """Return the chance of each number of events beyond those known, at rate *p* in [0, 1]."""
        k = np.arange(len(self.weights))
        free = np.maximum(len(self.risk) + self.newcomers - k, 0)
        total: float = (1 - p * self.risk).prod()
        return np.asarray(self.weights * p**k * (1 - p) ** free / total)


@lru_cache(maxsize=1024)
def count_outcomes(risk: tuple[float, ...]) -> OutcomeWeights:
    """Return the weights of the outcomes of those pending when no boundary is compared.

    >>> count_outcomes((0.5, 0.75)).weights.tolist()
    [1.0, 0.75, 0.125]
    """
    return OutcomeWeights(multiply_out(risk), _list_undecided(risk), 0, len(risk), 0)


@lru_cache(maxsize=4096)
def multiply_out(risk: tuple[float, ...]) -> Floats:
    """Return the weights of k = 0 .. all events of those pending; nobody may write into it.

    By halves, which are kept: from one look to the next, few of them change.
    """
    if len(risk) > _PART:
        half = len(risk) // 2
        return np.convolve(multiply_out(risk[:half]), multiply_out(risk[half:]))
    weights = [1.0]
    for weight in risk:
        pairs = zip([*weights, 0.0], [0.0, *weights], strict=True)
        weights = [same + (1 - weight) * fewer for same, fewer in pairs]
    return np.array(weights)


@lru_cache(maxsize=1024)
def follow_outcomes(
    risk: tuple[float, ...],
    sure: tuple[bool, ...],
    events: int,
    boundaries: tuple[int | None, ...],
) -> OutcomeWeights | None:
    """Return the weights of the outcomes to come that reach none of *boundaries*.

    None: no boundary can be reached.

    Args:
        risk: Onset weight of each pending participant, in the order of completion.
        sure: True where the event is known, in the same order.
        events: The events so far.
        boundaries: The events that are compared after each completion, first of those pending, then
            of newcomers; None: nothing is compared.
    """
    comparisons = _list_comparisons(events, boundaries)
    if not comparisons:
        return None
    weights, completions, known_events = np.ones(1), 0, 0
    for steps, needed_events in comparisons:
        are_sure = sure[completions:steps]
        known_events += sum(are_sure)
        group = select_unsure(risk[completions:steps], are_sure)
        weights = np.convolve(weights, multiply_out(group))
        newcomers = steps - max(completions, len(risk))
        if newcomers > 0:
            weights = np.convolve(weights, _count_orders(newcomers))
        weights, completions = weights[: max(needed_events - known_events, 0)], steps
        if not weights.size:
            break  # whatever the outcomes are, the boundary is reached
    return OutcomeWeights(
        weights,
        _list_undecided(risk[:completions], sure[:completions]),
        known_events,
        len(risk[:completions]),
        max(completions - len(risk), 0),
    )


def select_unsure(risk: tuple[float, ...], sure: tuple[bool, ...]) -> tuple[float, ...]:
    """Return the onset weight of each pending participant who may have the event or not."""
    if not any(sure):
        return risk
    return tuple(weight for weight, is_sure in zip(risk, sure, strict=True) if not is_sure)


@lru_cache(maxsize=1024)
def _list_comparisons(
    events: int, boundaries: tuple[int | None, ...]
) -> tuple[tuple[int, int], ...]:
    """Return the last completion and the further events of each run of equal boundaries.

    Events only add up: who reaches a boundary reaches it at the end of its run too.
    """
    runs: list[tuple[int, int]] = []
    for steps, boundary in enumerate(boundaries, 1):
        if boundary is None or boundary - events > steps:
            continue
        needed_events = max(boundary - events, 0)
        if runs and runs[-1][1] == needed_events:
            runs.pop()
        runs.append((steps, needed_events))
    return tuple(runs)


def _list_undecided(risk: tuple[float, ...], sure: tuple[bool, ...] = ()) -> Floats:
    """Return the onset weights of those who may have the event or not; at 1 none can come."""
    weights = np.array(select_unsure(risk, sure))
    return weights[weights < 1]


@lru_cache(maxsize=256)
def _count_orders(newcomers: int) -> Floats:
    """Return the number of orders of k events among *newcomers*, k = 0 .. *newcomers*."""
    return np.array([float(math.comb(newcomers, k)) for k in range(newcomers + 1)])
