"""The known inputs of one grade, in one unit, and the missing ones.

Source: docs/decisions/grading.md, "INR", "diffusing capacity", "v6 ALT and AST", "creatinine"
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal

from services.safety_rules.domain.ctcae.criterion import (
    ArmPopulation,
    Comparison,
    Condition,
    Direction,
    Threshold,
)
from services.safety_rules.domain.ctcae.ranges import Range, RangeEnd, find_range
from services.safety_rules.domain.ctcae.units import rescale_quantity
from services.vocabulary.grade import Input
from services.vocabulary.quantity import Quantity

_MAX_ULN_MULTIPLE = 5  # x ULN, of `Condition.BASELINE_UP_TO_5_ULN`
_INPUT_OF_CONDITION = {
    Condition.SYMPTOMATIC: Input.SYMPTOMS,
    Condition.MODERATELY_SYMPTOMATIC: Input.SYMPTOMS,
    Condition.SYMPTOMATIC_OR_REPLACED: Input.SYMPTOMS,
    Condition.ORAL_AGENT: Input.INTERVENTION,
    Condition.INSULIN: Input.INTERVENTION,
    Condition.EMERGENCY: Input.INTERVENTION,
    Condition.FASTING: Input.FASTING,
    Condition.AT_REST: Input.AT_REST,
    Condition.NOT_PERIPHERAL: Input.CORE_TEMPERATURE,
    Condition.INFARCTION: Input.INFARCTION,
}
_LIMIT_OF_CONDITION = {
    Condition.BASELINE_BELOW_LLN: Input.LLN,
    Condition.BASELINE_UP_TO_5_ULN: Input.ULN,
}
OWN_LIMIT = {Input.LLN: Input.BASELINE_LLN, Input.ULN: Input.BASELINE_ULN}


@dataclass(frozen=True, slots=True)
class BaselineReport:
    """The baseline beside the limits that it is judged by, in the unit it was reported in.

    *limits* has those that are exactly known.

    Source: docs/decisions/grading.md, "normal and abnormal baseline"
    """

    value_range: Range
    limits: Mapping[Input, Decimal]

    def is_beyond(self, name: Input, multiple: int = 1) -> bool | None:
        """Return True when it is above *multiple* x ULN, or below LLN; None: not known."""
        limit = self.limits.get(name)
        if limit is None:
            return None
        low, high, end = self.value_range.low, self.value_range.high, RangeEnd(limit * multiple)
        if name is Input.ULN:
            return True if low > end else (False if high <= end else None)
        return True if high < end else (False if low >= end else None)


@dataclass(frozen=True, slots=True)
class GradingInputs:
    """The known inputs of one grade, in one unit.

    Args:
        unit: Of value and limits.
        value_range: The range in which the value lies.
        value: The value, None when it is not exactly known.
        imprecise_input: The reason why the value is not exact: itself, or an albumin.
        limits: Those that are known and possible.
        misfits: Those that were reported in a unit that does not fit.
        compares_with_baseline: False for the baseline itself and earlier readings.
        conditions: Those that are known to hold, or not to.
        is_anticoagulated: None: not known.
        held_durations: As in the reading.
        companions: As in the reading.
        baseline_report: The baseline beside its limits; None: it is not known.
        has_own_limits: True if the baseline was reported with limits of its own, known or not;
            False: those of the reading are its own.
    """

    unit: str
    value_range: Range
    value: Decimal | None
    imprecise_input: Input
    limits: Mapping[Input, Quantity]
    misfits: frozenset[Input]
    compares_with_baseline: bool
    conditions: Mapping[Condition, bool]
    is_anticoagulated: bool | None
    held_durations: Mapping[Comparison, timedelta] | timedelta | None
    companions: Mapping[str, Quantity]
    baseline_report: BaselineReport | None = None
    has_own_limits: bool = False

    def without_limits(self) -> "GradingInputs":
        """Return these inputs without a limit or a baseline."""
        return replace(self, limits={}, baseline_report=None)

    def name_limit_of_baseline(self, name: Input) -> Input:
        """Return the name of the limit *name* by which the baseline is judged."""
        return OWN_LIMIT[name] if self.has_own_limits else name

    def find_exact_limit(self, name: Input) -> Decimal | None:
        """Return a limit that is exactly known, None when it is missing or only a bound."""
        limit = self.limits.get(name)
        return None if limit is None or limit.censoring is not None else limit.value

    def is_in_population(self, arm: ArmPopulation, direction: Direction) -> bool | None:
        """Return True when *arm* is this participant's, None when that is not known."""
        match arm:
            case ArmPopulation.NORMAL_BASELINE | ArmPopulation.ABNORMAL_BASELINE:
                is_abnormal = self._baseline_is_abnormal(direction)
                return (
                    None
                    if is_abnormal is None
                    else is_abnormal is (arm is ArmPopulation.ABNORMAL_BASELINE)
                )
            case ArmPopulation.BASELINE_UNAVAILABLE | ArmPopulation.BASELINE_AVAILABLE:
                if self.compares_with_baseline and Input.BASELINE not in self.limits:
                    return None
                return self.compares_with_baseline is (arm is ArmPopulation.BASELINE_AVAILABLE)
            case ArmPopulation.OFF_ANTICOAGULATION | ArmPopulation.ON_ANTICOAGULATION:
                is_anticoagulated = self.is_anticoagulated
                return (
                    None
                    if is_anticoagulated is None
                    else is_anticoagulated is (arm is ArmPopulation.ON_ANTICOAGULATION)
                )
        return True

    def _baseline_is_abnormal(self, direction: Direction) -> bool | None:
        if not self.compares_with_baseline:
            return False
        report = self.baseline_report
        return None if report is None else report.is_beyond(direction.limit)

    def has_lasted(self, threshold: Threshold) -> bool:
        """Return True when *threshold* has held for longer than its least duration."""
        if threshold.min_duration is None:
            return True
        if isinstance(self.held_durations, timedelta):
            return self.held_durations > threshold.min_duration
        held_durations = self.held_durations or {}
        zero = timedelta(0)
        return all(
            held_durations.get(c, zero) > threshold.min_duration
            for c in threshold.list_value_comparisons()
        )

    def find_companion_range(self, comparison: Comparison) -> Range:
        """Return the range of the other measure of *comparison*, in the unit of the comparison."""
        companion = self.companions.get(comparison.measure or "")
        return find_range(
            None if companion is None else rescale_quantity(companion, comparison.unit or "")
        )

    def find_exact_companion(self, comparison: Comparison) -> Decimal | None:
        """Return the value of the other measure of *comparison*, None when it is not exact."""
        companion_range = self.find_companion_range(comparison)
        return companion_range.low.number if companion_range.low == companion_range.high else None

    def evaluate_condition(self, condition: Condition) -> bool | None:
        """Return True when *condition* holds, None when it is unknown or when no text covers it."""
        limit_name = _LIMIT_OF_CONDITION.get(condition)
        if limit_name is None:
            return self.conditions.get(condition)
        if not self.compares_with_baseline:
            return False
        if self.baseline_report is None:
            return None
        if condition is Condition.BASELINE_BELOW_LLN:
            return self.baseline_report.is_beyond(limit_name)
        is_above = self.baseline_report.is_beyond(limit_name, _MAX_ULN_MULTIPLE)
        return True if is_above is False else None

    def find_missing_input(self, condition: Condition) -> Input:
        """Return the input that would decide *condition*."""
        limit_name = _LIMIT_OF_CONDITION.get(condition)
        if limit_name is None:
            return (
                Input.SEVERITY
                if self._lacks_severity(condition)
                else _INPUT_OF_CONDITION[condition]
            )
        report = self.baseline_report
        if report is None or report.value_range.low != report.value_range.high:
            return Input.BASELINE
        is_known = limit_name in report.limits
        return Input.TEXT if is_known else self.name_limit_of_baseline(limit_name)

    def _lacks_severity(self, condition: Condition) -> bool:
        is_symptomatic = self.conditions.get(Condition.SYMPTOMATIC) is True
        return condition is Condition.MODERATELY_SYMPTOMATIC and is_symptomatic
