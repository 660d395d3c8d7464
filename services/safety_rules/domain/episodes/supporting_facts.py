"""The facts beside a reading that may decide its grade: companion values, drugs, findings."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from services.safety_rules.domain.ctcae.clinician_findings import ParticipantFindings
from services.safety_rules.domain.ctcae.concomitant_drugs import ConcomitantDrugs
from services.safety_rules.domain.facts.nearest_reading import NearestReadings
from services.vocabulary.fact import Fact
from services.vocabulary.quantity import Quantity


@dataclass(frozen=True, slots=True, eq=False)
class SupportingFacts:
    """The standing facts of one participant that are looked up beside readings.

    *companions* has the readings of each measure that is graded beside another one.
    """

    drugs: ConcomitantDrugs
    findings: ParticipantFindings = field(default_factory=ParticipantFindings)
    companions: Mapping[str, NearestReadings] = field(default_factory=dict)

    def list_companion_values(self, measure: str, instant: datetime) -> Sequence[Quantity]:
        """Return the values of *measure* nearest to *instant*; none if none is near."""
        return self.companions[measure].list_nearest(instant)

    def list_companion_facts(self, measure: str, instant: datetime) -> Sequence[Fact]:
        """Return the facts of `list_companion_values`."""
        return self.companions[measure].list_nearest_facts(instant)
