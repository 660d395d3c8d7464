"""What would make a criterion grade wrongly, found before it grades anyone."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise

from services.safety_rules.domain.criteria import (
    Arm,
    Comparison,
    Condition,
    Criterion,
    Direction,
    Operator,
    Threshold,
)
from services.vocabulary.grade import Grade, Input

_UPWARD = {Operator.GT, Operator.GE}


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong, with the field of the term that holds it."""

    field: str
    problem: str


def faults(criterion: Criterion) -> Iterator[Fault]:
    """Yield every fault of *criterion*: none when it is safe to grade with."""
    for measure, arms in criterion.arms.items():
        if not any(arm.grades for arm in arms):
            yield Fault(measure, "no grade has a threshold")
        for arm in arms:
            for level, thresholds in arm.grades.items():
                field = f"{measure}.grades.{level:d}"
                if level not in criterion.says:
                    yield Fault(field, "a threshold for a grade that the table does not publish")
                for threshold in thresholds:
                    yield from _in_one_grade(field, threshold, criterion)
                yield from _without_a_unit(field, thresholds, criterion, measure)
            yield from _milder_than_a_lesser_grade(measure, arm, criterion.direction)


def _in_one_grade(field: str, threshold: Threshold, criterion: Criterion) -> Iterator[Fault]:
    for comparison in threshold.comparisons:
        if (comparison.operator in _UPWARD) is not (criterion.direction is Direction.HIGH):
            problem = f"{threshold.text!r} in a term of direction {criterion.direction}"
            yield Fault(field, problem)
    if threshold.condition is Condition.LASTING and criterion.sustained_above is None:
        yield Fault(field, "a duration without sustained_above")


def _without_a_unit(
    field: str, thresholds: tuple[Threshold, ...], criterion: Criterion, measure: str
) -> Iterator[Fault]:
    given = {c.unit for threshold in thresholds for c in threshold.comparisons} - {None}
    for unit in criterion.units(measure):
        if given and unit not in given:
            yield Fault(field, f"no threshold in {unit}, which other grades have")


def _milder_than_a_lesser_grade(measure: str, arm: Arm, direction: Direction) -> Iterator[Fault]:
    """Compare like with like: the same condition, and one limit or numbers in one unit."""
    ladders: dict[tuple[Input | str | None, Condition | None], list[tuple[Grade, Threshold]]] = {}
    for level, thresholds in sorted(arm.grades.items()):
        for threshold in thresholds:
            if len(threshold.comparisons) == 1:
                (one,) = threshold.comparisons
                key = (one.multiple_of or one.unit, threshold.condition)
                ladders.setdefault(key, []).append((level, threshold))
    for ladder in ladders.values():
        for (lesser, easier), (worse, harder) in pairwise(ladder):
            if _hardness(harder.comparisons[0], direction) <= _hardness(
                easier.comparisons[0], direction
            ):
                problem = f"{harder.text!r} is no harder to reach than grade {lesser:d}"
                yield Fault(f"{measure}.grades.{worse:d}", f"{problem}, {easier.text!r}")


def _hardness(comparison: Comparison, direction: Direction) -> tuple[Decimal, bool]:
    """Return what grows as *comparison* gets harder to meet."""
    factor = comparison.factor if direction is Direction.HIGH else -comparison.factor
    return factor, comparison.operator in {Operator.GT, Operator.LT}
