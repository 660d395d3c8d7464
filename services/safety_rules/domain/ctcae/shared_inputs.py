"""Readings that differ only in their value: what they have in common, prepared once for all."""

from dataclasses import dataclass
from functools import lru_cache

from services.safety_rules.domain.ctcae.clinician_findings import Seen
from services.safety_rules.domain.ctcae.compiled import CompiledCriterion
from services.safety_rules.domain.ctcae.concomitant_drugs import Circumstances
from services.safety_rules.domain.ctcae.grading import Baseline, Lasting, Reading
from services.safety_rules.domain.ctcae.prepared_grading import Prepared, prepared
from services.vocabulary.fact import Observation
from services.vocabulary.quantity import Quantity

_AT_HAND = 20_000  # of all participants: those of one laboratory have most of theirs in common


# What was so of the participant, what somebody saw, the albumin of a calcium, others by name
Beside = tuple[Circumstances, Seen, Quantity | None, tuple[tuple[str, Quantity], ...]]


@dataclass(frozen=True, slots=True)
class Alike:
    """All that a reading of one measure is graded by, but its value; see `Reading`."""

    measure: str
    unit: str
    lln: Quantity | None
    uln: Quantity | None
    fasting: bool | None
    at_rest: bool | None
    beside: Beside

    @staticmethod
    def of(body: Observation, beside: Beside) -> "Alike":
        """Return what *body* is graded by, but its value."""
        unit = "" if body.value is None else body.value.unit
        return Alike(body.measure, unit, body.lln, body.uln, body.fasting, body.at_rest, beside)

    def is_of(self, body: Observation, beside: Beside) -> bool:
        """Say whether a reading of the same measure is graded by the same."""
        unit = "" if body.value is None else body.value.unit
        is_within = body.lln == self.lln and body.uln == self.uln
        is_as_taken = body.fasting is self.fasting and body.at_rest is self.at_rest
        return is_within and is_as_taken and unit == self.unit and beside == self.beside

    def reading(self, value: Quantity | None, sustained: Lasting | None = None) -> Reading:
        """Return the reading of *value*."""
        about, seen, albumin, others = self.beside
        return Reading(
            measure=self.measure,
            value=value,
            lln=self.lln,
            uln=self.uln,
            albumin=albumin,
            symptoms=seen.symptoms,
            infarction=seen.infarction,
            fasting=self.fasting,
            at_rest=self.at_rest,
            treatment=about.treatment,
            replaced=about.replaced,
            anticoagulated=about.anticoagulated,
            sustained=sustained,
            beside=dict(others),
        )


@lru_cache(maxsize=_AT_HAND)
def prepared_for(criterion: CompiledCriterion, alike: Alike, baseline: Baseline) -> Prepared:
    """Return how values are graded under *criterion* that are *alike* but for their number."""
    return prepared(criterion, alike.reading(None), baseline, alike.unit)
