"""What would make a criterion grade wrongly, found before it grades anyone."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise

from services.safety_rules.domain.ctcae.criterion import (
    Arm,
    Comparison,
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
                    yield from _in_one_grade(field, threshold, criterion.direction_of(measure))
                    yield from _not_of_the_measure(field, threshold, measure)
                yield from _without_a_unit(field, thresholds, criterion, measure)
            yield from _milder_than_a_lesser_grade(measure, arm, criterion.direction_of(measure))


def _in_one_grade(field: str, threshold: Threshold, direction: Direction) -> Iterator[Fault]:
    for comparison in threshold.of_the_value():
        if (comparison.operator in _UPWARD) is not (direction is Direction.HIGH):
            yield Fault(field, f"{threshold.text!r} in a term of direction {direction}")
        if threshold.lasting is not None and comparison.multiple_of is not None:
            yield Fault(field, f"{threshold.text!r}: only what is compared with a number can last")


def _not_of_the_measure(field: str, threshold: Threshold, measure: str) -> Iterator[Fault]:
    if threshold.sum_over is not None and not measure.endswith(f"-{threshold.sum_over}h"):
        yield Fault(field, f"{threshold.text!r} of {measure}, which is no such sum")
    for comparison in threshold.comparisons:
        if comparison.measure == measure or comparison.measure not in {None, *Input}:
            problem = f"{comparison.measure!r} is no other measure that can be missing"
            yield Fault(field, problem)


def _without_a_unit(
    field: str, thresholds: tuple[Threshold, ...], criterion: Criterion, measure: str
) -> Iterator[Fault]:
    given = {c.unit for threshold in thresholds for c in threshold.of_the_value()} - {None}
    for unit in criterion.units(measure):
        if given and unit not in given:
            yield Fault(field, f"no threshold in {unit}, which other grades have")


def _milder_than_a_lesser_grade(measure: str, arm: Arm, direction: Direction) -> Iterator[Fault]:
    """Compare like with like: the same condition, and one limit or numbers in one unit."""
    ladders: dict[tuple[object, ...], list[tuple[Grade, Threshold]]] = {}
    for level, thresholds in sorted(arm.grades.items()):
        for threshold in thresholds:
            if len(threshold.comparisons) == 1:
                (one,) = threshold.comparisons
                key = (one.multiple_of, one.unit, threshold.condition, threshold.lasting)
                ladders.setdefault(key, []).append((level, threshold))
    for ladder in ladders.values():
        for (lesser, easier), (worse, harder) in pairwise(ladder):
            if _hardness(harder.comparisons[0], direction) <= _hardness(
                easier.comparisons[0], direction
            ):
                problem = f"{harder.text!r} is no harder to reach than grade {lesser:d}"
                yield Fault(f"{measure}.grades.{worse:d}", f"{problem}, {easier.text!r}")


def _hardness(comparison: Comparison, direction: Direction) -> tuple[Decimal, Decimal, bool]:
    """Return what grows as *comparison* gets harder to meet."""
    sign = 1 if direction is Direction.HIGH else -1
    is_strict = comparison.operator in {Operator.GT, Operator.LT}
    return sign * comparison.factor, sign * comparison.offset, is_strict
