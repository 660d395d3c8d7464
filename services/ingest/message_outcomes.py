"""A message as it was read, and its outcome."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from services.ingest.domain.hl7.acknowledgement import AckCode
from services.ingest.domain.message_content import MessageContent, ParkedItem, ParkReason, Refusal
from services.ingest.facts import FactsContent
from services.ingest.line_outcomes import build_line_outcomes
from services.ingest.outcome import Outcome, Submission
from services.ingest.unread_messages import may_pass
from services.store import parking
from services.store.journal import Arrival, RawMessage
from services.store.session import Connection
from services.vocabulary.fact import RANGE_NOT_READ, Fact


@dataclass(frozen=True, slots=True)
class ReadMessage:
    """A message that can be accepted, with its content and the row that keeps it."""

    submission: Submission
    content: MessageContent | FactsContent
    message: RawMessage

    def without_failed_lines(self) -> "ReadMessage":
        """Return the message without the items of lines of facts that failed."""
        parked = tuple(
            item for item in self.content.parked if item.reason is not ParkReason.NOT_STORED
        )
        return replace(self, content=replace(self.content, parked=parked))


def build_accepted_outcome(
    read_message: ReadMessage,
    facts: Sequence[Fact],
    parked: Sequence[ParkedItem],
    *,
    duplicate: bool = False,
) -> Outcome:
    """Return the outcome of a message; a duplicate has parked nothing, though something waits."""
    message, content = read_message.message, read_message.content
    lines = (
        build_line_outcomes(message, content, facts, parked)
        if isinstance(content, FactsContent)
        else ()
    )
    return Outcome(
        AckCode.ACCEPT,
        site=content.site,
        kind=content.kind,
        facts=len(facts),
        parked=() if duplicate else tuple(parked),
        duplicate=duplicate,
        received_at=message.received_at,
        observed=tuple(fact.observed_at for fact in facts),
        unread_ranges=sum(RANGE_NOT_READ in fact.notes for fact in facts),
        lines=lines,
    )


def not_stored_outcome(error: Exception) -> Outcome:
    """Return the outcome of a message that was not stored, or not confirmed, because of *error*."""
    refusal = Refusal("MSH", f"could not be stored ({type(error).__name__})", "send it again")
    return Outcome(AckCode.ERROR, refusal, is_transient=may_pass(error))


def load_open_items(
    conn: Connection, message: ReadMessage, arrivals: Sequence[Arrival]
) -> list[ParkedItem]:
    """Return the open parked items of facts that were stored before, or are among *arrivals*."""
    if not isinstance(message.content, FactsContent):
        return []
    message_id = message.message.id
    rows = [
        *parking.load_parked(conn, message=message_id),
        *(row for one in arrivals if one.message.id == message_id for row in one.parked),
    ]
    return [ParkedItem(row.path, ParkReason(row.reason), row.detail) for row in rows]
