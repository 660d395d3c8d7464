"""A message that is submitted, and its outcome."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, Literal

from services.ingest.domain.hl7.acknowledgement import AckCode
from services.ingest.domain.message_content import ParkedItem, Refusal

Source = Literal["mllp", "http", "kafka", "file", "person", "participants"]
ENTERED: Final = "person"  # the source of what somebody enters by a command, fact by fact
MessageFormat = Literal["hl7v2", "facts"]


@dataclass(frozen=True, slots=True)
class Submission:
    """A message as somebody sent it.

    Args:
        body: The bytes as received.
        source: The channel.
        site: The site that has authenticated itself, or empty.
        actor: The person who enters it, or empty.
        form: One message of HL7 v2, or facts one to a line.
        place: Its place for the sender, e.g. ``labs.hl7, message 3``.
        address: The network address of the sender, or empty.
        refusal: The reason for which it is refused unread; *body* is its beginning.
    """

    body: bytes
    source: Source
    site: str = ""
    actor: str = ""
    form: MessageFormat = "hl7v2"
    place: str = ""
    address: str = ""
    refusal: Refusal | None = None


class LineResult(StrEnum):
    """The result of one line of facts."""

    STORED = "stored"
    DUPLICATE = "duplicate"
    PARKED = "parked"


@dataclass(frozen=True, slots=True)
class LineOutcome:
    """The outcome of one line of facts.

    Args:
        line: Its number; the first is 1.
        result: Stored now, before (here or in another message), or parked.
        item: The reason when it is parked.
    """

    line: int
    result: LineResult
    item: ParkedItem | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of a submission; accepted means that it is on disk.

    Args:
        answer: Accepted, error (send it again) or rejected.
        refusal: The reason when it was not accepted.
        site: The sending site, empty when unknown.
        kind: Type of the message, e.g. ``ORU^R01``; ``other`` for types that are not read.
        facts: Number of facts.
        parked: Items that wait, with their reasons.
        duplicate: True when the same bytes were accepted before.
        is_transient: True when the same message may be accepted later.
        received_at: By the clock of this installation; None when it was refused.
        observed: The time of observation of each fact.
        unread_ranges: Number of facts whose reference range was not read.
        lines: The outcome of each line of a message of facts; empty when it is parked whole.
    """

    answer: AckCode
    refusal: Refusal | None = None
    site: str = ""
    kind: str = ""
    facts: int = 0
    parked: tuple[ParkedItem, ...] = ()
    duplicate: bool = False
    is_transient: bool = True
    received_at: datetime | None = None
    observed: tuple[datetime, ...] = ()
    unread_ranges: int = 0
    lines: tuple[LineOutcome, ...] = ()

    @property
    def may_be_stored_later(self) -> bool:
        """True when nothing is wrong with the message: storing it failed for now."""
        return self.answer is AckCode.ERROR and self.is_transient
