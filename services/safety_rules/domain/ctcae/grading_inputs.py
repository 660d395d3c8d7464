"""All that is known of one reading, in one unit, and what of it is missing.

Source: docs/decisions/grading.md, "INR", "diffusing capacity", "v6 ALT and AST", "creatinine"
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from services.safety_rules.domain.ctcae.criterion import (
    Baseline,
    Comparison,
    Condition,
    Direction,
    Threshold,
)
from services.safety_rules.domain.ctcae.ranges import Range, range_of
from services.safety_rules.domain.ctcae.units import rescaled
from services.vocabulary.grade import Input
from services.vocabulary.quantity import Quantity

_UP_TO = 5  # x ULN, of `Condition.BASELINE_UP_TO_5_ULN`
_ASKS = {
    Condition.SYMPTOMATIC: Input.SYMPTOMS,
    Condition.MODERATELY_SYMPTOMATIC: Input.SYMPTOMS,
    Condition.SYMPTOMATIC_OR_REPLACED: Input.SYMPTOMS,
    Condition.ORAL_AGENT: Input.INTERVENTION,
    Condition.INSULIN: Input.INTERVENTION,
    Condition.EMERGENCY: Input.INTERVENTION,
    Condition.FASTING: Input.FASTING,
    Condition.AT_REST: Input.AT_REST,
    Condition.INFARCTION: Input.INFARCTION,
}
_OF_BASELINE = {
    Condition.BASELINE_BELOW_LLN: Input.LLN,
    Condition.BASELINE_UP_TO_5_ULN: Input.ULN,
}


@dataclass(frozen=True, slots=True)
class Known:
    """All that is known of one reading, in one unit.

    Args:
        unit: In which value and limits are given.
        lies: Where the value lies.
        value: The value, None when it is not exactly known.
        imprecise: What the value lacks: itself, or an albumin.
        limits: Those that are known and possible.
        misfits: Those that were reported in a unit that does not fit.
        compares_with_baseline: False for the baseline itself and what lies before.
        conditions: Those that are known to hold, or not to.
        anticoagulated: None: not known.
        sustained: As in the reading.
        beside: As in the reading.
    """

    unit: str
    lies: Range
    value: Decimal | None
    imprecise: Input
    limits: Mapping[Input, Quantity]
    misfits: frozenset[Input]
    compares_with_baseline: bool
    conditions: Mapping[Condition, bool]
    anticoagulated: bool | None
    sustained: Mapping[Comparison, timedelta] | timedelta | None
    beside: Mapping[str, Quantity]

    def exact(self, name: Input) -> Decimal | None:
        """Return a limit that is known, and not only as a bound."""
        found = self.limits.get(name)
        return None if found is None or found.censoring is not None else found.value

    def is_for(self, arm: Baseline, direction: Direction) -> bool | None:
        """Return whether *arm* is this participant's, None when that is not known."""
        match arm:
            case Baseline.NORMAL | Baseline.ABNORMAL:
                is_abnormal = self._baseline_is_abnormal(direction)
                return None if is_abnormal is None else is_abnormal is (arm is Baseline.ABNORMAL)
            case Baseline.NONE | Baseline.AVAILABLE:
                if self.compares_with_baseline and Input.BASELINE not in self.limits:
                    return None
                return self.compares_with_baseline is (arm is Baseline.AVAILABLE)
            case Baseline.UNTREATED | Baseline.ANTICOAGULATED:
                on = self.anticoagulated
                return None if on is None else on is (arm is Baseline.ANTICOAGULATED)
        return True

    def _baseline_is_abnormal(self, direction: Direction) -> bool | None:
        if not self.compares_with_baseline:
            return False
        baseline, limit = self.exact(Input.BASELINE), self.exact(direction.limit)
        if baseline is None or limit is None:
            return None
        return baseline > limit if direction is Direction.HIGH else baseline < limit

    def lasted(self, threshold: Threshold) -> bool:
        """Say whether *threshold* has held for as long as it has to."""
        if threshold.lasting is None:
            return True
        if isinstance(self.sustained, timedelta):
            return self.sustained > threshold.lasting
        held = self.sustained or {}
        none = timedelta(0)
        return all(held.get(c, none) > threshold.lasting for c in threshold.of_the_value())

    def range_beside(self, compared: Comparison) -> Range:
        """Return where the other measure that is *compared* lies, in the unit of the comparison."""
        given = self.beside.get(compared.measure or "")
        return range_of(None if given is None else rescaled(given, compared.unit or ""))

    def exactly_beside(self, compared: Comparison) -> Decimal | None:
        """Return the other measure that is *compared*, None when it is not exactly known."""
        lies = self.range_beside(compared)
        return lies.low.number if lies.low == lies.high else None

    def condition(self, asked: Condition) -> bool | None:
        """Return whether *asked* holds, None when it is not known, or when no text covers it."""
        limit_name = _OF_BASELINE.get(asked)
        if limit_name is None:
            return self.conditions.get(asked)
        if not self.compares_with_baseline:
            return False
        baseline, limit = self.exact(Input.BASELINE), self.exact(limit_name)
        if baseline is None or limit is None:
            return None
        if asked is Condition.BASELINE_BELOW_LLN:
            return baseline < limit
        return True if baseline <= _UP_TO * limit else None

    def lacks(self, asked: Condition) -> Input:
        """Return what has to be known to decide *asked*."""
        limit_name = _OF_BASELINE.get(asked)
        if limit_name is None:
            return Input.SEVERITY if self._lacks_severity(asked) else _ASKS[asked]
        if self.exact(Input.BASELINE) is None:
            return Input.BASELINE
        return limit_name if self.exact(limit_name) is None else Input.TEXT

    def _lacks_severity(self, asked: Condition) -> bool:
        is_symptomatic = self.conditions.get(Condition.SYMPTOMATIC) is True
        return asked is Condition.MODERATELY_SYMPTOMATIC and is_symptomatic
