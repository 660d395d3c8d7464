"""Readings that differ only in their value: what they have in common, prepared once for all."""

from dataclasses import dataclass
from functools import lru_cache

from services.safety_rules.domain.circumstances import Circumstances
from services.safety_rules.domain.compiled import CompiledCriterion
from services.safety_rules.domain.findings import Seen
from services.safety_rules.domain.grading import Baseline, Lasting, Reading
from services.safety_rules.domain.prepared import Prepared, prepared
from services.vocabulary.quantity import Quantity

_AT_HAND = 20_000  # of all participants: those of one laboratory have most of theirs in common


@dataclass(frozen=True, slots=True)
class Alike:
    """All that a reading of one measure is graded by, but its value; see `Reading`."""

    measure: str
    unit: str
    lln: Quantity | None
    uln: Quantity | None
    albumin: Quantity | None
    fasting: bool | None
    at_rest: bool | None
    about: Circumstances
    seen: Seen
    beside: tuple[tuple[str, Quantity], ...]

    def reading(self, value: Quantity | None, sustained: Lasting | None = None) -> Reading:
        """Return the reading of *value*."""
        return Reading(
            measure=self.measure,
            value=value,
            lln=self.lln,
            uln=self.uln,
            albumin=self.albumin,
            symptoms=self.seen.symptoms,
            infarction=self.seen.infarction,
            fasting=self.fasting,
            at_rest=self.at_rest,
            treatment=self.about.treatment,
            replaced=self.about.replaced,
            anticoagulated=self.about.anticoagulated,
            sustained=sustained,
            beside=dict(self.beside),
        )


@lru_cache(maxsize=_AT_HAND)
def prepared_for(criterion: CompiledCriterion, alike: Alike, baseline: Baseline) -> Prepared:
    """Return how values are graded under *criterion* that are *alike* but for their number."""
    return prepared(criterion, alike.reading(None), baseline, alike.unit)
