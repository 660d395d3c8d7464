"""Numbers that no published grade covers: what a laboratory may call normal.

Source: docs/decisions/grading.md, "limits that contradict the unit"
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from services.safety_rules.domain.ctcae.criterion import Arm, Criterion, Direction
from services.safety_rules.domain.ctcae.ranges import Range, RangeEnd
from services.vocabulary.grade import Grade

_INFINITY = Decimal("Infinity")
# A limit of normal lies near the bound at which the first grade of its side ends: LLN - 75 x 10e9/L
_HIGHEST_LLN = 10  # x the first number of a falling measure; usual are 1 to 5 (fibrinogen)
_LOWEST_LLN = Decimal(3)  # the same divided by this
_LOWEST_ULN = Decimal("0.03")  # x the first number of a rising one; usual are 0.1 (leukocytes) to 1


@dataclass(frozen=True, slots=True)
class UngradedRanges:
    """The numbers of one measure in one unit without a grade, and those below the worst one.

    Only thresholds count that are a number alone, in every arm: no multiple of a limit, no
    condition, no time that the value has to last.
    """

    without_grade: Range
    below_worst: Range

    def contradicts(self, lln: Decimal | None, uln: Decimal | None) -> bool:
        """Return True when limits of normal cannot be of this unit.

        Either all that they call normal has a grade, or some of it has the worst one, or they are
        in no proportion to the first published number.
        """
        is_all_graded = (uln is not None and RangeEnd(uln) < self.without_grade.low) or (
            lln is not None and RangeEnd(lln) > self.without_grade.high
        )
        is_worst_normal = (uln is not None and RangeEnd(uln) > self.below_worst.high) or (
            lln is not None and lln != 0 and RangeEnd(lln) < self.below_worst.low
        )
        first_low = self.without_grade.low.number
        is_out_of_proportion = (
            lln is not None
            and first_low > 0
            and (lln > _HIGHEST_LLN * first_low or 0 < lln < first_low / _LOWEST_LLN)
        ) or (uln is not None and uln < _LOWEST_ULN * self.without_grade.high.number < _INFINITY)
        return is_all_graded or is_worst_normal or is_out_of_proportion


UngradedByUnit = Mapping[str, UngradedRanges]


def find_ungraded_ranges(criteria: Iterable[Criterion]) -> Mapping[str, UngradedByUnit]:
    """Return for each measure, by unit, what none of *criteria* grades by a number alone."""
    ends: dict[tuple[str, str], list[tuple[Direction, Decimal, Decimal | None]]] = {}
    for criterion in criteria:
        for measure, arms in criterion.arms.items():
            direction = criterion.find_direction(measure)
            for unit in criterion.list_units(measure):
                first = _find_shared_number(arms, unit, direction, Grade.MILD)
                worst = _find_shared_number(arms, unit, direction, Grade.SEVERE)
                if first is not None:
                    ends.setdefault((measure, unit), []).append((direction, first, worst))
    ranges: dict[str, dict[str, UngradedRanges]] = {}
    for (measure, unit), measure_ends in ends.items():
        first_range = _make_range((side, first) for side, first, _ in measure_ends)
        worst_range = _make_range(
            (side, worst) for side, _, worst in measure_ends if worst is not None
        )
        ranges.setdefault(measure, {})[unit] = UngradedRanges(first_range, worst_range)
    return ranges


def _find_shared_number(
    arms: Sequence[Arm], unit: str, direction: Direction, at_least: Grade
) -> Decimal | None:
    """Return the number beyond which every arm has a grade; None: an arm has no number.

    Args:
        arms: Of one measure.
        unit: Of the numbers.
        direction: In which the measure gets worse.
        at_least: Mild: any grade; severe: the worst one of the arm, if it is severe.
    """
    numbers = []
    for arm in arms:
        worst = max(arm.grades)
        level = worst if at_least is Grade.SEVERE else at_least
        of_arm = list(_list_numbers(arm, unit, direction, level)) if worst >= at_least else []
        if not of_arm:
            return None
        numbers.append(min(of_arm) if direction is Direction.HIGH else max(of_arm))
    return max(numbers) if direction is Direction.HIGH else min(numbers)


def _list_numbers(arm: Arm, unit: str, direction: Direction, at_least: Grade) -> Iterator[Decimal]:
    for level, any_of in arm.grades.items():
        for threshold in any_of if level >= at_least else ():
            if threshold.condition is None and threshold.min_duration is None:
                (first, *more_comparisons) = threshold.comparisons
                is_number = (
                    first.multiple_of is None and first.measure is None and not more_comparisons
                )
                is_worse_beyond = (first.operator in (">", ">=")) is (direction is Direction.HIGH)
                if is_number and is_worse_beyond and first.unit == unit:
                    yield first.factor


def _make_range(ends: Iterable[tuple[Direction, Decimal]]) -> Range:
    """Return the numbers between the highest low end and the lowest high end."""
    known_ends = list(ends)
    low = max((n for side, n in known_ends if side is Direction.LOW), default=-_INFINITY)
    high = min((n for side, n in known_ends if side is Direction.HIGH), default=_INFINITY)
    return Range(RangeEnd(low), RangeEnd(high))
