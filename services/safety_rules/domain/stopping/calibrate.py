"""The boundary whose exact type I error is the largest that does not exceed alpha."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from services.safety_rules.domain.stopping.characteristics import compute_crossing_probability
from services.safety_rules.domain.stopping.families import (
    DIGITS,
    Floats,
    Ints,
    Parameters,
    compute_statistics,
)
from services.vocabulary.spelled_numbers import spell_number, spell_numbers

ROUNDING = 1e-13  # of summing probabilities: one event of one at p0 = alpha may stop


@dataclass(frozen=True, slots=True)
class CalibratedBoundary:
    """A boundary and its type I error at p0.

    *boundary* is for x = 0 .. n evaluable: stop at that many events or more; x + 1 where the rule
    cannot stop yet or does not look. *constant* is the greatest statistic that does not stop, as
    critical values are published; None where the family is not calibrated, or each count stops.
    """

    boundary: tuple[int, ...]
    attained_alpha: float
    constant: float | None = None


def calibrate_boundary(
    family: str,
    n: int,
    p0: float,
    alpha: float,
    parameters: Parameters,
    *,
    looks: Sequence[int] = (),
) -> CalibratedBoundary:
    """Return the boundary with the smallest constant whose exact type I error is at most *alpha*.

    The type I error is a step function of the constant, and changes only at the attainable values
    of the statistic: those are searched, and alpha is never exceeded. The family ``posterior`` is
    compared with its own ``theta`` instead, whatever *alpha* is.

    >>> calibrate_boundary("beta-binomial", 6, 0.2, 0.1, {"prior": (0.6, 2.4)}).boundary
    (1, 2, 2, 3, 3, 3, 4)

    Args:
        family: A key of `families.FAMILIES`.
        n: Planned maximum, 1 to 1000.
        p0: Acceptable rate, inside (0, 1).
        alpha: One-sided type I error at p0, inside (0, 1).
        parameters: Of the family, by name.
        looks: Evaluable participants at each look, increasing, up to n; empty: after each one.

    Raises:
        ValueError: An argument is out of range; the message names it.
    """
    numbers = tuple((name, tuple(values)) for name, values in parameters.items())
    return _calibrate(family, n, p0, alpha, numbers=numbers, looks=tuple(looks))


@lru_cache(maxsize=64, typed=True)  # of a study, each rule's is compared with its file, and used
def _calibrate(
    family: str,
    n: int,
    p0: float,
    alpha: float,
    *,
    numbers: tuple[tuple[str, tuple[float, ...]], ...],
    looks: tuple[int, ...],
) -> CalibratedBoundary:
    parameters = dict(numbers)
    statistic = compute_statistics(family, n, p0, parameters)
    rows = check_looks(looks, n)
    if family == "posterior":
        (theta,), strictly = parameters["theta"], parameters.get("strictly", (0,))[0]
        threshold = np.nextafter(theta, 1) if strictly else round(theta, DIGITS)
        boundary = _make_table(statistic, threshold, rows)
        return CalibratedBoundary(
            tuple(boundary.tolist()), compute_crossing_probability(boundary, p0)
        )
    if not 0 < alpha < 1:
        raise ValueError(f"alpha must be above 0 and below 1, not {spell_number(alpha)}")
    constant, boundary = _search_boundary(statistic, rows, p0, alpha)
    attained_alpha = min(
        compute_crossing_probability(boundary, p0), alpha
    )  # above it by rounding alone
    return CalibratedBoundary(tuple(boundary.tolist()), attained_alpha, constant)


def check_looks(looks: Sequence[int], n: int) -> Ints:
    """Return *looks* as an array, or 1 .. *n* when there are none.

    Raises:
        ValueError: They are not whole, increasing and from 1 to n.
    """
    if not looks:
        return np.arange(1, n + 1)
    are_whole = all(int(look) == look for look in looks)
    if not are_whole or list(looks) != sorted(set(looks)) or looks[0] < 1 or looks[-1] > n:
        raise ValueError(
            f"looks must be whole, increasing and from 1 to n = {n}, not {spell_numbers(looks)}"
        )
    return np.array(looks, dtype=np.int64)


def _search_boundary(
    statistic: Floats, rows: Ints, p0: float, alpha: float
) -> tuple[float | None, Ints]:
    """Return the greatest statistic that does not stop, and the boundary above it."""
    attainable = statistic[rows]
    attainable = attainable[attainable > -np.inf]  # there no stop is allowed, whatever alpha is
    # At infinity it never stops. A set, as `np.unique` loads the masked arrays, which takes longer.
    values = sorted({*attainable.tolist(), math.inf})
    low, high = 0, len(values) - 1
    while low < high:
        middle = (low + high) // 2
        attained_alpha = compute_crossing_probability(
            _make_table(statistic, values[middle], rows), p0
        )
        if attained_alpha <= alpha + ROUNDING:
            high = middle
        else:
            low = middle + 1
    return values[low - 1] if low else None, _make_table(statistic, values[low], rows)


def _make_table(statistic: Floats, constant: float, rows: Ints) -> Ints:
    """Return the first y at or above *constant* for each x; x + 1 off the looks."""
    boundary = np.arange(1, len(statistic) + 1)
    first = (statistic[rows] < constant).sum(axis=1)
    boundary[rows] = np.maximum(first, 1)
    return boundary
