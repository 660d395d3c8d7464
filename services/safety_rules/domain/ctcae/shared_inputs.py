"""Readings that differ only in their value: what they have in common, prepared once for all."""

from dataclasses import dataclass
from functools import lru_cache

from services.safety_rules.domain.ctcae.clinician_findings import FindingSummary
from services.safety_rules.domain.ctcae.compiled import CompiledCriterion
from services.safety_rules.domain.ctcae.concomitant_drugs import DrugContext
from services.safety_rules.domain.ctcae.grading import Baseline, HeldDurations, Reading
from services.safety_rules.domain.ctcae.prepared_grading import PreparedGrading, prepare_grading
from services.vocabulary.fact import Observation
from services.vocabulary.quantity import Quantity

_CACHE_SIZE = 20_000  # of all participants: those of one laboratory have most of theirs in common


# What was so of the participant, what somebody saw, the albumin of a calcium, others by name
ReadingContext = tuple[
    DrugContext, FindingSummary, Quantity | None, tuple[tuple[str, Quantity], ...]
]


@dataclass(frozen=True, slots=True)
class SharedInputs:
    """All that a reading of one measure is graded by, but its value; see `Reading`."""

    measure: str
    unit: str
    lln: Quantity | None
    uln: Quantity | None
    fasting: bool | None
    at_rest: bool | None
    context: ReadingContext

    @staticmethod
    def from_observation(body: Observation, beside: ReadingContext) -> "SharedInputs":
        """Return what *body* is graded by, but its value."""
        unit = "" if body.value is None else body.value.unit
        return SharedInputs(
            body.measure, unit, body.lln, body.uln, body.fasting, body.at_rest, beside
        )

    def matches(self, body: Observation, beside: ReadingContext) -> bool:
        """Say whether a reading of the same measure is graded by the same."""
        unit = "" if body.value is None else body.value.unit
        is_within = body.lln == self.lln and body.uln == self.uln
        is_as_taken = body.fasting is self.fasting and body.at_rest is self.at_rest
        return is_within and is_as_taken and unit == self.unit and beside == self.context

    def make_reading(
        self, value: Quantity | None, sustained: HeldDurations | None = None
    ) -> Reading:
        """Return the reading of *value*."""
        about, seen, albumin, others = self.context
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
            is_replaced=about.is_replaced,
            is_anticoagulated=about.is_anticoagulated,
            held_durations=sustained,
            companions=dict(others),
        )


@lru_cache(maxsize=_CACHE_SIZE)
def find_prepared_grading(
    criterion: CompiledCriterion, alike: SharedInputs, baseline: Baseline
) -> PreparedGrading:
    """Return how values are graded under *criterion* that are *alike* but for their number."""
    return prepare_grading(criterion, alike.make_reading(None), baseline, alike.unit)
