"""Boundaries for a statistician's hand: one design, with what it does at each rate."""

from collections.abc import Mapping, Sequence

from services.safety_rules.domain.stopping.design import design
from services.safety_rules.domain.stopping.families import FAMILIES

METHODS = (*sorted(FAMILIES), "table")


def boundary(
    method: str,
    p0: float,
    alpha: float,
    n: int,
    *,
    looks: Sequence[int] = (),
    rates: Sequence[float] = (),
    parameters: Mapping[str, Sequence[float]],
) -> Mapping[str, object]:
    """Return the boundary of *method*, its attained alpha and its characteristics at *rates*.

    Args:
        method: One of `METHODS`.
        p0: Acceptable event rate.
        alpha: Nominal one-sided type I error at p0.
        n: Planned maximum.
        looks: Evaluable participants at each look; empty: after each one.
        rates: Event rates at which to compute what the boundary does.
        parameters: Of the method, e.g. ``prior``.

    Raises:
        ValueError: An argument is out of range; the message names it and its range.
    """
    return design(method, p0, alpha, n, looks=looks, rates=rates, **parameters).summary()
