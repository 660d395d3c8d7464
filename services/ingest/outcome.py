"""What comes in, and what became of it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from services.ingest.domain.hl7.acknowledgement import Answer
from services.ingest.domain.message_content import ParkedItem, Refusal

Source = Literal["mllp", "http", "kafka", "file", "person", "participants"]
Form = Literal["hl7v2", "facts"]


@dataclass(frozen=True, slots=True)
class Submission:
    """Bytes that somebody sent.

    Args:
        body: As they came.
        source: The way by which they came.
        site: The one that has authenticated itself, or empty.
        actor: The person who enters them, or empty.
        form: One message of HL7 v2, or facts one to a line.
        place: Where the sender finds them again, e.g. ``labs.hl7, message 3``.
    """

    body: bytes
    source: Source
    site: str = ""
    actor: str = ""
    form: Form = "hl7v2"
    place: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of it: accepted means that it is on disk.

    Args:
        answer: Accepted, send again, or never acceptable.
        refusal: Why it was not accepted.
        site: Whose it was, empty when nobody's.
        kind: Of message, e.g. ``ORU^R01``; ``other`` for all that are not read.
        facts: How many came of it.
        parked: What waits, and why.
        duplicate: The very same bytes were accepted before.
        is_transient: The same may be accepted later; False: it failed for what it is.
        received_at: By the clock that this installation goes by; None when it was refused.
        observed: When each fact was true.
    """

    answer: Answer
    refusal: Refusal | None = None
    site: str = ""
    kind: str = ""
    facts: int = 0
    parked: tuple[ParkedItem, ...] = ()
    duplicate: bool = False
    is_transient: bool = True
    received_at: datetime | None = None
    observed: tuple[datetime, ...] = ()
