"""Families of stopping rules in person-time: a statistic of k events and mu expected events.

mu is person-time at the acceptable hazard: it is 1 when one event is expected. Every statistic
rises with k and falls with mu, so a rule is a list of limits: it stops when the k-th event comes at
or before ``limit[k]``. As long as the true hazard is r times the acceptable one, events against mu
are a Poisson process of rate r, whoever the participants at risk are: the limits are all that a
rule has to keep.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
from scipy import special

from services.safety_rules.domain.stopping.families import Floats, Parameters
from services.vocabulary.spelled_numbers import spell_number

LARGEST_PLAN = 1000.0  # expected events
LARGEST_RATIO = 1e6
_HALVINGS = 60  # of an interval, until it is one float


class PersonTimeFamily(NamedTuple):
    """A family: its statistic, and the latest mu at which k events reach a constant.

    *statistic* takes k, mu, the planned expected events and the parameters; *find_limits* the
    constant, k, and the same. *is_probability*: the constant lies inside (0, 1). *needs* has the
    number of values of each parameter.
    """

    statistic: Callable[[Floats, Floats, float, Parameters], Floats]
    find_limits: Callable[[float, Floats, float, Parameters], Floats]
    needs: Mapping[str, int]
    is_probability: bool = False


def check_person_time_family(family: str, parameters: Parameters) -> None:
    """Do nothing when the family exists and its parameters are in range.

    >>> check_person_time_family("poisson-sprt", {"ratio": (0.5,)})
    Traceback (most recent call last):
        ...
    ValueError: ratio must be above 1 and at most 1e+06, not 0.5

    Raises:
        ValueError: The message names the argument and its range.
    """
    if family not in PERSON_TIME_FAMILIES:
        names = ", ".join(PERSON_TIME_FAMILIES)
        raise ValueError(f"family {family!r} is unknown; one of: {names}")
    needs = PERSON_TIME_FAMILIES[family].needs
    for name in needs.keys() - parameters.keys():
        raise ValueError(f"{name} is missing: {family} needs {', '.join(needs)}")
    for name, values in parameters.items():
        if name not in needs:
            raise ValueError(f"{name} is no parameter of {family}")
        if len(values) != needs[name]:
            raise ValueError(f"{name} must be {needs[name]} number(s), not {len(values)}")
        for value in values:
            _check_parameter(name, value)


def _check_parameter(name: str, value: float) -> None:
    match name:
        case "delta" if not 0 <= value <= 1:
            raise ValueError(f"delta must be from 0 to 1, not {spell_number(value)}")
        case "ratio" if not 1 < value <= LARGEST_RATIO:
            raise ValueError(
                f"ratio must be above 1 and at most {LARGEST_RATIO:g}, not {spell_number(value)}"
            )
        case "prior" if not 0 < value <= LARGEST_RATIO:
            raise ValueError(
                f"prior must be above 0 and at most {LARGEST_RATIO:g}, not {spell_number(value)}"
            )


def _pocock(k: Floats, mu: Floats, _planned: float, _parameters: Parameters) -> Floats:
    """Return 1 - P(Poisson(mu) >= k)."""
    return np.asarray(special.gammaincc(k, mu))


def _find_pocock_limits(
    constant: float, k: Floats, _planned: float, _parameters: Parameters
) -> Floats:
    return np.asarray(special.gammaincinv(k, 1 - constant))


def _wang_tsiatis(k: Floats, mu: Floats, planned: float, parameters: Parameters) -> Floats:
    """Return the standardised excess, weighted by the share of the plan that is over.

    Source: Wang, Tsiatis 1987, Biometrics 43:193-199; with the variance mu of a Poisson count
    """
    (delta,) = parameters["delta"]
    return np.asarray((k - mu) / (np.sqrt(mu) * (mu / planned) ** (delta - 0.5)))


def _find_wang_tsiatis_limits(
    constant: float, k: Floats, planned: float, parameters: Parameters
) -> Floats:
    """Return the roots of mu + slope mu^delta = k, whose left side rises; 0: none is positive."""
    (delta,) = parameters["delta"]
    slope = constant * planned ** (0.5 - delta)
    low, high = np.zeros_like(k), k.copy()
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        is_below = middle + slope * middle**delta <= k
        low, high = np.where(is_below, middle, low), np.where(is_below, high, middle)
    return low


def _obrien_fleming(k: Floats, mu: Floats, planned: float, _parameters: Parameters) -> Floats:
    return np.asarray((k - mu) / np.sqrt(planned))


def _find_obrien_fleming_limits(
    constant: float, k: Floats, planned: float, _parameters: Parameters
) -> Floats:
    return np.asarray(k - constant * np.sqrt(planned))


def _gamma_poisson(k: Floats, mu: Floats, _planned: float, parameters: Parameters) -> Floats:
    """Return P(r > 1 given k events), with the prior Gamma(shape, rate) of the hazard ratio r."""
    shape, rate = parameters["prior"]
    return np.asarray(special.gammaincc(shape + k, rate + mu))


def _find_gamma_poisson_limits(
    constant: float, k: Floats, _planned: float, parameters: Parameters
) -> Floats:
    shape, rate = parameters["prior"]
    return np.asarray(special.gammaincinv(shape + k, 1 - constant) - rate)


def _sprt(k: Floats, mu: Floats, _planned: float, parameters: Parameters) -> Floats:
    """Return the log likelihood ratio of the given hazard ratio to 1; the upper boundary alone.

    Source: Wald 1945, Annals of Mathematical Statistics 16:117-186
    """
    (ratio,) = parameters["ratio"]
    return np.asarray(k * np.log(ratio) - (ratio - 1) * mu)


def _find_sprt_limits(
    constant: float, k: Floats, _planned: float, parameters: Parameters
) -> Floats:
    (ratio,) = parameters["ratio"]
    return np.asarray((k * np.log(ratio) - constant) / (ratio - 1))


def _maxsprt(k: Floats, mu: Floats, _planned: float, _parameters: Parameters) -> Floats:
    """Return the log likelihood ratio of the observed hazard ratio, where that is above 1, to 1.

    Source: Kulldorff et al. 2011, Sequential Analysis 30:58-78
    """
    return np.where(k > mu, k * np.log(k / mu) - k + mu, 0.0)


def _find_maxsprt_limits(
    constant: float, k: Floats, _planned: float, _parameters: Parameters
) -> Floats:
    branch = special.lambertw(-np.exp(-1 - constant / k)).real  # not a number where it begins, at 0
    return np.where(np.isnan(branch), k, -k * branch)


PERSON_TIME_FAMILIES: Mapping[str, PersonTimeFamily] = {
    "poisson-pocock": PersonTimeFamily(_pocock, _find_pocock_limits, {}, is_probability=True),
    "poisson-obrien-fleming": PersonTimeFamily(_obrien_fleming, _find_obrien_fleming_limits, {}),
    "poisson-wang-tsiatis": PersonTimeFamily(
        _wang_tsiatis, _find_wang_tsiatis_limits, {"delta": 1}
    ),
    "gamma-poisson": PersonTimeFamily(
        _gamma_poisson, _find_gamma_poisson_limits, {"prior": 2}, is_probability=True
    ),
    "poisson-sprt": PersonTimeFamily(_sprt, _find_sprt_limits, {"ratio": 1}),
    "poisson-maxsprt": PersonTimeFamily(_maxsprt, _find_maxsprt_limits, {}),
}
