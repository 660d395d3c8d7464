"""The families of stopping rules: a statistic for x evaluable and y events, increasing in y.

Notation: n planned maximum, p0 acceptable rate, q = 1 - p. Every family stops when its statistic
reaches a constant; `calibrate_boundary` finds the constant, and only the boundary table is kept.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import special

from services.vocabulary.spelled_numbers import spell_number

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Parameters = Mapping[str, Sequence[float]]

LARGEST_N = 1000
SMALLEST_PRIOR, LARGEST_PRIOR = (
    1e-6,
    1e6,
)  # participants that either number of a beta prior is worth
DIGITS = 10  # a statistic is rounded to this many digits, so that ties stay ties


class RuleFamily(NamedTuple):
    """The statistic of a family, and the number of values of each of its parameters."""

    statistic: Callable[[Floats, Floats, int, float, Parameters], Floats]
    needs: Mapping[str, int]
    may_have: Mapping[str, int]


def compute_statistics(family: str, n: int, p0: float, parameters: Parameters) -> Floats:
    """Return the statistic at every ``[x, y]``, shape (n + 1, n + 1).

    It is rounded to 1e-10; infinite where y > x, and minus infinite where no stop is allowed.

    Args:
        family: A key of `FAMILIES`.
        n: Planned maximum, 1 to 1000.
        p0: Acceptable rate, inside (0, 1).
        parameters: Those of the family, by name.

    Raises:
        ValueError: An argument is out of range; the message names it.
    """
    check_family(family, n, p0, parameters)
    x, y = np.tril_indices(n + 1)
    every = np.full((n + 1, n + 1), np.inf)
    with np.errstate(divide="ignore", invalid="ignore"):  # x = 0 is overwritten below
        values = FAMILIES[family].statistic(x.astype(float), y.astype(float), n, p0, parameters)
    if np.isnan(values[1:]).any():  # a NaN compares as not below any constant: it would stop
        parameter_names = ", ".join(parameters) or "p0"
        raise ValueError(f"{parameter_names} must be of a size that can be computed with")
    every[x, y] = np.round(values, DIGITS)
    every[0, 0] = -np.inf
    return every


def check_family(family: str, n: int, p0: float, parameters: Parameters) -> None:
    """Do nothing when the family exists and all its arguments are in range.

    Raises:
        ValueError: The message names the argument and its range.
    """
    if family not in FAMILIES:
        raise ValueError(f"family {family!r} is unknown; one of: {', '.join(FAMILIES)}")
    check_plan_size(n)
    _check_range("p0", p0, 0, 1)
    _, needs, may_have = FAMILIES[family]
    for name in needs.keys() - parameters.keys():
        raise ValueError(f"{name} is missing: {family} needs {', '.join(needs)}")
    for name in parameters.keys() - needs.keys() - may_have.keys():
        raise ValueError(f"{name} is no parameter of {family}")
    for name, values in parameters.items():
        length = needs.get(name) or may_have[name]
        if len(values) != length:
            raise ValueError(f"{name} must be {length} number(s), not {len(values)}")
        _check_parameter(name, values, p0)


def check_plan_size(n: int) -> None:
    """Do nothing when *n* can be a planned maximum.

    Raises:
        ValueError: It is no whole number from 1 to `LARGEST_N`.
    """
    if isinstance(n, bool) or int(n) != n or not 1 <= n <= LARGEST_N:
        raise ValueError(f"n must be a whole number from 1 to {LARGEST_N}, not {n}")


def describe_prior_fault(number: float) -> str:
    """Return the range of a number of a beta prior, and *number*; empty: it lies in it.

    >>> describe_prior_fault(2e6)
    'above 0 and at most 1e+06, not 2000000: divide both numbers of the prior by as much'
    """
    if 0 < number <= LARGEST_PRIOR:
        return ""
    is_too_large = LARGEST_PRIOR < number < np.inf
    remedy = ": divide both numbers of the prior by as much" if is_too_large else ""
    return f"above 0 and at most {LARGEST_PRIOR:g}, not {spell_number(number)}{remedy}"


def _check_parameter(name: str, values: Sequence[float], p0: float) -> None:
    for value in values:
        match name:
            case "p1":
                _check_range("p1", value, p0, 1)
            case "prior":
                if fault := describe_prior_fault(value):
                    raise ValueError(f"prior must be {fault}")
            case "strictly":
                if value not in (0, 1):
                    raise ValueError(f"strictly must be 0 (>=) or 1 (>), not {spell_number(value)}")
            case "delta":
                if not 0 <= value <= 1:
                    raise ValueError(f"delta must be from 0 to 1, not {spell_number(value)}")
            case _:
                _check_range(name, value, 0, 1)


def _check_range(name: str, value: float, low: float, high: float) -> None:
    if not low < value < high:
        raise ValueError(
            f"{name} must be above {low:g} and below {high:g}, not {spell_number(value)}"
        )


def _pocock(x: Floats, y: Floats, _n: int, p0: float, _parameters: Parameters) -> Floats:
    """Return 1 - P(Bin(x, p0) >= y).

    Source: Ivanova, Qaqish, Schell 2005, Biometrics 61:540-545
    """
    p_fewer: Floats = special.bdtr(np.maximum(y - 1, 0), x.astype(np.int64), p0)
    return np.where(y == 0, 0.0, p_fewer)


def _obrien_fleming(x: Floats, y: Floats, n: int, p0: float, _parameters: Parameters) -> Floats:
    return (y - x * p0) / math.sqrt(n * p0 * (1 - p0))


def _wang_tsiatis(x: Floats, y: Floats, n: int, p0: float, parameters: Parameters) -> Floats:
    (delta,) = parameters["delta"]
    return (y - x * p0) / ((x / n) ** (delta - 0.5) * np.sqrt(x * p0 * (1 - p0)))


def _compute_posterior_above(limit: float, x: Floats, y: Floats, prior: Sequence[float]) -> Floats:
    """Return P(p > limit) given y events among x, with a Beta prior."""
    a, b = prior
    return np.asarray(special.betainc(b + x - y, a + y, 1 - limit), dtype=np.float64)


def _beta_binomial(x: Floats, y: Floats, _n: int, p0: float, parameters: Parameters) -> Floats:
    """Return P(p > p0 given the data).

    Source: Geller, Follmann, Leifer, Carter 2003, Advances in Clinical Trial Biostatistics, 69-88
    """
    return _compute_posterior_above(p0, x, y, parameters["prior"])


def _chen_chaloner(x: Floats, y: Floats, _n: int, p0: float, parameters: Parameters) -> Floats:
    """Return `_beta_binomial` where P(p > p1) is strictly above nu.

    Source: Chen, Chaloner 2006, Statistics in Medicine 25:2956-2966
    """
    (p1,), (nu,) = parameters["p1"], parameters["nu"]
    is_allowed = np.round(_compute_posterior_above(p1, x, y, parameters["prior"]), DIGITS) > nu
    return np.where(is_allowed, _compute_posterior_above(p0, x, y, parameters["prior"]), -np.inf)


def _sprt(x: Floats, y: Floats, _n: int, p0: float, parameters: Parameters) -> Floats:
    """Return the log likelihood ratio of p1 to p0; the upper boundary alone.

    Source: Wald 1945, Annals of Mathematical Statistics 16:117-186
    """
    (p1,) = parameters["p1"]
    return y * math.log(p1 / p0) + (x - y) * math.log((1 - p1) / (1 - p0))


def _maxsprt(x: Floats, y: Floats, _n: int, p0: float, _parameters: Parameters) -> Floats:
    """Return the log likelihood ratio of the observed rate, where that is above p0, to p0.

    Source: Kulldorff et al. 2011, Sequential Analysis 30:58-78
    """
    ratio = special.xlogy(y, y / (x * p0)) + special.xlogy(x - y, (x - y) / (x * (1 - p0)))
    return np.where(y > x * p0, ratio, 0.0)


def _posterior(x: Floats, y: Floats, _n: int, p0: float, parameters: Parameters) -> Floats:
    """Return P(p > limit given the data), compared with theta as it is: nothing is calibrated.

    Source: Thall, Simon 1994, Biometrics 50:337-349
    """
    return _compute_posterior_above(parameters.get("limit", (p0,))[0], x, y, parameters["prior"])


FAMILIES: Mapping[str, RuleFamily] = {
    "pocock": RuleFamily(_pocock, {}, {}),
    "obrien-fleming": RuleFamily(_obrien_fleming, {}, {}),
    "wang-tsiatis": RuleFamily(_wang_tsiatis, {"delta": 1}, {}),
    "beta-binomial": RuleFamily(_beta_binomial, {"prior": 2}, {}),
    "chen-chaloner": RuleFamily(_chen_chaloner, {"prior": 2, "p1": 1, "nu": 1}, {}),
    "sprt": RuleFamily(_sprt, {"p1": 1}, {}),
    "maxsprt": RuleFamily(_maxsprt, {}, {}),
    "posterior": RuleFamily(_posterior, {"prior": 2, "theta": 1}, {"limit": 1, "strictly": 1}),
}
