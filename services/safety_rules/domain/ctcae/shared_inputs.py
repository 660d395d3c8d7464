"""Readings that differ only in their value: their shared inputs, prepared once for all."""

from dataclasses import dataclass
from functools import lru_cache

from services.safety_rules.domain.ctcae.clinician_findings import FindingSummary
from services.safety_rules.domain.ctcae.compiled import CompiledCriterion
from services.safety_rules.domain.ctcae.concomitant_drugs import DrugContext
from services.safety_rules.domain.ctcae.grading import Baseline, HeldDurations, Reading
from services.safety_rules.domain.ctcae.prepared_grading import PreparedGrading, prepare_grading
from services.vocabulary.clinical_fact import Observation
from services.vocabulary.quantity import Quantity

_CACHE_SIZE = 20_000  # of all participants: those of one laboratory have most of theirs in common


# Drugs, findings, the albumin of a calcium, other companions by measure
ReadingContext = tuple[
    DrugContext, FindingSummary, Quantity | None, tuple[tuple[str, Quantity], ...]
]


@dataclass(frozen=True, slots=True)
class SharedInputs:
    """All inputs of a grade but the value; see `Reading`."""

    measure: str
    unit: str
    lln: Quantity | None
    uln: Quantity | None
    fasting: bool | None
    at_rest: bool | None
    is_peripheral: bool
    context: ReadingContext

    @staticmethod
    def from_observation(body: Observation, context: ReadingContext) -> "SharedInputs":
        """Return the inputs of the grade of *body*, but its value."""
        unit = "" if body.value is None else body.value.unit
        return SharedInputs(
            measure=body.measure,
            unit=unit,
            lln=body.lln,
            uln=body.uln,
            fasting=body.fasting,
            at_rest=body.at_rest,
            is_peripheral=body.peripheral is True,
            context=context,
        )

    def matches(self, body: Observation, context: ReadingContext) -> bool:
        """Return True when *body*, of the same measure, has the same inputs but for its value."""
        unit = "" if body.value is None else body.value.unit
        is_within = body.lln == self.lln and body.uln == self.uln
        is_in_same_state = body.fasting is self.fasting and body.at_rest is self.at_rest
        is_as_taken = is_in_same_state and (body.peripheral is True) is self.is_peripheral
        return is_within and is_as_taken and unit == self.unit and context == self.context

    def make_reading(
        self, value: Quantity | None, held_durations: HeldDurations | None = None
    ) -> Reading:
        """Return the reading of *value*."""
        drugs, findings, albumin, companions = self.context
        return Reading(
            measure=self.measure,
            value=value,
            lln=self.lln,
            uln=self.uln,
            albumin=albumin,
            symptoms=findings.symptoms,
            infarction=findings.infarction,
            fasting=self.fasting,
            at_rest=self.at_rest,
            is_peripheral=self.is_peripheral,
            treatment=drugs.treatment,
            is_replaced=drugs.is_replaced,
            is_anticoagulated=drugs.is_anticoagulated,
            held_durations=held_durations,
            companions=dict(companions),
        )


@lru_cache(maxsize=_CACHE_SIZE)
def find_prepared_grading(
    criterion: CompiledCriterion, shared_inputs: SharedInputs, baseline: Baseline
) -> PreparedGrading:
    """Return the grading under *criterion* of values that have *shared_inputs*."""
    return prepare_grading(
        criterion, shared_inputs.make_reading(None), baseline, shared_inputs.unit
    )
