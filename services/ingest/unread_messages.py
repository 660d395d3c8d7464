"""Messages that fail for what they are: kept as they came, and parked as ``not-stored``.

A reader or a database that cannot take a message will not take it the next time either, so its
sender is not asked to send it again. It is stored under its own sender and control id, without
facts. `aegis parked retry` reads it again, and the same bytes sent again are a duplicate.
"""

from datetime import datetime
from hashlib import sha256

from services.ingest.domain.hl7.message import read_header
from services.ingest.domain.message_content import ParkedItem, ParkReason, Refusal
from services.ingest.domain.site import Sites
from services.ingest.facts import name_facts
from services.ingest.ids import bound_control_id, message_id
from services.ingest.outcome import Submission
from services.ingest.parked_rows import build_parked_rows
from services.ingest.refused_messages import find_sending_site
from services.store.journal import Arrival, RawMessage
from services.store.session import DatabaseError, is_transient
from services.store.vault import Keys

_UNKNOWN_PLACE = Refusal("MSH", "", "")


def may_pass(error: Exception) -> bool:
    """Return True when the same message may be stored later: a full disk, a lost connection."""
    if isinstance(error, DatabaseError):
        return is_transient(error)
    return isinstance(error, OSError | MemoryError)


def park_unread(error: Exception, place: str = "message") -> ParkedItem:
    """Return the parked item of a message, or of one line of facts, that failed by *error*.

    >>> park_unread(OverflowError()).detail
    'it failed (OverflowError): see the log, then `aegis parked retry`'
    """
    detail = f"it failed ({type(error).__name__}): see the log, then `aegis parked retry`"
    return ParkedItem(place, ParkReason.NOT_STORED, detail)


def build_unread_arrival(
    keys: Keys, submission: Submission, sites: Sites, received_at: datetime, item: ParkedItem
) -> Arrival:
    """Return *submission* as it came, without facts, and with *item* as the reason."""
    body = submission.body
    digest = sha256(body).hexdigest()
    if submission.form == "facts":
        sender, control_id = name_facts(digest, submission.site, submission.actor)
    else:
        sender, control_id = name_message(body)
    message = RawMessage(
        id=message_id(sender, control_id, digest),
        received_at=received_at,
        site=find_sending_site(sites, submission, _UNKNOWN_PLACE),
        sender=sender,
        control_id=bound_control_id(control_id),
        sha256=digest,
        source=submission.source,
        clock="wall",
        body=body,
    )
    return Arrival(message, (), tuple(build_parked_rows(keys, message, [item])))


def name_message(body: bytes) -> tuple[str, str]:
    """Return sender and control id of an HL7 v2 message, as far as its header can be read."""
    header = read_header(body)
    if isinstance(header, Refusal):
        return "|", ""
    sender, control_id = f"{header.text(3)}|{header.text(4)}", header.text(10)
    return sender.replace("\0", ""), control_id.replace("\0", "")
