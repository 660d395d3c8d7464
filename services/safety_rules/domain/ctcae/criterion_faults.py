"""Faults that would make a criterion grade wrongly, found before it grades anyone."""

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
class CriterionFault:
    """A fault of a term, with the field that holds it."""

    field: str
    problem: str


def find_criterion_faults(criterion: Criterion) -> Iterator[CriterionFault]:
    """Yield every fault of *criterion*: none when it is safe to grade with."""
    for measure, arms in criterion.arms.items():
        if not any(arm.grades for arm in arms):
            yield CriterionFault(measure, "no grade has a threshold")
        for arm in arms:
            for level, thresholds in arm.grades.items():
                field = f"{measure}.grades.{level:d}"
                if level not in criterion.wordings:
                    yield CriterionFault(
                        field, "a threshold for a grade that the table does not publish"
                    )
                for threshold in thresholds:
                    yield from _find_comparison_faults(
                        field, threshold, criterion.find_direction(measure)
                    )
                    yield from _find_measure_faults(field, threshold, measure)
                yield from _find_missing_units(field, thresholds, criterion, measure)
            yield from _find_reversed_grades(measure, arm, criterion.find_direction(measure))


def _find_comparison_faults(
    field: str, threshold: Threshold, direction: Direction
) -> Iterator[CriterionFault]:
    for comparison in threshold.list_value_comparisons():
        if (comparison.operator in _UPWARD) is not (direction is Direction.HIGH):
            yield CriterionFault(field, f"{threshold.text!r} in a term of direction {direction}")
        if threshold.min_duration is not None and comparison.multiple_of is not None:
            yield CriterionFault(
                field, f"{threshold.text!r}: only what is compared with a number can last"
            )


def _find_measure_faults(
    field: str, threshold: Threshold, measure: str
) -> Iterator[CriterionFault]:
    if threshold.sum_over is not None and not measure.endswith(f"-{threshold.sum_over}h"):
        yield CriterionFault(field, f"{threshold.text!r} of {measure}, which is no such sum")
    for comparison in threshold.comparisons:
        if comparison.measure == measure or comparison.measure not in {None, *Input}:
            problem = f"{comparison.measure!r} is no other measure that can be missing"
            yield CriterionFault(field, problem)


def _find_missing_units(
    field: str, thresholds: tuple[Threshold, ...], criterion: Criterion, measure: str
) -> Iterator[CriterionFault]:
    units = {c.unit for threshold in thresholds for c in threshold.list_value_comparisons()} - {
        None
    }
    for unit in criterion.list_units(measure):
        if units and unit not in units:
            yield CriterionFault(field, f"no threshold in {unit}, which other grades have")


def _find_reversed_grades(measure: str, arm: Arm, direction: Direction) -> Iterator[CriterionFault]:
    """Compare like with like: the same condition, and one limit or numbers in one unit."""
    ladders: dict[tuple[object, ...], list[tuple[Grade, Threshold]]] = {}
    for level, thresholds in sorted(arm.grades.items()):
        for threshold in thresholds:
            if len(threshold.comparisons) == 1:
                (comparison,) = threshold.comparisons
                key = (
                    comparison.multiple_of,
                    comparison.unit,
                    threshold.condition,
                    threshold.min_duration,
                )
                ladders.setdefault(key, []).append((level, threshold))
    for ladder in ladders.values():
        for (lesser, easier), (worse, harder) in pairwise(ladder):
            if _hardness(harder.comparisons[0], direction) <= _hardness(
                easier.comparisons[0], direction
            ):
                problem = f"{harder.text!r} is no harder to reach than grade {lesser:d}"
                yield CriterionFault(f"{measure}.grades.{worse:d}", f"{problem}, {easier.text!r}")


def _hardness(comparison: Comparison, direction: Direction) -> tuple[Decimal, Decimal, bool]:
    """Return a key that grows as *comparison* gets harder to meet."""
    sign = 1 if direction is Direction.HIGH else -1
    is_strict = comparison.operator in {Operator.GT, Operator.LT}
    return sign * comparison.factor, sign * comparison.offset, is_strict
