"""The evidence from which the standings of one participant are computed."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from services.safety_rules.domain.facts.anchors import Anchors
from services.vocabulary.episode import EpisodeContent
from services.vocabulary.protocol_event import EventPattern


@dataclass(frozen=True, slots=True)
class StandingInputs:
    """The evidence of one participant.

    Args:
        participant: Pseudonym.
        anchors: Of the participant.
        records: Every record by criterion, in the order of onset, retracted ones excluded.
        steroids: Instants of protocol-scheduled steroid doses.
        known_at: The instant up to which the absence of a contrary reading means something.
        matches: Returns True when a criterion id belongs to a pattern's term or term set.
        is_laboratory: Returns True when a criterion id is graded from a laboratory value.
    """

    participant: str
    anchors: Anchors
    records: Mapping[str, Sequence[EpisodeContent]]
    steroids: tuple[datetime, ...]
    known_at: datetime
    matches: Callable[[str, EventPattern], bool]
    is_laboratory: Callable[[str], bool]
