"""A syndrome in one participant: a scale followed through the facts charted at the bedside."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from typing import Protocol as Interface

from services.safety_rules.domain.grade_runs.fact_timeline import FactTimeline, StepResult
from services.safety_rules.domain.grade_runs.grade_run import GradeRun
from services.safety_rules.domain.syndromes import acute_gvhd_course, chronic_gvhd, crs, icans
from services.safety_rules.domain.syndromes.bedside import BedsideContext
from services.safety_rules.domain.syndromes.gvhd_criteria import ACUTE_GVHD, CHRONIC_GVHD
from services.vocabulary.fact import Fact
from services.vocabulary.grade import Grade
from services.vocabulary.measure import Measure
from services.vocabulary.protocol import Protocol

ScaleState = Any  # each scale has its own


class SyndromeScale(Interface):
    """A published scale; its states are its own."""

    def reads_fact(self, fact: Fact, protocol: Protocol, /) -> bool:
        """Return True when *fact* may change the syndrome."""

    def make_initial_state(
        self, protocol: Protocol, measures: Mapping[str, Measure], context: BedsideContext, /
    ) -> ScaleState:
        """Return the state before any fact."""

    def step_state(
        self, state: ScaleState, instant: datetime, facts: Sequence[Fact], /
    ) -> StepResult[ScaleState]:
        """Return the state after one instant, and the episode that ended then."""

    def find_open_run(self, state: ScaleState, /) -> GradeRun | None:
        """Return the episode that may still change, if there is one."""

    def find_last_seen_at(self, state: ScaleState, /) -> datetime | None:
        """Return the last instant at which the open episode was graded."""

    def list_readings(self, state: ScaleState, /) -> Sequence[Fact]:
        """Return the last reading of each sign, and what each organ was last staged by."""

    def list_earlier_readings(self, state: ScaleState, /) -> Sequence[Fact]:
        """Return the readings before exposure that the baseline was taken from."""


SCALES: Mapping[str, SyndromeScale] = {
    "astct-2019.crs": crs,
    "astct-2019.icans": icans,
    ACUTE_GVHD: acute_gvhd_course,
    CHRONIC_GVHD: chronic_gvhd,
}


class FollowedSyndrome:
    """A timeline of charted facts that is stepped through again when the context changes."""

    baseline_grade = Grade.NONE

    def __init__(
        self, scale: SyndromeScale, protocol: Protocol, measures: Mapping[str, Measure]
    ) -> None:
        """Start with nothing charted."""
        self._scale = scale
        self._protocol = protocol
        self._measures = measures
        self.timeline: FactTimeline[ScaleState] = FactTimeline(
            scale.make_initial_state(protocol, measures, BedsideContext()), scale.step_state
        )

    def change(self, fact: Fact, *, stands: bool) -> None:
        """Add or remove *fact*."""
        (self.timeline.insert if stands else self.timeline.remove)(fact)

    def restart(self, context: BedsideContext) -> None:
        """Step through everything again in another context."""
        self.timeline.restart(
            self._scale.make_initial_state(self._protocol, self._measures, context),
            self._scale.step_state,
        )

    def find_open_run(self) -> GradeRun | None:
        """Return the episode that may still change, if there is one."""
        return self._scale.find_open_run(self.timeline.compute_state())

    def find_last_seen_at(self) -> datetime | None:
        """Return the last instant at which the open episode was graded."""
        return self._scale.find_last_seen_at(self.timeline.compute_state())

    def list_readings(self, instant: datetime) -> list[Fact]:
        """Return the last reading of each sign by *instant*, in time order."""
        readings = self._scale.list_readings(self.timeline.find_state(instant))
        return sorted(readings, key=lambda fact: (fact.observed_at, fact.id))

    def list_baseline_facts(self, instant: datetime) -> list[Fact]:
        """Return the readings before exposure that signs at *instant* are compared with."""
        return list(self._scale.list_earlier_readings(self.timeline.find_state(instant)))
