"""A reading of grade 0 that lies outside its limits of normal all the same.

Source: docs/decisions/grading.md, "milder than the first band"
"""

from decimal import Decimal

from services.safety_rules.domain.ctcae.compiled import CompiledCriterion
from services.safety_rules.domain.ctcae.criterion import Direction
from services.safety_rules.domain.ctcae.grading import Baseline, Reading, what_is_known
from services.safety_rules.domain.ctcae.units import in_published_unit
from services.vocabulary.grade import Grade, GradingOutcome


def still_outside(
    criterion: CompiledCriterion, reading: Reading, baseline: Baseline, outcome: GradingOutcome
) -> str:
    """Return ``below LLN`` or ``above ULN`` of a reading of grade 0, on the criterion's side.

    Empty: it has a grade, it lies within its limits, or nobody can tell.
    """
    measured = criterion.measured[reading.measure]
    value = reading.value
    fits = None if value is None else in_published_unit(value, measured.units, measured.valence)
    if fits is None or outcome.at_most > Grade.NONE:
        return ""
    known = what_is_known(measured, reading, baseline, fits)
    if known.value is None:
        return ""
    return beyond(measured.direction, known.exact(measured.direction.limit), known.value)


def beyond(direction: Direction, limit: Decimal | None, value: Decimal) -> str:
    """Return on which side of *limit* the *value* lies, when that is the criterion's *direction*.

    >>> beyond(Direction.HIGH, Decimal(10), Decimal(11))
    'above ULN'
    """
    if limit is None:
        return ""
    if direction is Direction.HIGH:
        return "above ULN" if value > limit else ""
    return "below LLN" if value < limit else ""
