"""Many values of one test of one participant: each kind of value is graded once.

When nothing but the value differs, what is said of it changes only where a comparison turns: of all
values between two such numbers the same is said.
"""

from bisect import bisect_left
from dataclasses import dataclass, field, replace
from decimal import Decimal

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
from services.safety_rules.domain.ctcae.units import convert_to_published_unit
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
        """Return what `still_outside` says of a value in the published unit, of grade 0."""
        if not self.plausible.contains(value):
            return ""
        return describe_side(self.direction, self.limit, value + self.correction)


@dataclass(frozen=True, slots=True)
class PreparedGrading:
    """How values of one measure are graded when nothing but the value differs.

    *turning_points* are the numbers, in *unit* and in order, at which something changes; None when
    there are no such numbers, and every value is looked at by itself. *factor* makes a value one in
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
        """Return which kind of value it is: of all of one kind the same is said."""
        turns = self.turning_points
        if turns is None:
            return None
        at = bisect_left(turns, value)
        return at * 2 + (at < len(turns) and turns[at] == value)

    def grade_value(self, value: Quantity | None) -> GradingOutcome:
        """Return what `grade` says of *value*."""
        if value is None or not self._is_exact(value):
            return self._grade_anew(value)
        turns, number = self.turning_points, value.value
        if turns is None:
            return self._grade_anew(value)
        at = bisect_left(turns, number)
        place = at * 2 + (at < len(turns) and turns[at] == number)  # as `place`, without a call
        said = self.outcomes.get(place)
        if said is None:
            if self.exact_grading is not None:
                said = self.exact_grading.grade_number(value.value * self.factor)
            said = self.outcomes[place] = said or self._grade_anew(value)
        return said

    def describe_outside(self, value: Quantity | None, outcome: GradingOutcome) -> str:
        """Return what `still_outside` says of *value*: of all of one kind the same."""
        if outcome.at_most > Grade.NONE:
            return ""
        if self.exact_grading is not None and value is not None and self._is_exact(value):
            return self.exact_grading.describe_outside(value.value * self.factor)
        reading = replace(self.reading, value=value)
        return describe_outside_normal(self.criterion, reading, self.baseline, outcome)

    def _is_exact(self, value: Quantity) -> bool:
        return value.censoring is None and value.unit == self.unit

    def _grade_anew(self, value: Quantity | None) -> GradingOutcome:
        return grade_reading(self.criterion, replace(self.reading, value=value), self.baseline)


def prepare_grading(
    criterion: CompiledCriterion, reading: Reading, baseline: Baseline, unit: str
) -> PreparedGrading:
    """Return how values in *unit* are graded: those of *reading*, whatever value it has.

    Raises:
        KeyError: *criterion* is not graded from this measure.
    """
    measured = criterion.gradings[reading.measure]
    one = convert_to_published_unit(Quantity(_UNIT_VALUE, unit), measured.units, measured.valence)
    if one is None or unit == "[degF]":  # which no factor makes a degree Celsius
        return PreparedGrading(criterion, reading, baseline, unit, _UNIT_VALUE, None, None)
    some = replace(one, censoring=Censoring.AT_LEAST)  # 1 alone may be implausible
    known = collect_inputs(measured, reading, baseline, some)
    plausible = measured.find_plausible_range(one.unit)
    added = _find_correction(reading, one.unit)
    compared = _prepare_exact_grading(measured, known, added, plausible)
    if compared is not None:
        turns = {number for step in compared.thresholds for _, number in step.comparisons}
    else:
        turns = find_turning_points(measured, known)
        turns |= find_turning_points(measured, replace(known, limits={}))
    limit = known.find_exact_limit(measured.direction.limit)
    turns |= set() if limit is None else {limit}  # where it is outside of what is normal
    turns = {number - end.number for number in turns for end in (added.low, added.high)}
    turns |= {plausible.low.number, plausible.high.number}
    in_order = tuple(sorted({number / one.value for number in turns}))
    return PreparedGrading(criterion, reading, baseline, unit, one.value, compared, in_order)


def _find_correction(reading: Reading, unit: str) -> Range:
    """Return what is added to a value before it is compared: to a total calcium, else nothing."""
    nothing = Range(_ZERO, _ZERO)
    if reading.measure != "calcium":
        return nothing
    return correct_calcium_range(nothing, unit, reading.albumin) or nothing


def _prepare_exact_grading(
    measured: MeasureGrading, known: GradingInputs, added: Range, plausible: Range
) -> _ExactGrading | None:
    found = prepare_thresholds(measured, known) if added.low == added.high else None
    among = None if found is None else tuple(found)
    if among is None or any(step.outcome is None for step in among):
        return None
    side = measured.direction
    return _ExactGrading(
        among, added.low.number, plausible, side, known.find_exact_limit(side.limit)
    )
