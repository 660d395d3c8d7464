"""Results as multiples of their upper limit of normal, whatever the baseline was."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import lru_cache

from services.safety_rules.domain.ctcae.compiled import CompiledCriterion
from services.safety_rules.domain.ctcae.corrected_calcium import correct_calcium_range
from services.safety_rules.domain.ctcae.grading import NoBaseline, Reading, collect_inputs
from services.safety_rules.domain.ctcae.ranges import Range, RangeEnd, find_range
from services.safety_rules.domain.ctcae.units import convert_to_published_unit
from services.vocabulary.clinical_fact import Observation
from services.vocabulary.fact import Fact
from services.vocabulary.grade import Input
from services.vocabulary.quantity import Quantity

_CACHED_LIMITS = 20_000  # of all participants


@dataclass(frozen=True, slots=True)
class UlnResult:
    """One result with its limit; *missing* names the inputs that are not known."""

    observed_at: datetime
    measure: str
    value_range: Range | None
    uln: Decimal | None
    fact: str
    words: str
    provisional: bool
    missing: tuple[str, ...] = ()

    def is_over(self, multiple: Decimal) -> bool | None:
        """True if it is more than *multiple* times the limit; None: not known."""
        if self.value_range is None or self.uln is None:
            return None
        limit = RangeEnd(self.uln * multiple)
        if self.value_range.low > limit:
            return True
        return False if self.value_range.high <= limit else None

    def is_below(self, multiple: Decimal) -> bool | None:
        """True if it is less than *multiple* times the limit; None: not known."""
        if self.value_range is None or self.uln is None:
            return None
        limit = RangeEnd(self.uln * multiple)
        if self.value_range.high < limit:
            return True
        return False if self.value_range.low >= limit else None


def compare_with_uln(fact: Fact, criteria: Mapping[str, CompiledCriterion]) -> UlnResult | None:
    """Return the result of *fact* with its limit; None when it is no result of these measures.

    An impossible value or limit (out of all bounds, limits the wrong way round) is not known.

    Args:
        fact: Any.
        criteria: By measure, one that is graded from it, for its units and plausible values.
    """
    body = fact.body
    if not isinstance(body, Observation) or body.measure not in criteria:
        return None
    criterion = criteria[body.measure]
    grading = criterion.gradings[body.measure]
    value_range, uln, missing = None, None, [str(Input.VALUE)]
    if body.value is not None:
        value = convert_to_published_unit(body.value, grading.units, grading.ion)
        missing = [str(Input.UNIT)]
        if value is not None:
            key = _LimitKey(body.measure, value.unit, body.lln, body.uln)
            uln, value_range = (
                _find_limit(criterion, key),
                find_range(value, grading.find_plausible_range(value.unit)),
            )
            if body.measure == "calcium":
                value_range = correct_calcium_range(value_range, value.unit, None) or value_range
            unknown = {Input.VALUE: value_range.low != value_range.high, Input.ULN: uln is None}
            missing = [str(name) for name, is_unknown in unknown.items() if is_unknown]
    return UlnResult(
        fact.observed_at,
        body.measure,
        value_range,
        uln,
        fact.id,
        _describe_result(body),
        not fact.status.is_final,
        tuple(missing),
    )


@dataclass(frozen=True, slots=True)
class _LimitKey:
    """The measure, unit and limits that results share: the key of their cached limit."""

    measure: str
    unit: str
    lln: Quantity | None
    uln: Quantity | None


@lru_cache(maxsize=_CACHED_LIMITS)
def _find_limit(criterion: CompiledCriterion, key: _LimitKey) -> Decimal | None:
    """Return the upper limit of results with *key*; None if impossible, or only a bound."""
    unit_value = Quantity(Decimal(1), key.unit)
    reading = Reading(key.measure, unit_value, key.lln, key.uln)
    inputs = collect_inputs(criterion.gradings[key.measure], reading, NoBaseline(), unit_value)
    return inputs.find_exact_limit(Input.ULN)


def _describe_result(body: Observation) -> str:
    name = body.measure.upper() if body.measure in ("alt", "ast", "alp") else body.measure
    if body.value is None:
        return f"{name} without a number"
    limit = f"ULN {body.uln.value}" if body.uln else "ULN not known"
    return f"{name} {body.value.censoring or ''}{body.value.value} {body.value.unit} ({limit})"
