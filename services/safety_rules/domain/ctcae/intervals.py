"""The baseline arms that are still possible, each at its mildest corner beside its worst.

Source: docs/decisions/grading.md, "limit, baseline, fasting, symptoms, albumin unknown"
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from operator import ge, gt, le, lt

from services.safety_rules.domain.ctcae.compiled import Ladder, MeasureGrading
from services.safety_rules.domain.ctcae.criterion import (
    ArmPopulation,
    Comparison,
    Direction,
    Operator,
    Threshold,
)
from services.safety_rules.domain.ctcae.grading_inputs import GradingInputs
from services.safety_rules.domain.ctcae.ranges import (
    UNKNOWN,
    OrderConstraint,
    Range,
    RangeEnd,
    find_range,
    narrow_ranges,
)
from services.vocabulary.grade import ExactGrade, Grade, GradingOutcome, Incomplete, Input
from services.vocabulary.quantity import Quantity

_LIMITS = (Input.LLN, Input.ULN, Input.BASELINE)
_COMPARE = {Operator.LT: lt, Operator.LE: le, Operator.GT: gt, Operator.GE: ge}
_LIMITS_IN_ORDER = OrderConstraint(Input.LLN, Input.ULN, strictly=True)

# What an arm says about the baseline.
# Source: CTCAE v5.0, Investigations, "Alanine aminotransferase increased"
_BASELINE_IS = {
    (ArmPopulation.NORMAL_BASELINE, Direction.HIGH): OrderConstraint(
        Input.BASELINE, Input.ULN, strictly=False
    ),
    (ArmPopulation.ABNORMAL_BASELINE, Direction.HIGH): OrderConstraint(
        Input.ULN, Input.BASELINE, strictly=True
    ),
    (ArmPopulation.NORMAL_BASELINE, Direction.LOW): OrderConstraint(
        Input.LLN, Input.BASELINE, strictly=False
    ),
    (ArmPopulation.ABNORMAL_BASELINE, Direction.LOW): OrderConstraint(
        Input.BASELINE, Input.LLN, strictly=True
    ),
}


@dataclass(frozen=True, slots=True)
class PossibleArm:
    """One arm that may be the participant's, at the two corners of what is unknown.

    A high measure is worst where its value is highest and every limit lowest, and mildest at the
    opposite corner; a low measure the other way round. Severity only grows from one to the other,
    so no completion between them lies outside.
    """

    ladder: Ladder
    inputs: GradingInputs
    mildest_corner: Mapping[Input, RangeEnd]
    worst_corner: Mapping[Input, RangeEnd]

    @property
    def corners(self) -> tuple[Mapping[Input, RangeEnd], Mapping[Input, RangeEnd]]:
        """Both."""
        return self.mildest_corner, self.worst_corner

    def grade_corners(self) -> tuple[tuple[Grade, str], tuple[Grade, str]]:
        """Return the worst grade that is met at each corner, with its threshold."""
        return (
            self._find_worst_met(self.mildest_corner, unknown_holds=False),
            self._find_worst_met(self.worst_corner, unknown_holds=True),
        )

    def find_undecided_inputs(self, above: Grade, upto: Grade) -> Iterator[Input]:
        """Yield the inputs of every threshold in between that only some completions meet."""
        for level, any_of in self.ladder.rungs:
            for threshold in any_of if above < level <= upto else ():
                met = self._is_met(threshold, self.worst_corner, unknown_holds=True)
                if met and not self._is_met(threshold, self.mildest_corner, unknown_holds=False):
                    yield from self._list_inputs(threshold)

    def _list_inputs(self, threshold: Threshold) -> Iterator[Input]:
        yield Input.VALUE
        for one in threshold.select_comparisons(with_baseline=self.inputs.compares_with_baseline):
            if one.multiple_of is not None:
                yield one.multiple_of
            if one.measure is not None and self.inputs.find_exact_companion(one) is None:
                yield Input(one.measure)
        asked = threshold.condition
        if asked is not None and self.inputs.evaluate_condition(asked) is None:
            yield self.inputs.find_missing_input(asked)

    def _find_worst_met(
        self, corner: Mapping[Input, RangeEnd], *, unknown_holds: bool
    ) -> tuple[Grade, str]:
        for level, any_of in self.ladder.rungs:
            for threshold in any_of:
                if self._is_met(threshold, corner, unknown_holds=unknown_holds):
                    return level, threshold.text
        return Grade.NONE, "no threshold met"

    def _is_met(
        self, threshold: Threshold, corner: Mapping[Input, RangeEnd], *, unknown_holds: bool
    ) -> bool:
        compared = threshold.select_comparisons(with_baseline=self.inputs.compares_with_baseline)
        if not compared or not self.inputs.has_lasted(threshold):
            return False
        if not all(self._holds_at(one, corner, favourably=unknown_holds) for one in compared):
            return False
        if threshold.condition is None:
            return True
        holds = self.inputs.evaluate_condition(threshold.condition)
        return unknown_holds if holds is None else holds

    def _holds_at(
        self, comparison: Comparison, corner: Mapping[Input, RangeEnd], *, favourably: bool
    ) -> bool:
        value, against = corner[Input.VALUE], RangeEnd(comparison.factor)
        if comparison.measure is not None:
            lies = self.inputs.find_companion_range(comparison)
            upward = comparison.operator in (Operator.GT, Operator.GE)
            value = lies.high if upward is favourably else lies.low
        elif comparison.multiple_of is not None:
            one = corner[comparison.multiple_of]
            against = RangeEnd(one.number * comparison.factor + comparison.offset, one.side)
        return bool(_COMPARE[comparison.operator](value, against))


def bound_grade(measured: MeasureGrading, known: GradingInputs) -> GradingOutcome:
    """Return the grade or the tightest interval that *known* allows."""
    cases = _find_possible_arms(measured, known)
    if not cases:  # limits and baseline contradict each other: they tell nothing
        return bound_grade(measured, replace(known, limits={}))
    ends = [case.grade_corners() for case in cases]
    at_least, because = min(low for low, _ in ends)
    at_most, _ = max(high for _, high in ends)
    if at_least == at_most:
        return ExactGrade(at_least, because)
    unknown = {name for name in _LIMITS if known.find_exact_limit(name) is None}
    missing: set[Input] = set()
    for case in cases:
        missing.update(case.find_undecided_inputs(at_least, at_most))
    if len(cases) > 1:
        missing |= _find_deciding_inputs(cases, measured.direction)
    named = {
        _name_missing_input(name, known) for name in missing if _is_unknown(name, unknown, known)
    }
    return Incomplete(at_least, at_most, frozenset(named), because)


def find_turning_points(measured: MeasureGrading, known: GradingInputs) -> set[Decimal]:
    """Return every number at which what is said of the value may change, whatever is missing."""
    corners = [
        (case, corner) for case in _find_possible_arms(measured, known) for corner in case.corners
    ]
    return {
        corner[one.multiple_of].number * one.factor + one.offset if one.multiple_of else one.factor
        for case, corner in corners
        for _, any_of in case.ladder.rungs
        for threshold in any_of
        for one in threshold.list_value_comparisons()
    }


def _find_deciding_inputs(cases: Sequence[PossibleArm], direction: Direction) -> set[Input]:
    """Return what decides between the arms that may be the participant's."""
    if any(case.ladder.population is ArmPopulation.ON_ANTICOAGULATION for case in cases):
        return {Input.ANTICOAGULATION}
    return {Input.BASELINE, direction.limit}


def _is_unknown(name: Input, unknown: set[Input], known: GradingInputs) -> bool:
    if name is Input.VALUE:
        return known.value is None
    return name in unknown if name in _LIMITS else True


def _name_missing_input(name: Input, known: GradingInputs) -> Input:
    if name is Input.VALUE:
        return known.imprecise_input
    return Input.UNIT if name in known.misfits else name


def _find_possible_arms(measured: MeasureGrading, known: GradingInputs) -> list[PossibleArm]:
    plausible = measured.find_plausible_range(known.unit)
    baseline = find_range(known.limits.get(Input.BASELINE), plausible)
    ranges = {
        Input.VALUE: known.value_range,
        Input.LLN: _find_limit_range(known.limits.get(Input.LLN)),
        Input.ULN: _find_limit_range(known.limits.get(Input.ULN)),
        Input.BASELINE: baseline,
    }
    high = measured.direction is Direction.HIGH
    cases = []
    for ladder in measured.find_ladders(known.unit):
        if known.is_in_population(ladder.population, measured.direction) is False:
            continue
        order = _BASELINE_IS.get((ladder.population, measured.direction))
        orders = [_LIMITS_IN_ORDER]
        if order is not None and known.compares_with_baseline:
            orders.append(order)
        tight = narrow_ranges(ranges, orders)
        if tight is None:
            continue
        low = {n: r.low if n is Input.VALUE else r.high for n, r in tight.items()}
        top = {n: r.high if n is Input.VALUE else r.low for n, r in tight.items()}
        cases.append(PossibleArm(ladder, known, low if high else top, top if high else low))
    return cases


def _find_limit_range(quantity: Quantity | None) -> Range:
    if quantity is not None and quantity.value == 0 and quantity.censoring is None:
        return Range(RangeEnd(Decimal(0)), RangeEnd(Decimal(0)))
    return find_range(quantity, UNKNOWN)
