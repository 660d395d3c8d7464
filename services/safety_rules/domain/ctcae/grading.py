"""The grade of one reading under one criterion: exact, or tight whatever is missing."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum

from services.safety_rules.domain.ctcae.compiled import CompiledCriterion, MeasureGrading
from services.safety_rules.domain.ctcae.corrected_calcium import correct_calcium_range
from services.safety_rules.domain.ctcae.criterion import Comparison, Condition, Direction
from services.safety_rules.domain.ctcae.exact import grade_exactly, prepare_thresholds
from services.safety_rules.domain.ctcae.grading_inputs import (
    OWN_LIMIT,
    BaselineReport,
    GradingInputs,
)
from services.safety_rules.domain.ctcae.intervals import bound_grade
from services.safety_rules.domain.ctcae.ranges import Range, RangeEnd, find_range
from services.safety_rules.domain.ctcae.reported_limits import (
    ReportedLimits,
    check_limits,
    convert_to_unit_of_value,
    is_plausible_in_other_unit,
    is_unit_doubtful,
)
from services.safety_rules.domain.ctcae.units import convert_to_published_unit
from services.vocabulary.grade import Grade, GradingOutcome, Incomplete, Input, Symptoms
from services.vocabulary.quantity import Quantity


class Treatment(StrEnum):
    """The treatment that was started against a high glucose."""

    NONE = "none"
    ORAL_AGENT = "oral agent"
    INSULIN = "insulin"
    URGENT = "urgent"


# Of each comparison; or of the value, when it is unchanged.
HeldDurations = Mapping[Comparison, timedelta] | timedelta


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
        is_peripheral: True if a temperature was taken at the skin.
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
    is_peripheral: bool = False
    is_anticoagulated: bool | None = None
    infarction: bool | None = None
    held_durations: HeldDurations | None = None
    companions: Mapping[str, Quantity] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class NoBaseline:
    """The reading is the baseline or earlier: it is compared with limits of normal only."""


@dataclass(frozen=True, slots=True)
class BaselineUnknown:
    """There was an exposure, and no value before it is known."""


@dataclass(frozen=True, slots=True)
class OwnLimits:
    """The limits of normal that a baseline was reported with; None: not reported."""

    lln: Quantity | None
    uln: Quantity | None


@dataclass(frozen=True, slots=True)
class BaselineKnown:
    """The last final value before exposure.

    It is normal or abnormal by *own_limits*. None: by those of the reading, which are its own.
    """

    quantity: Quantity
    own_limits: OwnLimits | None = None


Baseline = NoBaseline | BaselineUnknown | BaselineKnown


def grade_reading(
    criterion: CompiledCriterion, reading: Reading, baseline: Baseline
) -> GradingOutcome:
    """Return the grade of *reading*, or the tightest interval in which it must lie.

    An impossible input counts as missing: an implausible value, baseline or limit, an upper limit
    of zero, limits that are reversed, a unit that the limits contradict.

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
    reported = check_limits(grading, value.unit, reading.lln, reading.uln)
    if is_unit_doubtful(grading, value, reported):
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
    reported = check_limits(grading, value.unit, reading.lln, reading.uln)
    limits, misfits = dict(reported.possible), set(reported.misfits)
    report = None
    if isinstance(baseline, BaselineKnown):
        report = report_baseline(grading, baseline, reading)
        quantities, baseline_misfits = _convert_baseline(grading, baseline, value.unit)
        limits |= quantities if report is not None else {}
        misfits |= baseline_misfits
    value_range = _find_value_range(grading, value, reported)
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
        baseline_report=report,
        has_own_limits=report is not None
        and isinstance(baseline, BaselineKnown)
        and baseline.own_limits is not None,
    )


def report_baseline(
    grading: MeasureGrading, baseline: BaselineKnown, reading: Reading
) -> BaselineReport | None:
    """Return *baseline* beside its limits; None when it cannot be, or its unit is in doubt."""
    quantity = convert_to_published_unit(baseline.quantity, grading.units, grading.ion)
    if quantity is None:
        return None
    plausible = grading.find_plausible_range(quantity.unit)
    if quantity.censoring is None and not plausible.contains(quantity.value):
        return None
    own_limits = baseline.own_limits or OwnLimits(reading.lln, reading.uln)
    reported = check_limits(grading, quantity.unit, own_limits.lln, own_limits.uln)
    if baseline.own_limits is not None and is_unit_doubtful(grading, quantity, reported):
        return None
    exact_limits = {n: one.value for n, one in reported.possible.items() if one.censoring is None}
    return BaselineReport(find_range(quantity, plausible), exact_limits)


def _convert_baseline(
    grading: MeasureGrading, baseline: BaselineKnown, unit: str
) -> tuple[dict[Input, Quantity], set[Input]]:
    """Return the baseline with its own limits in *unit*, and those that do not fit."""
    quantities, misfits = {}, set()
    quantity = convert_to_unit_of_value(baseline.quantity, unit, grading)
    if quantity is None:
        misfits.add(Input.BASELINE)
    else:
        quantities[Input.BASELINE] = quantity
    if baseline.own_limits is not None:
        own_limits = baseline.own_limits
        reported = check_limits(grading, unit, own_limits.lln, own_limits.uln)
        quantities |= {OWN_LIMIT[name]: limit for name, limit in reported.possible.items()}
        misfits |= {OWN_LIMIT[name] for name in reported.misfits}
    return quantities, misfits


def _find_value_range(grading: MeasureGrading, value: Quantity, reported: ReportedLimits) -> Range:
    """Return the range of the true value: any plausible one for a value that cannot be.

    Unless its unit is in doubt, such a value does not speak for the term of the other direction.

    Source: docs/decisions/grading.md, "a value beyond the plausible ones"
    """
    plausible = grading.find_plausible_range(value.unit)
    value_range = find_range(value, plausible)
    end = RangeEnd(value.value)
    is_nonsense = value.value < 0 and plausible.low >= RangeEnd(Decimal(0))
    if value.censoring is not None or plausible.contains(value.value) or is_nonsense:
        return value_range
    if reported.has_impossible or is_plausible_in_other_unit(grading, value):
        return value_range
    if grading.direction is Direction.LOW and end > plausible.high:
        return Range(plausible.high, plausible.high)
    if grading.direction is Direction.HIGH and end < plausible.low:
        return Range(plausible.low, plausible.low)
    return value_range


def _evaluate_conditions(reading: Reading) -> dict[Condition, bool]:
    symptoms = reading.symptoms
    is_symptomatic = None if symptoms is None else symptoms is not Symptoms.NONE
    conditions: dict[Condition, bool | None] = {
        Condition.SYMPTOMATIC: is_symptomatic,
        Condition.MODERATELY_SYMPTOMATIC: None if symptoms is None else symptoms.at_least_moderate,
        Condition.SYMPTOMATIC_OR_REPLACED: reading.is_replaced or is_symptomatic,
        Condition.FASTING: True if reading.measure.endswith("-fasting") else reading.fasting,
        Condition.AT_REST: reading.at_rest,
        Condition.NOT_PERIPHERAL: None if reading.is_peripheral else True,
        Condition.INFARCTION: reading.infarction,
    }
    known_conditions = {name: holds for name, holds in conditions.items() if holds is not None}
    if reading.treatment is not None:
        known_conditions[Condition.ORAL_AGENT] = reading.treatment is Treatment.ORAL_AGENT
        known_conditions[Condition.INSULIN] = reading.treatment is Treatment.INSULIN
        known_conditions[Condition.EMERGENCY] = reading.treatment is Treatment.URGENT
    return known_conditions
