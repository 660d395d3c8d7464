"""A grading criterion as data: published wording beside the thresholds that stand for it."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from services.vocabulary.grade import Grade, Input
from services.vocabulary.quantity import Quantity


class Direction(StrEnum):
    """Which way a measure moves as the event gets worse."""

    HIGH = "high"
    LOW = "low"

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


class Baseline(StrEnum):
    """Which participants an arm is for; abnormal is above ULN for a high, below LLN for a low."""

    ANY = "any baseline"
    NORMAL = "baseline normal"
    ABNORMAL = "baseline abnormal"


class Condition(StrEnum):
    """What must hold beside the number, in the words of the criteria files."""

    SYMPTOMATIC = "if symptomatic"
    ORAL_AGENT = "if an oral agent was started"
    INSULIN = "if insulin was started"
    EMERGENCY = "if life-threatening"
    FASTING = "if fasting"
    AT_REST = "if at rest"
    LASTING = "if for longer than 24 h"
    BASELINE_BELOW_LLN = "if baseline below LLN"
    BASELINE_UP_TO_5_ULN = "if baseline up to 5 x ULN"


@dataclass(frozen=True, slots=True)
class Comparison:
    """One comparison, with a number in *unit* or a multiple; *factor* is positive."""

    operator: Operator
    factor: Decimal
    multiple_of: Input | None
    unit: str | None


@dataclass(frozen=True, slots=True)
class Threshold:
    """Met when every one of *comparisons* is, and *condition* holds when there is one."""

    comparisons: tuple[Comparison, ...]
    condition: Condition | None
    text: str

    def in_unit(self, unit: str) -> bool:
        """Say whether the threshold applies to a value in *unit*."""
        return all(c.unit in (None, unit) for c in self.comparisons)


@dataclass(frozen=True, slots=True)
class Arm:
    """Thresholds for one kind of baseline; a grade is met when any one of its own is met."""

    baseline: Baseline
    grades: Mapping[Grade, tuple[Threshold, ...]]


@dataclass(frozen=True, slots=True)
class Criterion:
    """One published term.

    *says* has every published grade; an arm has only those that a number can decide. *arms* are
    by measure: a term may be read from several, each by itself. *sustained_above* is the value
    whose duration decides a grade, or None.
    """

    id: str
    term: str
    meddra_code: str
    soc: str
    direction: Direction
    says: Mapping[Grade, str]
    arms: Mapping[str, tuple[Arm, ...]]
    source: str
    sustained_above: Quantity | None = None

    @property
    def measures(self) -> tuple[str, ...]:
        """What may be measured for it, in the order of the file."""
        return tuple(self.arms)

    def units(self, measure: str) -> tuple[str, ...]:
        """Return the published unit systems: none where all is written in multiples."""
        found = [
            comparison.unit
            for arm in self.arms[measure]
            for any_of in arm.grades.values()
            for threshold in any_of
            for comparison in threshold.comparisons
            if comparison.unit
        ]
        return tuple(dict.fromkeys(found))
