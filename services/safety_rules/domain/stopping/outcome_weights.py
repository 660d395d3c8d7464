"""The weights of the outcomes to come, by their number of events: one recursion for every rate.

At event rate p somebody followed without event with onset weight w has the event later with chance
p (1 - w) / (1 - pw), and none with (1 - p) / (1 - pw). Of any order of s outcomes with k events the
chance is p^k (1 - p)^(s - k), over the product of 1 - pw, times the product of 1 - w over the
events: the last factor alone depends on the order. Its sum over the orders that reach no boundary
is the weight of k events; every chance is read from these weights, at a rate or over a density.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache, reduce

import numpy as np

from services.safety_rules.domain.stopping.families import Floats

_PART = 8  # factors that are multiplied out side by side with others


@dataclass(frozen=True, slots=True)
class OutcomeWeights:
    """The weights of k = 0, 1, ... events among the first outcomes to come.

    Args:
        weights: By the number of events, those that are known included.
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
        weights = self.weights[self.sure :]
        k = np.arange(len(weights))
        free = np.maximum(len(self.risk) + self.newcomers - k, 0)
        total: float = (1 - p * self.risk).prod()
        return np.asarray(weights * p**k * (1 - p) ** free / total)


@lru_cache(maxsize=1024)
def count_outcomes(risk: tuple[float, ...]) -> OutcomeWeights:
    """Return the weights of the outcomes of those pending when no boundary is compared.

    >>> count_outcomes((0.5, 0.75)).weights.tolist()
    [1.0, 0.75, 0.125]
    """
    parts = np.zeros((-(-len(risk) // _PART), _PART))
    parts.flat[: len(risk)] = 1 - np.array(risk)
    products = np.zeros((len(parts), _PART + 1))
    products[:, 0] = 1.0
    for k in range(_PART):
        products[:, 1 : k + 2] += products[:, : k + 1] * parts[:, k : k + 1]
    weights = reduce(np.convolve, products, np.ones(1))[: len(risk) + 1]
    return OutcomeWeights(weights, _find_unsure(risk, (False,) * len(risk)), 0, len(risk), 0)


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
    comparisons = [*_list_comparisons(events, boundaries)]
    if not comparisons:
        return None
    weights = np.zeros(max(needed_events for _, needed_events in comparisons) or 1)
    weights[0] = 1.0
    one_fewer, one_more = weights[:-1], weights[1:]
    newly_affected = np.empty(len(one_more))
    completions = 0
    for steps, needed_events in comparisons:
        for weight, is_sure in zip(risk[completions:steps], sure[completions:steps], strict=True):
            if is_sure:
                one_more[:], weights[0] = one_fewer.copy(), 0.0
            else:
                np.multiply(one_fewer, 1 - weight, newly_affected)
                np.add(one_more, newly_affected, one_more)
        newcomers = steps - max(completions, len(risk))
        if newcomers > 0:
            weights[:] = np.convolve(weights, _count_orders(newcomers))[: len(weights)]
        weights[needed_events:] = 0.0
        completions = steps
    return OutcomeWeights(
        weights,
        _find_unsure(risk[:completions], sure[:completions]),
        sum(sure[:completions]),
        len(risk[:completions]),
        max(completions - len(risk), 0),
    )


def _list_comparisons(events: int, boundaries: Sequence[int | None]) -> Iterator[tuple[int, int]]:
    """Yield the last completion and the further events of each run of equal boundaries.

    Events only add up: who reaches a boundary reaches it at the end of its run too.
    """
    run: tuple[int, int] | None = None
    for steps, boundary in enumerate(boundaries, 1):
        if boundary is None or boundary - events > steps:
            continue
        needed_events = max(boundary - events, 0)
        if run is not None and run[1] != needed_events:
            yield run
        run = steps, needed_events
    if run is not None:
        yield run


def _find_unsure(risk: tuple[float, ...], sure: tuple[bool, ...]) -> Floats:
    """Return the onset weights of those who may have the event or not; at 1 none can come."""
    weights = np.array(risk)
    return weights[(weights < 1) & ~np.array(sure, dtype=np.bool_)]


@lru_cache(maxsize=256)
def _count_orders(newcomers: int) -> Floats:
    """Return the number of orders of k events among *newcomers*, k = 0 .. *newcomers*."""
    return np.array([float(math.comb(newcomers, k)) for k in range(newcomers + 1)])
