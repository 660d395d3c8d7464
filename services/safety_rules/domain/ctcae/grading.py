"""The grade of one reading under one criterion: exact, or tight whatever is missing."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from services.safety_rules.domain.ctcae.compiled import CompiledCriterion, MeasureGrading
from services.safety_rules.domain.ctcae.corrected_calcium import correct_calcium_range
from services.safety_rules.domain.ctcae.criterion import Comparison, Condition
from services.safety_rules.domain.ctcae.exact import grade_exactly, prepare_thresholds
from services.safety_rules.domain.ctcae.grading_inputs import GradingInputs
from services.safety_rules.domain.ctcae.intervals import bound_grade
from services.safety_rules.domain.ctcae.ranges import Range, RangeEnd, find_range
from services.safety_rules.domain.ctcae.units import convert_to_published_unit, rescale_quantity
from services.vocabulary.grade import Grade, GradingOutcome, Incomplete, Input, Symptoms
from services.vocabulary.quantity import Quantity


class Treatment(StrEnum):
    """The treatment that was started against a high glucose."""

    NONE = "none"
    ORAL_AGENT = "oral agent"
    INSULIN = "insulin"
    URGENT = "urgent"


HeldDurations = Mapping[Comparison, timedelta]


@dataclass(frozen=True, slots=True)
class Reading:
    """The inputs of one grade; None: not known.

    Args:
        measure: One of the criterion's.
        value: As reported; None when the result is no number (``HEMOLYZED``).
        lln: Lower limit of normal, as reported.
        uln: Upper limit of normal, as reported.
        albumin: Of about the same time, for total calcium.
        fasting: True if the participant was.
        symptoms: The signs or symptoms that it causes, by severity.
        treatment: Started against it.
        is_replaced: True if the substance that is too low was given; False: nothing is known.
        at_rest: True if the participant was.
        is_anticoagulated: True if the participant was on anticoagulation.
        infarction: True if it is at the level of infarction, as the manufacturer defines it.
        held_durations: For each of `MeasureGrading.lasting_comparisons` the time that it has held;
            or the time that the value is unchanged. None: it is the only reading.
        companions: Other measures about that time, for `MeasureGrading.companions`.
    """

    measure: str
    value: Quantity | None
    lln: Quantity | None = None
    uln: Quantity | None = None
    albumin: Quantity | None = None
    fasting: bool | None = None
    symptoms: Symptoms | None = None
    treatment: Treatment | None = None
    is_replaced: bool = False
    at_rest: bool | None = None
    is_anticoagulated: bool | None = None
    infarction: bool | None = None
    held_durations: HeldDurations | timedelta | None = None
    companions: Mapping[str, Quantity] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class NoBaseline:
    """The reading is the baseline or earlier: it is compared with limits of normal only."""


@dataclass(frozen=True, slots=True)
class BaselineUnknown:
    """There was an exposure, and no value before it is known."""


@dataclass(frozen=True, slots=True)
class BaselineKnown:
    """The last final value before exposure."""

    quantity: Quantity


Baseline = NoBaseline | BaselineUnknown | BaselineKnown


def grade_reading(
    criterion: CompiledCriterion, reading: Reading, baseline: Baseline
) -> GradingOutcome:
    """Return the grade of *reading*, or the tightest interval in which it must lie.

    An impossible input counts as missing: an implausible value or baseline, a limit that is
    negative, an upper limit of zero, limits that are reversed.

    Returns:
        ``ExactGrade`` when every completion of the unknown inputs gives one grade. ``Incomplete``
        otherwise: some completion reaches each of its ends, and none lies outside.

    Raises:
        KeyError: *criterion* is not graded from this measure.
    """
    grading = criterion.gradings[reading.measure]
    if reading.value is None:
        return Incomplete(Grade.NONE, criterion.worst, frozenset({Input.VALUE}))
    value = convert_to_published_unit(reading.value, grading.units, grading.ion)
    if value is None:
        return Incomplete(Grade.NONE, criterion.worst, frozenset({Input.UNIT}))
    inputs = collect_inputs(grading, reading, baseline, value)
    if inputs.value is not None:
        thresholds = prepare_thresholds(grading, inputs)
        exact = None if thresholds is None else grade_exactly(thresholds, inputs.value)
        if exact is not None:
            return exact
    return bound_grade(grading, inputs)


def collect_inputs(
    grading: MeasureGrading, reading: Reading, baseline: Baseline, value: Quantity
) -> GradingInputs:
    """Return the known inputs of *reading*, without impossible ones.

    Args:
        grading: Of the measure under the criterion.
        reading: As reported.
        baseline: As for `grade_reading`.
        value: Of the reading, in the unit in which it is graded.
    """
    plausible = grading.find_plausible_range(value.unit)
    baseline_quantity = baseline.quantity if isinstance(baseline, BaselineKnown) else None
    quantities = {Input.LLN: reading.lln, Input.ULN: reading.uln, Input.BASELINE: baseline_quantity}
    limits, misfits = {}, set()
    for name, quantity in quantities.items():
        if quantity is None:
            continue
        limit = _convert_unit(quantity, value.unit, grading)
        if limit is None:
            misfits.add(name)
        elif _is_possible(name, limit, plausible):
            limits[name] = limit
    if _are_reversed(limits):
        del limits[Input.LLN], limits[Input.ULN]
    if value.censoring is None and not plausible.contains(value.value):
        # below a limit that is as impossible it would be normal
        limits = {n: one for n, one in limits.items() if RangeEnd(one.value) <= plausible.high}
    value_range = find_range(value, plausible)
    imprecise_input = Input.VALUE
    if reading.measure == "calcium":
        corrected_range = correct_calcium_range(value_range, value.unit, reading.albumin)
        if corrected_range is not None:
            if value_range.low == value_range.high:
                imprecise_input = Input.ALBUMIN
            value_range = corrected_range
    return GradingInputs(
        unit=value.unit,
        value_range=value_range,
        value=value_range.low.number if value_range.low == value_range.high else None,
        imprecise_input=imprecise_input,
        limits=limits,
        misfits=frozenset(misfits),
        compares_with_baseline=not isinstance(baseline, NoBaseline),
        conditions=_evaluate_conditions(reading),
        is_anticoagulated=reading.is_anticoagulated,
        held_durations=reading.held_durations,
        companions=reading.companions,
    )


def _convert_unit(quantity: Quantity, unit: str, grading: MeasureGrading) -> Quantity | None:
    if not unit:
        return quantity if not quantity.unit else None
    return rescale_quantity(quantity, unit, grading.ion)


def _is_possible(name: Input, quantity: Quantity, plausible: Range) -> bool:
    if name is Input.BASELINE and quantity.censoring is None:
        return plausible.contains(quantity.value)
    return quantity.value > 0 or (name is Input.LLN and quantity.value == 0)


def _are_reversed(limits: dict[Input, Quantity]) -> bool:
    lln, uln = limits.get(Input.LLN), limits.get(Input.ULN)
    return lln is not None and uln is not None and lln.value >= uln.value


def _evaluate_conditions(reading: Reading) -> dict[Condition, bool]:
    symptoms = reading.symptoms
    is_symptomatic = None if symptoms is None else symptoms is not Symptoms.NONE
    conditions: dict[Condition, bool | None] = {
        Condition.SYMPTOMATIC: is_symptomatic,
        Condition.MODERATELY_SYMPTOMATIC: None if symptoms is None else symptoms.at_least_moderate,
        Condition.SYMPTOMATIC_OR_REPLACED: reading.is_replaced or is_symptomatic,
        Condition.FASTING: True if reading.measure.endswith("-fasting") else reading.fasting,
        Condition.AT_REST: reading.at_rest,
        Condition.INFARCTION: reading.infarction,
    }
    known_conditions = {name: holds for name, holds in conditions.items() if holds is not None}
    if reading.treatment is not None:
        known_conditions[Condition.ORAL_AGENT] = reading.treatment is Treatment.ORAL_AGENT
        known_conditions[Condition.INSULIN] = reading.treatment is Treatment.INSULIN
        known_conditions[Condition.EMERGENCY] = reading.treatment is Treatment.URGENT
    return known_conditions
