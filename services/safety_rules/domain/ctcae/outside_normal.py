"""A reading of grade 0 that lies outside its limits of normal nevertheless.

Source: docs/decisions/grading.md, "milder than the first band"
"""

from decimal import Decimal

from services.safety_rules.domain.ctcae.compiled import CompiledCriterion
from services.safety_rules.domain.ctcae.criterion import Direction
from services.safety_rules.domain.ctcae.grading import Baseline, Reading, collect_inputs
from services.safety_rules.domain.ctcae.units import convert_to_published_unit


def describe_outside_normal(
    criterion: CompiledCriterion, reading: Reading, baseline: Baseline
) -> str:
    """Return ``below LLN`` or ``above ULN`` of a reading, on the criterion's side.

    Empty: it lies within its limits, or the value or the limit is not known.
    """
    grading = criterion.gradings[reading.measure]
    value = reading.value
    graded_value = (
        None if value is None else convert_to_published_unit(value, grading.units, grading.ion)
    )
    if graded_value is None:
        return ""
    inputs = collect_inputs(grading, reading, baseline, graded_value)
    if inputs.value is None:
        return ""
    return describe_side(
        grading.direction, inputs.find_exact_limit(grading.direction.limit), inputs.value
    )


def describe_side(direction: Direction, limit: Decimal | None, value: Decimal) -> str:
    """Return ``above ULN`` or ``below LLN`` for a *value* beyond *limit*, else an empty text.

    >>> [describe_side(Direction.HIGH, Decimal(10), Decimal(one)) for one in (10, 11)]
    ['', 'above ULN']
    """
    if limit is None:
        return ""
    if direction is Direction.HIGH:
        return "above ULN" if value > limit else ""
    return "below LLN" if value < limit else ""
