"""From the bytes of one message to what it says: the dispatcher."""

from collections.abc import Callable, Iterator

from services.ingest.domain.hl7 import merges, movements, moves
from services.ingest.domain.hl7.administrations import administrations
from services.ingest.domain.hl7.context import Context, Item, header_context, patient_keys
from services.ingest.domain.hl7.message import Message, parse
from services.ingest.domain.hl7.observations import observations
from services.ingest.domain.hl7.times import offset_of, read_time
from services.ingest.domain.message_content import (
    Draft,
    MergeDraft,
    MessageContent,
    MoveDraft,
    ParkedItem,
    ParkReason,
    Refused,
)
from services.ingest.domain.site import CodeTables, Sites

_PRODUCTION = ("", "P")
_OTHER = "other"  # the kinds of messages are a closed set: they label metrics


def read(raw: bytes, sites: Sites, tables: CodeTables) -> MessageContent | Refused:
    """Return what the message says, or why it can never be accepted.

    Args:
        raw: One message, without its frame.
        sites: Of the study.
        tables: What every site may use.
    """
    message = parse(raw)
    if isinstance(message, Refused):
        return message
    refused = _refused(message, sites)
    if refused is not None:
        return refused
    site = sites.by_sender[message.sender]
    written = message.header.text(7)
    sent = read_time(written, site.timezone, offset_of(written))
    if sent is None:
        problem, remedy = (
            "there is no readable time of the message",
            "write it as YYYYMMDDHHMMSS+ZZZZ",
        )
        return Refused("MSH-7", problem, remedy, message.header.text(10), message.sender)
    return _read(message, header_context(message, site, tables, sent.at))


def _refused(message: Message, sites: Sites) -> Refused | None:
    """Return why the message is not for us, or cannot be answered for; None when it can."""
    header = message.header
    control_id, sender = header.text(10), message.sender

    def refused(where: str, problem: str, remedy: str) -> Refused:
        return Refused(where, problem, remedy, control_id, sender)

    if not control_id:
        return refused("MSH-10", "there is no message control id", "give every message its own")
    if len(list(message.all("MSH"))) > 1:
        return refused("MSH", "this is more than one message", "send each in a frame of its own")
    if sender not in sites.by_sender:
        return refused(
            "MSH-3, MSH-4", f"no site sends as {sender}", "name it under senders in sites.yaml"
        )
    if header.text(11) not in _PRODUCTION:
        problem = f"processing id {header.text(11)} is not production"
        return refused("MSH-11", problem, "send test messages to a test system")
    return None


def _read(message: Message, context: Context) -> MessageContent:
    code, event = message.kind
    reader = _reader(code, event)
    items = list(reader(context))
    return MessageContent(
        context.site.id,
        message.sender,
        message.header.text(10),
        _OTHER if reader is _unsupported else f"{code}^{event}",
        context.sent_at,
        tuple(item for item in items if isinstance(item, Draft)),
        tuple(item for item in items if isinstance(item, MergeDraft)),
        tuple(item for item in items if isinstance(item, MoveDraft)),
        tuple(item for item in items if isinstance(item, ParkedItem)),
        tuple(patient_keys(patient, 3, context) for patient in message.all("PID")),
    )


def _reader(code: str, event: str) -> Callable[[Context], Iterator[Item]]:
    if (code, event) in _READERS:
        return _READERS[code, event]
    if code == "ADT" and event in movements.EVENTS:
        return movements.movements
    if code == "ADT" and event in merges.EVENTS:
        return merges.merges
    if code == "ADT" and event in moves.EVENTS:
        return moves.moves
    return _unsupported


def _unsupported(context: Context) -> Iterator[Item]:
    code, event = context.message.kind
    detail = f"messages of type {code}^{event} are not read"
    yield ParkedItem("MSH.9", ParkReason.UNSUPPORTED_MESSAGE, detail)


_READERS: dict[tuple[str, str], Callable[[Context], Iterator[Item]]] = {
    ("ORU", "R01"): observations,
    ("ORU", "R30"): observations,
    ("ORU", "R31"): observations,
    ("RAS", "O17"): administrations,
}
