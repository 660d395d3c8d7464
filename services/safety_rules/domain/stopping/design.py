"""A stopping rule on the drawing board: its boundary, and what that does at any event rate."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from services.safety_rules.domain.stopping.calibrate import (
    ROUNDING,
    Calibrated,
    calibrate,
    check_looks,
)
from services.safety_rules.domain.stopping.characteristics import (
    Characteristics,
    characteristics,
    crossing_probability,
)
from services.safety_rules.domain.stopping.families import LARGEST_N


@dataclass(frozen=True, slots=True)
class Design:
    """A boundary with its exact properties.

    Args:
        family: Of `families.FAMILIES`, or ``table``.
        p0: Acceptable rate.
        alpha: Nominal one-sided type I error at p0.
        n: Planned maximum.
        looks: Evaluable participants at each look, each of 1 .. n when there are no others.
        boundary: Events that stop at each look, or look + 1 where it cannot stop.
        attained_alpha: Exact type I error at p0.
        characteristics: At each rate that was asked for.
    """

    family: str
    p0: float
    alpha: float
    n: int
    looks: tuple[int, ...]
    boundary: tuple[int, ...]
    attained_alpha: float
    characteristics: tuple[Characteristics, ...]

    def summary(self) -> dict[str, object]:
        """The design in plain lists and numbers."""
        return {
            "family": self.family,
            "p0": self.p0,
            "alpha": self.alpha,
            "n": self.n,
            "looks": list(self.looks),
            "boundary": list(self.boundary),
            "attained_alpha": self.attained_alpha,
            "characteristics": [
                {
                    "rate": at.rate,
                    "p_stop": at.p_stop,
                    "e_evaluated": at.e_evaluated,
                    "e_events": at.e_events,
                }
                for at in self.characteristics
            ],
        }


def design(
    family: str,
    p0: float,
    alpha: float,
    n: int,
    *,
    looks: Sequence[int] = (),
    rates: Sequence[float] = (),
    **parameters: float | Sequence[float],
) -> Design:
    """Return the calibrated design of *family*, or the properties of a given ``table``.

    >>> round(design("table", 0.2, 0.3, 3, boundary=[2, 2, 3]).attained_alpha, 3)
    0.04

    Args:
        family: A key of `families.FAMILIES`, or ``table``.
        p0: Acceptable rate, inside (0, 1).
        alpha: Nominal one-sided type I error at p0, inside (0, 1).
        n: Planned maximum, 1 to 1000.
        looks: Evaluable participants at each look, increasing, up to n; empty: after each one.
        rates: Event rates at which to compute what the boundary does, each in [0, 1].
        parameters: Of the family; for ``table``: ``boundary``, the events that stop at each look.

    Raises:
        ValueError: An argument is out of range; the message names it.
    """
    given = {
        name: tuple(value) if isinstance(value, Sequence) else (value,)
        for name, value in parameters.items()
    }
    if family == "table":
        found = _of_table(n, p0, alpha, given, looks)
    else:
        found = calibrate(family, n, p0, alpha, given, looks=looks)
    sizes = tuple(check_looks(looks, n).tolist())
    return Design(
        family=family,
        p0=p0,
        alpha=alpha,
        n=n,
        looks=sizes,
        boundary=tuple(found.boundary[x] for x in sizes),
        attained_alpha=found.attained_alpha,
        characteristics=characteristics(np.array(found.boundary), rates),
    )


def _of_table(
    n: int, p0: float, alpha: float, given: Mapping[str, Sequence[float]], looks: Sequence[int]
) -> Calibrated:
    if given.keys() != {"boundary"}:
        raise ValueError("boundary is what a table needs, and nothing else")
    if not 1 <= n <= LARGEST_N:
        raise ValueError(f"n must be a whole number from 1 to {LARGEST_N}, not {n}")
    for name, value in (("p0", p0), ("alpha", alpha)):
        if not 0 < value < 1:
            raise ValueError(f"{name} must be above 0 and below 1, not {value}")
    sizes = check_looks(looks, n)
    if len(given["boundary"]) != len(sizes) or min(given["boundary"]) < 1:
        raise ValueError(f"boundary must be {len(sizes)} positive numbers, one for each look")
    boundary = np.arange(1, n + 2)
    boundary[sizes] = np.minimum(np.array(given["boundary"], dtype=np.int64), sizes + 1)
    attained = crossing_probability(boundary, p0)
    if attained > alpha + ROUNDING:
        raise ValueError(f"alpha is {alpha}, and the boundary's own type I error is {attained:.5f}")
    return Calibrated(tuple(boundary.tolist()), attained)
