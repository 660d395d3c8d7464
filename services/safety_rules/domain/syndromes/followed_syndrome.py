"""A syndrome in one participant: a scale followed through what is charted at the bedside."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from typing import Protocol as Interface

from services.safety_rules.domain.runs.run import Run
from services.safety_rules.domain.runs.track import FactTrack, StepResult
from services.safety_rules.domain.syndromes import crs, icans
from services.safety_rules.domain.syndromes.bedside import BedsideContext
from services.vocabulary.fact import Fact
from services.vocabulary.grade import Grade
from services.vocabulary.measure import Measure
from services.vocabulary.protocol import Protocol


class SyndromeScale(Interface):
    """A published scale; its states are its own."""

    def reads_fact(self, fact: Fact, protocol: Protocol, /) -> bool:
        """Say whether *fact* may change the syndrome."""

    def make_initial_state(
        self, protocol: Protocol, measures: Mapping[str, Measure], context: BedsideContext, /
    ) -> Any:  # noqa: ANN401
        """Return the state before any fact."""

    def step_state(self, state: Any, at: datetime, facts: Sequence[Fact], /) -> StepResult[Any]:  # noqa: ANN401
        """Return the state after one instant, and the episode that ended then."""

    def find_open_run(self, state: Any, /) -> Run | None:  # noqa: ANN401
        """Return the episode that may still change, if there is one."""

    def find_last_seen_at(self, state: Any, /) -> datetime | None:  # noqa: ANN401
        """Return when that was last looked at."""


SCALES: Mapping[str, SyndromeScale] = {"astct-2019.crs": crs, "astct-2019.icans": icans}


class FollowedSyndrome:
    """A track of what is charted that is stepped through again when the context changes."""

    baseline_grade = Grade.NONE

    def __init__(
        self, scale: SyndromeScale, protocol: Protocol, measures: Mapping[str, Measure]
    ) -> None:
        """Start with nothing charted."""
        self._scale = scale
        self._protocol = protocol
        self._measures = measures
        self.track: FactTrack[Any] = FactTrack(
            scale.make_initial_state(protocol, measures, BedsideContext()), scale.step_state
        )

    def change(self, fact: Fact, *, stands: bool) -> None:
        """Let *fact* stand, or stand no longer."""
        (self.track.insert if stands else self.track.remove)(fact)

    def restart(self, context: BedsideContext) -> None:
        """Step through everything again in another context."""
        self.track.restart(
            self._scale.make_initial_state(self._protocol, self._measures, context),
            self._scale.step_state,
        )

    def find_open_run(self) -> Run | None:
        """Return the episode that may still change, if there is one."""
        return self._scale.find_open_run(self.track.compute_state())

    def find_last_seen_at(self) -> datetime | None:
        """Return when that was last looked at."""
        return self._scale.find_last_seen_at(self.track.compute_state())
