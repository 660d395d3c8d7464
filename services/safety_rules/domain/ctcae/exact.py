"""The grade of an exact value when all it is compared with is known: the worst grade first.

Everything but the value is put into the comparisons once, so that values of one participant and
one test are graded by numbers alone.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from operator import ge, gt, le, lt

from services.safety_rules.domain.ctcae.compiled import Ladder, MeasureGrading
from services.safety_rules.domain.ctcae.criterion import Comparison, Operator, Threshold
from services.safety_rules.domain.ctcae.grading_inputs import GradingInputs
from services.safety_rules.domain.ctcae.units import rescale_quantity
from services.vocabulary.grade import ExactGrade, Grade
from services.vocabulary.quantity import Quantity

ComparisonFunction = Callable[[Decimal, Decimal], bool]
COMPARE: dict[Operator, ComparisonFunction] = {
    Operator.LT: lt,
    Operator.LE: le,
    Operator.GT: gt,
    Operator.GE: ge,
}
_NOT_MET = ExactGrade(Grade.NONE, "no threshold met")


@dataclass(frozen=True, slots=True)
class PreparedThreshold:
    """One threshold with its numbers: *outcome* when all hold; None: then more has to be known."""

    comparisons: tuple[tuple[ComparisonFunction, Decimal], ...]
    outcome: ExactGrade | None


def prepare_thresholds(
    measured: MeasureGrading, known: GradingInputs
) -> Iterator[PreparedThreshold] | None:
    """Return the thresholds that a value is compared with; None when the arm is not known.

    Args:
        measured: How the criterion is graded from the measure.
        known: All but the value.
    """
    ladder = _find_ladder(measured, known)
    if ladder is None:
        return None
    return (
        step
        for level, any_of in ladder.rungs
        for threshold in any_of
        if (step := _prepare_threshold(level, threshold, known)) is not None
    )


def grade_exactly(among: Iterable[PreparedThreshold], value: Decimal) -> ExactGrade | None:
    """Return the grade of *value*; None when something has to be known that is not."""
    for step in among:
        for holds, number in step.comparisons:
            if not holds(value, number):
                break
        else:
            return step.outcome
    return _NOT_MET


def meets_comparison(value: Quantity, compared: Comparison) -> bool | None:
    """Return whether *value* meets a comparison with a number; None if its unit does not fit."""
    fits = None if compared.unit is None else rescale_quantity(value, compared.unit)
    return None if fits is None else COMPARE[compared.operator](fits.value, compared.factor)


def _find_ladder(measured: MeasureGrading, known: GradingInputs) -> Ladder | None:
    for ladder in measured.find_ladders(known.unit):
        applies = known.is_in_population(ladder.population, measured.direction)
        if applies is None:
            return None
        if applies:
            return ladder
    return None


def _prepare_threshold(
    level: Grade, threshold: Threshold, known: GradingInputs
) -> PreparedThreshold | None:
    """Return *threshold* with its numbers; None when it cannot be met, whatever the value is."""
    compared = threshold.select_comparisons(with_baseline=known.compares_with_baseline)
    asked = threshold.condition
    holds = True if asked is None else known.evaluate_condition(asked)
    if not compared or not known.has_lasted(threshold) or holds is False:
        return None
    numbers, is_known = [], holds is True
    for comparison in compared:
        against = _find_number(comparison, known)
        if comparison.measure is not None:
            beside = known.find_exact_companion(comparison)
            if beside is None:
                is_known = False
            elif not COMPARE[comparison.operator](beside, comparison.factor):
                return None
        elif against is None:
            is_known = False
        else:
            numbers.append((COMPARE[comparison.operator], against))
    return PreparedThreshold(
        tuple(numbers), ExactGrade(level, threshold.text) if is_known else None
    )


def _find_number(comparison: Comparison, known: GradingInputs) -> Decimal | None:
    if comparison.multiple_of is None:
        return comparison.factor
    limit = known.find_exact_limit(comparison.multiple_of)
    return None if limit is None else comparison.factor * limit + comparison.offset
