"""Many values of one test of one participant: each interval of values is graded once.

When nothing but the value differs, the outcome changes only where a comparison turns: all values
between two such numbers have the same outcome.
"""

from bisect import bisect_left
from dataclasses import dataclass, field, replace
from decimal import Decimal

from msgspec import structs

from services.safety_rules.domain.ctcae.compiled import CompiledCriterion, MeasureGrading
from services.safety_rules.domain.ctcae.corrected_calcium import correct_calcium_range
from services.safety_rules.domain.ctcae.criterion import Direction
from services.safety_rules.domain.ctcae.exact import (
    PreparedThreshold,
    grade_exactly,
    prepare_thresholds,
)
from services.safety_rules.domain.ctcae.grading import (
    Baseline,
    Reading,
    collect_inputs,
    grade_reading,
)
from services.safety_rules.domain.ctcae.grading_inputs import GradingInputs
from services.safety_rules.domain.ctcae.intervals import find_turning_points
from services.safety_rules.domain.ctcae.outside_normal import describe_outside_normal, describe_side
from services.safety_rules.domain.ctcae.ranges import Range, RangeEnd
from services.safety_rules.domain.ctcae.reported_limits import check_limits
from services.safety_rules.domain.ctcae.units import (
    convert_to_published_unit,
    is_scaled_exactly,
)
from services.vocabulary.grade import Grade, GradingOutcome
from services.vocabulary.quantity import Censoring, Quantity

_UNIT_VALUE, _ZERO = Decimal(1), RangeEnd(Decimal(0))


@dataclass(frozen=True, slots=True)
class _ExactGrading:
    """Numbers that plausible values are compared with once *correction* is added; all are known.

    *limit* is the one of normal on the criterion's side, None when it is not known.
    """

    thresholds: tuple[PreparedThreshold, ...]
    correction: Decimal
    plausible: Range
    direction: Direction
    limit: Decimal | None

    def grade_number(self, value: Decimal) -> GradingOutcome | None:
        """Return the grade of a value in the published unit, None when it is not plausible."""
        return (
            grade_exactly(self.thresholds, value + self.correction)
            if self.plausible.contains(value)
            else None
        )

    def describe_outside(self, value: Decimal) -> str:
        """Return the side of normal of a value of grade 0, in the published unit; empty: within."""
        if not self.plausible.contains(value):
            return ""
        return describe_side(self.direction, self.limit, value + self.correction)


@dataclass(frozen=True, slots=True)
class PreparedGrading:
    """The grading of one measure when nothing but the value differs.

    *turning_points* are the numbers, in *unit* and in order, at which something changes; None when
    there are no such numbers, and every value is graded by itself. *factor* makes a value one in
    the published unit; *exact_grading* is None when something is missing.
    """

    criterion: CompiledCriterion
    reading: Reading
    baseline: Baseline
    unit: str
    factor: Decimal
    exact_grading: _ExactGrading | None
    turning_points: tuple[Decimal, ...] | None
    outcomes: dict[int, GradingOutcome] = field(default_factory=dict)

    def find_interval(self, value: Decimal) -> int | None:
        """Return the index of the interval between turning points; its values share an outcome."""
        turns = self.turning_points
        if turns is None:
            return None
        index = bisect_left(turns, value)
        return index * 2 + (index < len(turns) and turns[index] == value)

    def grade_value(self, value: Quantity | None) -> GradingOutcome:
        """Return the outcome of `grade_reading` for *value*."""
        if value is None or not self._is_exact(value):
            return self._grade_anew(value)
        turns, number = self.turning_points, value.value
        if turns is None:
            return self._grade_anew(value)
        index = bisect_left(turns, number)
        # as `find_interval`, without a call
        interval = index * 2 + (index < len(turns) and turns[index] == number)
        outcome = self.outcomes.get(interval)
        if outcome is None:
            if self.exact_grading is not None:
                outcome = self.exact_grading.grade_number(value.value * self.factor)
            outcome = self.outcomes[interval] = outcome or self._grade_anew(value)
        return outcome

    def describe_outside(self, value: Quantity | None, outcome: GradingOutcome) -> str:
        """Return the side of normal on which *value* lies; empty: it is within, or has a grade."""
        if outcome.at_most > Grade.NONE:
            return ""
        if self.exact_grading is not None and value is not None and self._is_exact(value):
            return self.exact_grading.describe_outside(value.value * self.factor)
        reading = replace(self.reading, value=value)
        return describe_outside_normal(self.criterion, reading, self.baseline)

    def _is_exact(self, value: Quantity) -> bool:
        return value.censoring is None and value.unit == self.unit

    def _grade_anew(self, value: Quantity | None) -> GradingOutcome:
        return grade_reading(self.criterion, replace(self.reading, value=value), self.baseline)


def prepare_grading(
    criterion: CompiledCriterion, reading: Reading, baseline: Baseline, unit: str
) -> PreparedGrading:
    """Return the grading of values in *unit* that have all but the value of *reading*.

    Raises:
        KeyError: *criterion* is not graded from this measure.
    """
    grading = criterion.gradings[reading.measure]
    unit_quantity = convert_to_published_unit(
        Quantity(_UNIT_VALUE, unit), grading.units, grading.ion
    )
    if unit_quantity is None or not is_scaled_exactly(unit, unit_quantity.unit):
        return PreparedGrading(criterion, reading, baseline, unit, _UNIT_VALUE, None, None)
    reported = check_limits(grading, unit_quantity.unit, reading.lln, reading.uln)
    if reported.may_betray_unit:  # then the unit is in doubt, for some values
        return PreparedGrading(criterion, reading, baseline, unit, _UNIT_VALUE, None, None)
    # an exact 1 may be implausible
    open_quantity = structs.replace(unit_quantity, censoring=Censoring.AT_LEAST)
    inputs = collect_inputs(grading, reading, baseline, open_quantity)
    plausible = grading.find_plausible_range(unit_quantity.unit)
    correction = _find_correction(reading, unit_quantity.unit)
    exact_grading = _prepare_exact_grading(grading, inputs, correction, plausible)
    if exact_grading is not None:
        turns = {number for step in exact_grading.thresholds for _, number in step.comparisons}
    else:
        turns = find_turning_points(grading, inputs)
        turns |= find_turning_points(grading, inputs.without_limits())
    limit = inputs.find_exact_limit(grading.direction.limit)
    turns |= set() if limit is None else {limit}  # where it leaves the normal range
    turns = {number - end.number for number in turns for end in (correction.low, correction.high)}
    # where a value, or its number in another unit, becomes possible
    turns |= {end.number for one in grading.plausible.values() for end in (one.low, one.high)}
    turns |= {plausible.low.number, plausible.high.number, _ZERO.number}
    sorted_turns = tuple(sorted({number / unit_quantity.value for number in turns}))
    return PreparedGrading(
        criterion, reading, baseline, unit, unit_quantity.value, exact_grading, sorted_turns
    )


def _find_correction(reading: Reading, unit: str) -> Range:
    """Return the range of the correction: of a total calcium for its albumin, else zero."""
    no_correction = Range(_ZERO, _ZERO)
    if reading.measure != "calcium":
        return no_correction
    return correct_calcium_range(no_correction, unit, reading.albumin) or no_correction


def _prepare_exact_grading(
    grading: MeasureGrading, inputs: GradingInputs, correction: Range, plausible: Range
) -> _ExactGrading | None:
    possible_thresholds = (
        prepare_thresholds(grading, inputs) if correction.low == correction.high else None
    )
    thresholds = None if possible_thresholds is None else tuple(possible_thresholds)
    if thresholds is None or any(step.outcome is None for step in thresholds):
        return None
    side = grading.direction
    return _ExactGrading(
        thresholds, correction.low.number, plausible, side, inputs.find_exact_limit(side.limit)
    )
