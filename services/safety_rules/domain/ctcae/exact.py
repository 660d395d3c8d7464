"""The grade of an exact value when every limit is known: the worst grade first.

Everything but the value is put into the comparisons once, so that values of one participant and
one test are graded by numbers alone.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal

from services.safety_rules.domain.ctcae.compiled import Ladder, MeasureGrading
from services.safety_rules.domain.ctcae.criterion import COMPARE, Comparison, Threshold
from services.safety_rules.domain.ctcae.grading_inputs import GradingInputs
from services.safety_rules.domain.ctcae.units import rescale_quantity
from services.vocabulary.grade import ExactGrade, Grade
from services.vocabulary.quantity import Quantity

ComparisonFunction = Callable[[Decimal, Decimal], bool]
_NOT_MET = ExactGrade(Grade.NONE, "no threshold met")


@dataclass(frozen=True, slots=True)
class PreparedThreshold:
    """One threshold with its numbers: *outcome* when all hold; None: an input is missing."""

    comparisons: tuple[tuple[ComparisonFunction, Decimal], ...]
    outcome: ExactGrade | None


def prepare_thresholds(
    grading: MeasureGrading, inputs: GradingInputs
) -> Iterator[PreparedThreshold] | None:
    """Return the thresholds with their numbers; None when the arm is not known.

    Args:
        grading: Of the measure under the criterion.
        inputs: All but the value.
    """
    ladder = _find_ladder(grading, inputs)
    if ladder is None:
        return None
    return (
        prepared
        for level, any_of in ladder.rungs
        for threshold in any_of
        if (prepared := _prepare_threshold(level, threshold, inputs)) is not None
    )


def grade_exactly(thresholds: Iterable[PreparedThreshold], value: Decimal) -> ExactGrade | None:
    """Return the grade of *value*; None when an input is missing."""
    for threshold in thresholds:
        for holds, number in threshold.comparisons:
            if not holds(value, number):
                break
        else:
            return threshold.outcome
    return _NOT_MET


def meets_comparison(value: Quantity, comparison: Comparison) -> bool | None:
    """Return True when *value* meets a comparison with a number; None if its unit does not fit."""
    fits = None if comparison.unit is None else rescale_quantity(value, comparison.unit)
    return None if fits is None else COMPARE[comparison.operator](fits.value, comparison.factor)


def _find_ladder(grading: MeasureGrading, inputs: GradingInputs) -> Ladder | None:
    for ladder in grading.find_ladders(inputs.unit):
        applies = inputs.is_in_population(ladder.population, grading.direction)
        if applies is None:
            return None
        if applies:
            return ladder
    return None


def _prepare_threshold(
    level: Grade, threshold: Threshold, inputs: GradingInputs
) -> PreparedThreshold | None:
    """Return *threshold* with its numbers; None when no value can meet it."""
    comparisons = threshold.select_comparisons(with_baseline=inputs.compares_with_baseline)
    condition = threshold.condition
    holds = True if condition is None else inputs.evaluate_condition(condition)
    if not comparisons or not inputs.has_lasted(threshold) or holds is False:
        return None
    numbers, is_known = [], holds is True
    for comparison in comparisons:
        number = _find_number(comparison, inputs)
        if comparison.measure is not None:
            companion = inputs.find_exact_companion(comparison)
            if companion is None:
                is_known = False
            elif not COMPARE[comparison.operator](companion, comparison.factor):
                return None
        elif number is None:
            is_known = False
        else:
            numbers.append((COMPARE[comparison.operator], number))
    return PreparedThreshold(
        tuple(numbers), ExactGrade(level, threshold.text) if is_known else None
    )


def _find_number(comparison: Comparison, inputs: GradingInputs) -> Decimal | None:
    if comparison.multiple_of is None:
        return comparison.factor
    limit = inputs.find_exact_limit(comparison.multiple_of)
    return None if limit is None else comparison.factor * limit + comparison.offset
