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
from services.vocabulary.fact import Fact, Observation
from services.vocabulary.grade import Input
from services.vocabulary.quantity import Quantity

_AT_HAND = 20_000  # kinds of results, of all participants


@dataclass(frozen=True, slots=True)
class UlnResult:
    """One result beside its limit; *missing* names what is not known of the two."""

    observed_at: datetime
    measure: str
    value_range: Range | None
    uln: Decimal | None
    fact: str
    words: str
    provisional: bool
    missing: tuple[str, ...] = ()

    def is_over(self, multiple: Decimal) -> bool | None:
        """Say whether it is more than *multiple* times the limit; None: not known."""
        if self.value_range is None or self.uln is None:
            return None
        limit = RangeEnd(self.uln * multiple)
        if self.value_range.low > limit:
            return True
        return False if self.value_range.high <= limit else None

    def is_below(self, multiple: Decimal) -> bool | None:
        """Say whether it is less than *multiple* times the limit; None: not known."""
        if self.value_range is None or self.uln is None:
            return None
        limit = RangeEnd(self.uln * multiple)
        if self.value_range.high < limit:
            return True
        return False if self.value_range.low >= limit else None


def compare_with_uln(fact: Fact, criteria: Mapping[str, CompiledCriterion]) -> UlnResult | None:
    """Return what *fact* says beside its limit; None when it is no result of these measures.

    What cannot be (a value out of all bounds, limits the wrong way round) counts as not known.

    Args:
        fact: Any.
        criteria: By measure, one that is graded from it: it knows units and what is plausible.
    """
    body = fact.body
    if not isinstance(body, Observation) or body.measure not in criteria:
        return None
    criterion = criteria[body.measure]
    measured = criterion.gradings[body.measure]
    lies, uln, missing = None, None, [str(Input.VALUE)]
    if body.value is not None:
        value = convert_to_published_unit(body.value, measured.units, measured.valence)
        missing = [str(Input.UNIT)]
        if value is not None:
            like = _Like(body.measure, value.unit, body.lln, body.uln)
            uln, lies = (
                _limit(criterion, like),
                find_range(value, measured.find_plausible_range(value.unit)),
            )
            if body.measure == "calcium":
                lies = correct_calcium_range(lies, value.unit, None) or lies
            unknown = {Input.VALUE: lies.low != lies.high, Input.ULN: uln is None}
            missing = [str(name) for name, is_unknown in unknown.items() if is_unknown]
    return UlnResult(
        fact.observed_at,
        body.measure,
        lies,
        uln,
        fact.id,
        _words(body),
        not fact.status.is_final,
        tuple(missing),
    )


@dataclass(frozen=True, slots=True)
class _Like:
    """What results of one measure have in common, in the unit in which they are compared."""

    measure: str
    unit: str
    lln: Quantity | None
    uln: Quantity | None


@lru_cache(maxsize=_AT_HAND)
def _limit(criterion: CompiledCriterion, like: _Like) -> Decimal | None:
    """Return the upper limit of results that are *like*; None when it cannot be, or is a bound."""
    one = Quantity(Decimal(1), like.unit)
    reading = Reading(like.measure, one, like.lln, like.uln)
    known = collect_inputs(criterion.gradings[like.measure], reading, NoBaseline(), one)
    return known.find_exact_limit(Input.ULN)


def _words(body: Observation) -> str:
    name = body.measure.upper() if body.measure in ("alt", "ast", "alp") else body.measure
    if body.value is None:
        return f"{name} without a number"
    limit = f"ULN {body.uln.value}" if body.uln else "ULN not known"
    return f"{name} {body.value.censoring or ''}{body.value.value} {body.value.unit} ({limit})"
