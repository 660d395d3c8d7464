"""A reading of grade 0 that lies outside its limits of normal all the same.

Source: docs/decisions/grading.md, "milder than the first band"
"""

from decimal import Decimal

from services.safety_rules.domain.ctcae.compiled import CompiledCriterion
from services.safety_rules.domain.ctcae.criterion import Direction
from services.safety_rules.domain.ctcae.grading import Baseline, Reading, collect_inputs
from services.safety_rules.domain.ctcae.units import convert_to_published_unit
from services.vocabulary.grade import Grade, GradingOutcome


def describe_outside_normal(
    criterion: CompiledCriterion, reading: Reading, baseline: Baseline, outcome: GradingOutcome
) -> str:
    """Return ``below LLN`` or ``above ULN`` of a reading of grade 0, on the criterion's side.

    Empty: it has a grade, it lies within its limits, or nobody can tell.
    """
    measured = criterion.gradings[reading.measure]
    value = reading.value
    fits = (
        None
        if value is None
        else convert_to_published_unit(value, measured.units, measured.valence)
    )
    if fits is None or outcome.at_most > Grade.NONE:
        return ""
    known = collect_inputs(measured, reading, baseline, fits)
    if known.value is None:
        return ""
    return describe_side(
        measured.direction, known.find_exact_limit(measured.direction.limit), known.value
    )


def describe_side(direction: Direction, limit: Decimal | None, value: Decimal) -> str:
    """Return on which side of *limit* the *value* lies, when that is the criterion's *direction*.

    >>> describe_side(Direction.HIGH, Decimal(10), Decimal(11))
    'above ULN'
    """
    if limit is None:
        return ""
    if direction is Direction.HIGH:
        return "above ULN" if value > limit else ""
    return "below LLN" if value < limit else ""
