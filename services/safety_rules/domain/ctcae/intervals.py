"""The baseline arms that are still possible, each at its mildest corner beside its worst.

Source: docs/decisions/grading.md, "limit, baseline, fasting, symptoms, albumin unknown"
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from services.safety_rules.domain.ctcae.compiled import Ladder, MeasureGrading
from services.safety_rules.domain.ctcae.criterion import (
    COMPARE,
    ArmPopulation,
    Comparison,
    Direction,
    Operator,
    Threshold,
)
from services.safety_rules.domain.ctcae.grading_inputs import GradingInputs
from services.safety_rules.domain.ctcae.ranges import (
    OrderConstraint,
    Range,
    RangeEnd,
    find_range,
    narrow_ranges,
)
from services.vocabulary.grade import ExactGrade, Grade, GradingOutcome, Incomplete, Input
from services.vocabulary.quantity import Quantity

_LIMITS = (Input.LLN, Input.ULN, Input.BASELINE, Input.BASELINE_LLN, Input.BASELINE_ULN)
_LIMITS_IN_ORDER = (
    OrderConstraint(Input.LLN, Input.ULN, strictly=True),
    OrderConstraint(Input.BASELINE_LLN, Input.BASELINE_ULN, strictly=True),
)

# True if an arm states that the baseline is at or below the limit of its direction, or below it.
# Source: CTCAE v5.0, Investigations, "Alanine aminotransferase increased"
_BASELINE_IS_BELOW = {
    (ArmPopulation.NORMAL_BASELINE, Direction.HIGH): True,
    (ArmPopulation.ABNORMAL_BASELINE, Direction.HIGH): False,
    (ArmPopulation.NORMAL_BASELINE, Direction.LOW): False,
    (ArmPopulation.ABNORMAL_BASELINE, Direction.LOW): True,
}
_UPPER_LIMITS = (Input.ULN, Input.BASELINE_ULN)


def _order_baseline(limit: Input, *, is_below: bool) -> OrderConstraint:
    """Return the order of baseline and *limit*, which itself is normal."""
    if limit in _UPPER_LIMITS:
        return (
            OrderConstraint(Input.BASELINE, limit, strictly=False)
            if is_below
            else OrderConstraint(limit, Input.BASELINE, strictly=True)
        )
    return (
        OrderConstraint(Input.BASELINE, limit, strictly=True)
        if is_below
        else OrderConstraint(limit, Input.BASELINE, strictly=False)
    )


@dataclass(frozen=True, slots=True)
class PossibleArm:
    """One arm that may be the participant's, at the two corners of the unknown inputs.

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

    def find_undecided(self, at_least: Grade, at_most: Grade) -> Iterator[tuple[Grade, Threshold]]:
        """Yield every threshold up to *at_most* that only some completions meet, with its grade."""
        for level, threshold in self.find_reachable(at_least, at_most):
            if not self._is_met(threshold, self.mildest_corner, unknown_holds=False):
                yield level, threshold

    def find_reachable(self, at_least: Grade, at_most: Grade) -> Iterator[tuple[Grade, Threshold]]:
        """Yield every threshold up to *at_most* that some completion meets, with its grade."""
        for level, any_of in self.ladder.rungs:
            for threshold in any_of if at_least < level <= at_most else ():
                if self._is_met(threshold, self.worst_corner, unknown_holds=True):
                    yield level, threshold

    def list_inputs(self, threshold: Threshold) -> Iterator[Input]:
        """Yield the inputs that *threshold* is compared with, and that of its condition."""
        yield Input.VALUE
        for comparison in threshold.select_comparisons(
            with_baseline=self.inputs.compares_with_baseline
        ):
            if comparison.multiple_of is not None:
                yield comparison.multiple_of
            if (
                comparison.measure is not None
                and self.inputs.find_exact_companion(comparison) is None
            ):
                yield Input(comparison.measure)
        condition = threshold.condition
        if condition is not None and self.inputs.evaluate_condition(condition) is None:
            yield self.inputs.find_missing_input(condition)

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
        comparisons = threshold.select_comparisons(with_baseline=self.inputs.compares_with_baseline)
        if not comparisons or not self.inputs.has_lasted(threshold):
            return False
        if not all(self._holds_at(one, corner, favourably=unknown_holds) for one in comparisons):
            return False
        if threshold.condition is None:
            return True
        holds = self.inputs.evaluate_condition(threshold.condition)
        return unknown_holds if holds is None else holds

    def _holds_at(
        self, comparison: Comparison, corner: Mapping[Input, RangeEnd], *, favourably: bool
    ) -> bool:
        value, bound = corner[Input.VALUE], RangeEnd(comparison.factor)
        if comparison.measure is not None:
            companion_range = self.inputs.find_companion_range(comparison)
            is_upward = comparison.operator in (Operator.GT, Operator.GE)
            value = companion_range.high if is_upward is favourably else companion_range.low
        elif comparison.multiple_of is not None:
            limit = corner[comparison.multiple_of]
            bound = RangeEnd(limit.number * comparison.factor + comparison.offset, limit.side)
        return COMPARE[comparison.operator](value, bound)


def bound_grade(grading: MeasureGrading, inputs: GradingInputs) -> GradingOutcome:
    """Return the grade or the tightest interval that *inputs* allow."""
    arms = find_possible_arms(grading, inputs)
    if not arms:  # limits and baseline contradict each other: drop them
        return bound_grade(grading, inputs.without_limits())
    ends = [arm.grade_corners() for arm in arms]
    at_least, because = min(low for low, _ in ends)
    at_most, _ = max(high for _, high in ends)
    if at_least == at_most:
        return ExactGrade(at_least, because)
    undecided_inputs = {
        name
        for arm in arms
        for _, threshold in arm.find_undecided(at_least, at_most)
        for name in arm.list_inputs(threshold)
    }
    undecided_inputs |= find_deciding_inputs(arms, inputs, grading.direction)
    return Incomplete(at_least, at_most, name_missing_inputs(undecided_inputs, inputs), because)


def name_missing_inputs(names: Iterable[Input], inputs: GradingInputs) -> frozenset[Input]:
    """Return those of *names* that are not known, as a person is asked for them."""
    unknown_limits = {name for name in _LIMITS if inputs.find_exact_limit(name) is None}
    return frozenset(
        _name_missing_input(name, inputs)
        for name in names
        if _is_unknown(name, unknown_limits, inputs)
    )


def find_turning_points(grading: MeasureGrading, inputs: GradingInputs) -> set[Decimal]:
    """Return every number at which the outcome may change, whatever is missing."""
    corners = [
        (arm, corner) for arm in find_possible_arms(grading, inputs) for corner in arm.corners
    ]
    return {
        corner[one.multiple_of].number * one.factor + one.offset if one.multiple_of else one.factor
        for arm, corner in corners
        for _, any_of in arm.ladder.rungs
        for threshold in any_of
        for one in threshold.list_value_comparisons()
    }


def find_deciding_inputs(
    arms: Sequence[PossibleArm], inputs: GradingInputs, direction: Direction
) -> set[Input]:
    """Return the inputs that decide between the arms that may be the participant's."""
    if len(arms) <= 1:
        return set()
    if any(arm.ladder.population is ArmPopulation.ON_ANTICOAGULATION for arm in arms):
        return {Input.ANTICOAGULATION}
    return {Input.BASELINE, inputs.name_limit_of_baseline(direction.limit)}


def _is_unknown(name: Input, unknown_limits: set[Input], inputs: GradingInputs) -> bool:
    if name is Input.VALUE:
        return inputs.value is None
    return name in unknown_limits if name in _LIMITS else True


def _name_missing_input(name: Input, inputs: GradingInputs) -> Input:
    if name is Input.VALUE:
        return inputs.imprecise_input
    return Input.UNIT if name in inputs.misfits else name


def find_possible_arms(grading: MeasureGrading, inputs: GradingInputs) -> list[PossibleArm]:
    """Return the arms that may be the participant's; none when limits and baseline contradict."""
    plausible = grading.find_plausible_range(inputs.unit)
    ranges = {
        Input.VALUE: inputs.value_range,
        Input.BASELINE: find_range(inputs.limits.get(Input.BASELINE), plausible),
    }
    for limit in (Input.LLN, Input.BASELINE_LLN):
        ranges[limit] = _find_lln_range(inputs.limits.get(limit), plausible)
    for limit in (Input.ULN, Input.BASELINE_ULN):
        ranges[limit] = _find_uln_range(inputs.limits.get(limit), plausible)
    is_high = grading.direction is Direction.HIGH
    arms = []
    for ladder in grading.find_ladders(inputs.unit):
        if inputs.is_in_population(ladder.population, grading.direction) is False:
            continue
        orders = list(_LIMITS_IN_ORDER)
        is_below = _BASELINE_IS_BELOW.get((ladder.population, grading.direction))
        if is_below is not None and inputs.compares_with_baseline:
            limit = inputs.name_limit_of_baseline(grading.direction.limit)
            orders.append(_order_baseline(limit, is_below=is_below))
        narrowed_ranges = narrow_ranges(ranges, orders)
        if narrowed_ranges is None:
            continue
        lowest = {n: r.low if n is Input.VALUE else r.high for n, r in narrowed_ranges.items()}
        highest = {n: r.high if n is Input.VALUE else r.low for n, r in narrowed_ranges.items()}
        corners = (lowest, highest) if is_high else (highest, lowest)
        arms.append(PossibleArm(ladder, inputs, *corners))
    return arms


def _find_lln_range(lln: Quantity | None, plausible: Range) -> Range:
    """Return the range of a lower limit; 0 says that there is none."""
    low = min(plausible.low, RangeEnd(Decimal(0)))
    return find_range(lln, Range(low, plausible.high))


def _find_uln_range(uln: Quantity | None, plausible: Range) -> Range:
    """Return the range of an upper limit, above 0 where no value is negative."""
    low = plausible.low
    above_zero = RangeEnd(low.number, +1) if low == RangeEnd(Decimal(0)) else low
    return find_range(uln, Range(above_zero, plausible.high))
