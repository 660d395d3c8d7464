"""A syndrome in one participant: a scale followed through what is charted at the bedside."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from typing import Protocol as Interface

from services.safety_rules.domain.runs.run import Run
from services.safety_rules.domain.runs.track import Stepped, Track
from services.safety_rules.domain.syndromes import crs, icans
from services.safety_rules.domain.syndromes.bedside import BedsideContext
from services.vocabulary.fact import Fact
from services.vocabulary.grade import Grade
from services.vocabulary.protocol import Protocol


class Scale(Interface):
    """A published scale; its states are its own."""

    def reads(self, fact: Fact, protocol: Protocol, /) -> bool:
        """Say whether *fact* may change the syndrome."""

    def initial(self, protocol: Protocol, context: BedsideContext, /) -> Any:  # noqa: ANN401
        """Return the state before any fact."""

    def step(self, state: Any, at: datetime, facts: Sequence[Fact], /) -> Stepped[Any]:  # noqa: ANN401
        """Return the state after one instant, and the episode that ended then."""

    def unended(self, state: Any, /) -> Run | None:  # noqa: ANN401
        """Return the episode that may still change, if there is one."""

    def last_seen(self, state: Any, /) -> datetime | None:  # noqa: ANN401
        """Return when that was last looked at."""


SCALES: Mapping[str, Scale] = {"astct-2019.crs": crs, "astct-2019.icans": icans}


class Syndrome:
    """A track of what is charted that is stepped through again when the context changes."""

    baseline_grade = Grade.NONE

    def __init__(self, scale: Scale, protocol: Protocol) -> None:
        """Start with nothing charted."""
        self._scale = scale
        self._protocol = protocol
        self.track: Track[Any] = Track(scale.initial(protocol, BedsideContext()), scale.step)

    def change(self, fact: Fact, *, stands: bool) -> None:
        """Let *fact* stand, or stand no longer."""
        (self.track.insert if stands else self.track.remove)(fact)

    def restart(self, context: BedsideContext) -> None:
        """Step through everything again in another context."""
        self.track.restart(self._scale.initial(self._protocol, context), self._scale.step)

    def unended(self) -> Run | None:
        """Return the episode that may still change, if there is one."""
        return self._scale.unended(self.track.state())

    def last_seen(self) -> datetime | None:
        """Return when that was last looked at."""
        return self._scale.last_seen(self.track.state())
