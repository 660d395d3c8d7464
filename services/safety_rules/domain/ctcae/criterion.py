"""A grading criterion as data: published wording beside the thresholds that stand for it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum
from operator import ge, gt, le, lt
from typing import Any

from services.vocabulary.grade import Grade, Input


class Direction(StrEnum):
    """The direction in which a measure moves as the event gets worse."""

    HIGH = "high"
    LOW = "low"

    @property
    def opposite(self) -> "Direction":
        """The direction in which it gets better."""
        return Direction.LOW if self is Direction.HIGH else Direction.HIGH

    @property
    def limit(self) -> Input:
        """The limit of normal on that side."""
        return Input.ULN if self is Direction.HIGH else Input.LLN


class Operator(StrEnum):
    """The four comparisons a threshold may use."""

    LT = "<"
    LE = "<="
    GT = ">"
    GE = ">="


COMPARE: Mapping[Operator, Callable[[Any, Any], bool]] = {
    Operator.LT: lt,
    Operator.LE: le,
    Operator.GT: gt,
    Operator.GE: ge,
}


class ArmPopulation(StrEnum):
    """The participants of an arm; abnormal is above ULN for a high, below LLN for a low."""

    ANY_BASELINE = "any baseline"
    NORMAL_BASELINE = "baseline normal"
    ABNORMAL_BASELINE = "baseline abnormal"
    BASELINE_UNAVAILABLE = "no baseline available"
    BASELINE_AVAILABLE = "for follow-up"
    OFF_ANTICOAGULATION = "not on anticoagulation"
    ON_ANTICOAGULATION = "on anticoagulation"


class Condition(StrEnum):
    """A condition that must hold beside the number, in the words of the criteria files."""

    SYMPTOMATIC = "if symptomatic"
    MODERATELY_SYMPTOMATIC = "if moderately or severely symptomatic"
    SYMPTOMATIC_OR_REPLACED = "if symptomatic or replaced"
    ORAL_AGENT = "if an oral agent was started"
    INSULIN = "if insulin was started"
    EMERGENCY = "if life-threatening"
    FASTING = "if fasting"
    AT_REST = "if at rest"
    NOT_PERIPHERAL = "if not taken at the skin"
    INFARCTION = "if at the level of infarction"
    BASELINE_BELOW_LLN = "if baseline below LLN"
    BASELINE_UP_TO_5_ULN = "if baseline up to 5 x ULN"


@dataclass(frozen=True, slots=True)
class Comparison:
    """One comparison, with the number *factor* in *unit*, or with a multiple of a limit.

    *offset*, in *unit*, is added to the multiple: ``> ULN + 2``. **measure* is another measure
    of about the same time that is compared instead of the value itself.
    """

    operator: Operator
    factor: Decimal
    multiple_of: Input | None
    unit: str | None
    offset: Decimal = Decimal(0)
    measure: str | None = None

    @property
    def is_change_from_baseline(self) -> bool:
        """True when it asks for a distance from the baseline, not only for a side of it."""
        is_side = self.factor == 1 and self.unit is None
        return self.multiple_of is Input.BASELINE and not is_side


@dataclass(frozen=True, slots=True)
class Threshold:
    """Met when every one of *comparisons* is, and *condition* holds when there is one.

    *min_duration*: only once those of the value itself have held for longer than that. *sum_over*:
    the hours over which the value was summed, as its measure says.
    """

    comparisons: tuple[Comparison, ...]
    condition: Condition | None
    text: str
    min_duration: timedelta | None = None
    sum_over: int | None = None

    def applies_in_unit(self, unit: str) -> bool:
        """Return True when the threshold applies to a value in *unit*."""
        return all(c.unit in (None, unit) for c in self.list_value_comparisons())

    def select_comparisons(self, *, with_baseline: bool) -> tuple[Comparison, ...]:
        """Return the comparisons that apply; without a baseline only those with limits of normal.

        Without a baseline, a threshold that asks for a change from it has none: it cannot be met.

        Source: docs/decisions/grading.md, "Baseline"
        """
        if with_baseline:
            return self.comparisons
        if any(c.is_change_from_baseline for c in self.comparisons):
            return ()
        return tuple(c for c in self.comparisons if c.multiple_of is not Input.BASELINE)

    def list_value_comparisons(self) -> tuple[Comparison, ...]:
        """Return the comparisons of the value itself."""
        return tuple(c for c in self.comparisons if c.measure is None)


@dataclass(frozen=True, slots=True)
class Arm:
    """Thresholds for one kind of baseline; a grade is met when any one of its own is met."""

    population: ArmPopulation
    grades: Mapping[Grade, tuple[Threshold, ...]]


@dataclass(frozen=True, slots=True)
class Criterion:
    """One published term.

    *wordings* has every published grade; an arm has only those that a number can decide. *arms* are
    by measure: a term may be read from several, each by itself. *directions* has the measures that
    move against *direction*, *unfollowed_measures* those that are only companions in a course.
    *min_duration*: the definition asks that a grade lasts for longer; None: it does not.
    """

    id: str
    term: str
    meddra_code: str
    soc: str
    direction: Direction
    wordings: Mapping[Grade, str]
    arms: Mapping[str, tuple[Arm, ...]]
    source: str
    directions: Mapping[str, Direction] = field(default_factory=dict)
    unfollowed_measures: frozenset[str] = frozenset()
    min_duration: timedelta | None = None

    @property
    def measures(self) -> tuple[str, ...]:
        """The measures that it is graded from, in the order of the file."""
        return tuple(self.arms)

    def find_direction(self, measure: str) -> Direction:
        """Return the direction in which *measure* moves as the event gets worse."""
        return self.directions.get(measure, self.direction)

    def list_units(self, measure: str) -> tuple[str, ...]:
        """Return the published units; empty when all thresholds are multiples of a limit."""
        units = [
            comparison.unit
            for arm in self.arms[measure]
            for any_of in arm.grades.values()
            for threshold in any_of
            for comparison in threshold.list_value_comparisons()
            if comparison.unit
        ]
        return tuple(dict.fromkeys(units))
