"""The grade of an exact value when all it is compared with is known: the worst grade first.

Everything but the value is put into the comparisons once, so that values of one participant and
one test are graded by numbers alone.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from operator import ge, gt, le, lt

from services.safety_rules.domain.ctcae.compiled import Ladder, Measured
from services.safety_rules.domain.ctcae.criterion import Comparison, Operator, Threshold
from services.safety_rules.domain.ctcae.grading_inputs import Known
from services.safety_rules.domain.ctcae.units import rescaled
from services.vocabulary.grade import ExactGrade, Grade
from services.vocabulary.quantity import Quantity

Holds = Callable[[Decimal, Decimal], bool]
COMPARE: dict[Operator, Holds] = {
    Operator.LT: lt,
    Operator.LE: le,
    Operator.GT: gt,
    Operator.GE: ge,
}
_NOT_MET = ExactGrade(Grade.NONE, "no threshold met")


@dataclass(frozen=True, slots=True)
class Step:
    """One threshold with its numbers: *outcome* when all hold; None: then more has to be known."""

    compared: tuple[tuple[Holds, Decimal], ...]
    outcome: ExactGrade | None


def steps(measured: Measured, known: Known) -> Iterator[Step] | None:
    """Return the thresholds that a value is compared with; None when the arm is not known.

    Args:
        measured: How the criterion is graded from the measure.
        known: All but the value.
    """
    ladder = _ladder(measured, known)
    if ladder is None:
        return None
    return (
        step
        for level, any_of in ladder.steps
        for threshold in any_of
        if (step := _step(level, threshold, known)) is not None
    )


def decided(among: Iterable[Step], value: Decimal) -> ExactGrade | None:
    """Return the grade of *value*; None when something has to be known that is not."""
    for step in among:
        for holds, number in step.compared:
            if not holds(value, number):
                break
        else:
            return step.outcome
    return _NOT_MET


def meets(value: Quantity, compared: Comparison) -> bool | None:
    """Return whether *value* meets a comparison with a number; None if its unit does not fit."""
    fits = None if compared.unit is None else rescaled(value, compared.unit)
    return None if fits is None else COMPARE[compared.operator](fits.value, compared.factor)


def _ladder(measured: Measured, known: Known) -> Ladder | None:
    for ladder in measured.ladders(known.unit):
        applies = known.is_for(ladder.baseline, measured.direction)
        if applies is None:
            return None
        if applies:
            return ladder
    return None


def _step(level: Grade, threshold: Threshold, known: Known) -> Step | None:
    """Return *threshold* with its numbers; None when it cannot be met, whatever the value is."""
    compared = threshold.compared(with_baseline=known.compares_with_baseline)
    asked = threshold.condition
    holds = True if asked is None else known.condition(asked)
    if not compared or not known.lasted(threshold) or holds is False:
        return None
    numbers, is_known = [], holds is True
    for comparison in compared:
        against = _against(comparison, known)
        if comparison.measure is not None:
            beside = known.exactly_beside(comparison)
            if beside is None:
                is_known = False
            elif not COMPARE[comparison.operator](beside, comparison.factor):
                return None
        elif against is None:
            is_known = False
        else:
            numbers.append((COMPARE[comparison.operator], against))
    return Step(tuple(numbers), ExactGrade(level, threshold.text) if is_known else None)


def _against(comparison: Comparison, known: Known) -> Decimal | None:
    if comparison.multiple_of is None:
        return comparison.factor
    limit = known.exact(comparison.multiple_of)
    return None if limit is None else comparison.factor * limit + comparison.offset
