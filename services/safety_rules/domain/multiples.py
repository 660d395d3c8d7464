"""Results as multiples of their upper limit of normal, whatever the baseline was."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from services.safety_rules.domain.compiled import CompiledCriterion
from services.safety_rules.domain.grading import NoBaseline, Reading, what_is_known
from services.safety_rules.domain.laboratory import FINAL
from services.safety_rules.domain.ranges import End, Range
from services.safety_rules.domain.units import in_published_unit
from services.vocabulary.fact import Fact, Observation
from services.vocabulary.grade import Input


@dataclass(frozen=True, slots=True)
class Result:
    """One result beside its limit; *missing* names what is not known of the two."""

    at: datetime
    measure: str
    lies: Range | None
    uln: Decimal | None
    fact: str
    words: str
    provisional: bool
    missing: tuple[str, ...] = ()

    def is_over(self, multiple: Decimal) -> bool | None:
        """Say whether it is more than *multiple* times the limit; None: not known."""
        if self.lies is None or self.uln is None:
            return None
        limit = End(self.uln * multiple)
        if self.lies.low > limit:
            return True
        return False if self.lies.high <= limit else None

    def is_below(self, multiple: Decimal) -> bool | None:
        """Say whether it is less than *multiple* times the limit; None: not known."""
        if self.lies is None or self.uln is None:
            return None
        limit = End(self.uln * multiple)
        if self.lies.high < limit:
            return True
        return False if self.lies.low >= limit else None


def result(fact: Fact, criteria: Mapping[str, CompiledCriterion]) -> Result | None:
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
    measured = criterion.measured[body.measure]
    lies, uln, missing = None, None, [str(Input.VALUE)]
    if body.value is not None:
        value = in_published_unit(body.value, measured.units, measured.valence)
        missing = [str(Input.UNIT)]
        if value is not None:
            reading = Reading(body.measure, body.value, body.lln, body.uln)
            known = what_is_known(measured, reading, NoBaseline(), value)
            lies, uln = known.lies, known.exact(Input.ULN)
            unknown = {Input.VALUE: known.value, Input.ULN: uln}
            missing = [str(name) for name, number in unknown.items() if number is None]
    return Result(
        fact.observed_at,
        body.measure,
        lies,
        uln,
        fact.id,
        _words(body),
        fact.status not in FINAL,
        tuple(missing),
    )


def _words(body: Observation) -> str:
    name = body.measure.upper() if body.measure in ("alt", "ast", "alp") else body.measure
    if body.value is None:
        return f"{name} without a number"
    limit = f"ULN {body.uln.value}" if body.uln else "ULN not known"
    return f"{name} {body.value.censoring or ''}{body.value.value} {body.value.unit} ({limit})"
