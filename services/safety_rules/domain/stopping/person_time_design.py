"""The design of a stopping rule in person-time: its limits, and its properties at any hazard."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_FLOOR, Context
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from services.safety_rules.domain.stopping.calibrate import ROUNDING
from services.safety_rules.domain.stopping.design import NeverStopsError
from services.safety_rules.domain.stopping.families import DIGITS, Floats, Parameters
from services.safety_rules.domain.stopping.person_time_families import (
    PERSON_TIME_FAMILIES,
    check_person_time_family,
)
from services.safety_rules.domain.stopping.person_time_plan import PersonTimePlan
from services.safety_rules.domain.stopping.person_time_recursion import (
    PersonTimeCharacteristics,
    WatchInterval,
    compute_person_time_characteristics,
    compute_stop_chance,
    follow_states,
    list_intervals,
    list_look_intervals,
)
from services.safety_rules.domain.stopping.root import find_root
from services.vocabulary.protocol import TimeStep
from services.vocabulary.spelled_numbers import spell_numbers

_SIX_DIGITS = Context(prec=6, rounding=ROUND_FLOOR)
_FINEST = 1e-12  # of a constant: two that differ by less give one table
_HIGHEST_CONSTANT = 1e6
_MOST_EVENTS = 2000
TABLE = "poisson-table"


@dataclass(frozen=True, slots=True)
class PersonTimeDesign:
    """A boundary in person-time with its exact properties.

    Args:
        family: Of `person_time_families.PERSON_TIME_FAMILIES`, or ``poisson-table``.
        alpha: Nominal one-sided type I error at the acceptable hazard.
        plan: In the unit of person-time of everything here.
        constant: That the statistic has to reach; None: the limits were given.
        limits: Person-time up to which 1, 2, ... events stop, rising, the last at the end of the
            plan, or the last look at which they do; 0: so few never do.
        attained_alpha: Exact type I error of *limits*.
        characteristics: At each of the given hazard ratios.
    """

    family: str
    alpha: float
    plan: PersonTimePlan
    constant: float | None
    limits: tuple[float, ...]
    attained_alpha: float
    characteristics: tuple[PersonTimeCharacteristics, ...] = ()

    @property
    def intervals(self) -> list[WatchInterval]:
        """The intervals between comparisons, in expected events."""
        return make_intervals(self.limits, self.plan)

    def evaluate_at(self, ratios: Sequence[float]) -> "PersonTimeDesign":
        """Return the same design with its characteristics at *ratios*, in its unit of person-time.

        Raises:
            ValueError: A ratio is negative or not finite.
        """
        states = follow_states(self.intervals)
        at_ratios = (compute_person_time_characteristics(states, ratio) for ratio in ratios)
        return replace(self, characteristics=tuple(map(self._convert, at_ratios)))

    def _convert(self, at: PersonTimeCharacteristics) -> PersonTimeCharacteristics:
        median = None if at.median_stop is None else at.median_stop / self.plan.hazard
        return replace(at, e_time=at.e_time / self.plan.hazard, median_stop=median)

    @property
    def steps(self) -> tuple[TimeStep, ...]:
        """The boundary as it is signed."""
        return list_steps(self.limits)

    @property
    def boundary_text(self) -> str:
        """The boundary in one line, ``1@5.28946 2@69.4429``: events that stop up to a time."""
        return format_time_steps(self.steps)


def make_person_time_design(
    family: str,
    alpha: float,
    plan: PersonTimePlan,
    *,
    ratios: Sequence[float] = (),
    **parameters: float | Sequence[float],
) -> PersonTimeDesign:
    """Return the calibrated design of *family*, or the properties of a given ``poisson-table``.

    The limits are those of the smallest constant whose exact type I error is at most *alpha*, each
    rounded down to six digits: that stops a little less, and never more.

    >>> make_person_time_design("poisson-maxsprt", 0.05, PersonTimePlan(1.0)).boundary_text
    '1@0.0216602 2@0.194662 3@0.50429 4@0.903691 5@1'

    Args:
        family: A key of `person_time_families.PERSON_TIME_FAMILIES`, or ``poisson-table``.
        alpha: Nominal one-sided type I error, inside (0, 1).
        plan: Length, hazard, looks, minimum of events and delayed start.
        ratios: Hazard ratios at which the characteristics are computed, 0 or more.
        parameters: Of the family; the second number of ``prior`` is in the plan's unit. Of
            ``poisson-table``: ``limits``, as in `PersonTimeDesign`.

    Raises:
        ValueError: An argument is out of range; the message names it.
        NeverStopsError: The arguments are in range, and no count would ever stop.
    """
    plan.check(alpha)
    values = {
        name: tuple(map(float, value)) if isinstance(value, Sequence) else (float(value),)
        for name, value in parameters.items()
    }
    if family == TABLE:
        constant, limits = None, _check_table(plan, values)
    else:
        check_person_time_family(family, values)
        if "prior" in values:
            shape, time = values["prior"]
            values["prior"] = shape, time * plan.hazard
        constant, limits = _calibrate(family, alpha, plan, values)
    if not any(limits):
        raise NeverStopsError(
            "no count of events would ever stop: alpha or the plan must be larger"
        )
    states = follow_states(make_intervals(limits, plan))
    attained_alpha = compute_stop_chance(states, 1.0)
    return PersonTimeDesign(family, alpha, plan, constant, limits, attained_alpha).evaluate_at(
        ratios
    )


def make_intervals(limits: Sequence[float], plan: PersonTimePlan) -> list[WatchInterval]:
    """Return the intervals between the comparisons of a rule, in expected events."""
    hazard, planned = plan.hazard, plan.expected_events
    if not plan.looks:
        return list_intervals(
            [end * hazard for end in limits], planned, plan.delayed_start * hazard
        )
    stops = [(look, find_stopping_count(limits, look)) for look in plan.looks]
    compared_looks = [(look * hazard, k) for look, k in stops if k and look >= plan.delayed_start]
    return list_look_intervals(compared_looks, planned)


def list_steps(limits: Sequence[float]) -> tuple[TimeStep, ...]:
    """Return the steps of *limits*, which are 0 where so few events never stop.

    >>> list_steps((0.0, 0.4, 0.4, 1.0))
    (TimeStep(events=2, end=0.4), TimeStep(events=4, end=1.0))
    """
    return tuple(
        TimeStep(k, end)
        for k, (previous, end) in enumerate(pairwise((0.0, *limits)), 1)
        if end > previous
    )


def format_time_steps(steps: Sequence[TimeStep]) -> str:
    """Return the steps in one line.

    >>> format_time_steps([TimeStep(2, 0.4), TimeStep(4, 1.0)])
    '2@0.4 4@1'
    """
    return " ".join(f"{step.events}@{step.end:.6g}" for step in steps)


def find_stopping_count(limits: Sequence[float], time: float) -> int:
    """Return the events that stop at a person-time; 0: no number does.

    >>> find_stopping_count([0.0, 0.4, 1.0], 0.4), find_stopping_count([0.0, 0.4, 1.0], 0.5)
    (2, 3)
    """
    return next((k for k, end in enumerate(limits, 1) if end >= time and end > 0), 0)


def round_down(value: float) -> float:
    """Return *value* with six digits, as a table is written and signed.

    >>> round_down(883.51961459), round_down(0.021327899)
    (883.519, 0.0213278)
    """
    return float(_SIX_DIGITS.create_decimal_from_float(value))


def _calibrate(
    family: str, alpha: float, plan: PersonTimePlan, parameters: Parameters
) -> tuple[float, tuple[float, ...]]:
    """Return the smallest constant that keeps *alpha*, and its limits as they are written."""
    if plan.looks:
        return _calibrate_looks(family, alpha, plan, parameters)

    def make_limits(constant: float) -> list[float]:
        return _find_limits(family, constant, plan, parameters)

    constant = _search_constant(
        lambda constant: (
            compute_stop_chance(follow_states(make_intervals(make_limits(constant), plan)), 1.0)
            - alpha
        ),
        1.0 if PERSON_TIME_FAMILIES[family].is_probability else _HIGHEST_CONSTANT,
    )
    limits = make_limits(constant)
    return constant, tuple(end if end == plan.planned else round_down(end) for end in limits)


def _find_limits(
    family: str, constant: float, plan: PersonTimePlan, parameters: Parameters
) -> list[float]:
    """Return the limits of *constant* up to the end of the plan, in its unit."""
    find_limits = PERSON_TIME_FAMILIES[family].find_limits
    count = int(plan.expected_events) + 16
    while True:
        k = np.arange(1.0, count + 1)
        limits = find_limits(constant, k, plan.expected_events, parameters)
        if limits[-1] >= plan.expected_events or count > _MOST_EVENTS:
            break
        count *= 2
    count = max(int(np.searchsorted(limits, plan.expected_events)) + 1, plan.min_events)
    times = np.minimum(limits[:count] / plan.hazard, plan.planned)
    times[times < 0] = 0.0
    times[: plan.min_events - 1] = 0.0
    kept_times: list[float] = np.where(times < plan.delayed_start, 0.0, times).tolist()
    return kept_times


def _search_constant(excess: Callable[[float], float], highest: float) -> float:
    """Return the smallest constant at which *excess*, which falls, is not above 0."""
    if excess(0.0) <= 0:
        return 0.0
    high = min(1.0, highest * (1 - _FINEST))
    while excess(high) > 0:
        high = min(2 * high, highest)
    constant, step = find_root(excess, 0.0, high, _FINEST), _FINEST
    while excess(constant) > 0:  # it falls by a step where a limit passes the delayed start
        constant, step = constant + step, 2 * step
    return constant


def _calibrate_looks(
    family: str, alpha: float, plan: PersonTimePlan, parameters: Parameters
) -> tuple[float, tuple[float, ...]]:
    """Return `_calibrate` of a rule with looks: of the attainable values of its statistic."""
    looks = np.array([look for look in plan.looks if look >= plan.delayed_start])
    k = np.arange(1.0, _count_likely(plan) + 1)
    statistic = np.round(
        PERSON_TIME_FAMILIES[family].statistic(
            k, looks[:, None] * plan.hazard, plan.expected_events, parameters
        ),
        DIGITS,
    )
    statistic[:, : plan.min_events - 1] = -np.inf
    constants = np.unique(np.append(statistic[np.isfinite(statistic)], np.inf))
    low, high = 0, len(constants) - 1
    while low < high:
        middle = (low + high) // 2
        limits = _list_look_limits(statistic >= constants[middle], looks)
        chance = compute_stop_chance(follow_states(make_intervals(limits, plan)), 1.0)
        low, high = (low, middle) if chance <= alpha + ROUNDING else (middle + 1, high)
    return float(constants[low]), _list_look_limits(statistic >= constants[low], looks)


def _list_look_limits(stops: npt.NDArray[np.bool_], looks: Floats) -> tuple[float, ...]:
    """Return the last look at which each number of events stops; *stops*: shape (looks, events)."""
    last = np.where(stops, looks[:, None], 0.0).max(axis=0, initial=0.0)
    count = int(np.searchsorted(last, looks[-1])) + 1
    return tuple(last[:count].tolist())


def _count_likely(plan: PersonTimePlan) -> int:
    """Return a number of events that a safe plan exceeds with a chance below 1e-16."""
    expected = plan.expected_events
    return int(expected + 10 * expected**0.5 + 25)


def _check_table(plan: PersonTimePlan, parameters: Parameters) -> tuple[float, ...]:
    if parameters.keys() != {"limits"}:
        raise ValueError(f"limits is what a {TABLE} needs, and nothing else")
    limits = tuple(parameters["limits"])
    is_rising = list(limits) == sorted(limits)
    if not limits or not is_rising or not limits[0] >= 0 or not limits[-1] <= plan.planned:
        raise ValueError(
            f"limits must rise, from 0 to at most the end of the plan, {plan.planned:g}, not "
            f"{spell_numbers(limits)}"
        )
    if len(limits) > _MOST_EVENTS:
        raise ValueError(f"limits must be at most {_MOST_EVENTS}, not {len(limits)}")
    if plan.looks and any(end not in (0, *plan.looks) for end in limits):
        raise ValueError(
            f"limits must be among the looks, {spell_numbers(plan.looks)}, not"
            f" {spell_numbers(limits)}"
        )
    first = next((end for end in limits if end), 0)
    if first < plan.delayed_start or any(limits[: plan.min_events - 1]):
        raise ValueError(
            "limits must be 0 for fewer than min_events, and otherwise not before delayed_start"
        )
    return limits
