"""The dispatcher: reads one message by the reader of its type."""

from collections.abc import Callable, Iterator
from typing import Any, get_args

from services.ingest.domain.hl7 import merges, movements, moves
from services.ingest.domain.hl7.administrations import read_administrations
from services.ingest.domain.hl7.context import Context, Item, build_context, read_patient_keys
from services.ingest.domain.hl7.message import Message, parse_header, parse_message
from services.ingest.domain.hl7.observations import read_observations
from services.ingest.domain.hl7.times import find_offset, read_time
from services.ingest.domain.message_content import (
    FactDraft,
    MergeDraft,
    MessageContent,
    MoveDraft,
    ParkedItem,
    ParkReason,
    Refusal,
)
from services.ingest.domain.message_size import (
    MOST_ITEMS,
    park_too_many_identifiers,
    park_too_many_lines,
)
from services.ingest.domain.quoted_text import quote_in
from services.ingest.domain.site import CodeTables, Sites

_PRODUCTION = ("", "P")
_IDENTIFIERS = (("PID", 3), ("MRG", 1))  # fields
OTHER_KIND = "other"  # the kinds of messages are a closed set: they label metrics


def read_message(
    raw: bytes, sites: Sites, tables: CodeTables, most_items: int = MOST_ITEMS
) -> MessageContent | Refusal:
    """Return the content of a message, or the refusal of one that can never be accepted.

    Args:
        raw: One message, without its frame.
        sites: Sites of the study.
        tables: Codes, units, drugs and words that every site may use.
        most_items: Lines that are read; a message of more is parked whole.
    """
    item = park_too_many_lines(raw, most_items)
    message = parse_header(raw) if item else parse_message(raw)
    if isinstance(message, Refusal):
        return message
    refusal = _find_refusal(message, sites)
    if refusal is not None:
        return refusal
    site = sites.by_sender[message.sender]
    time_text = message.header.text(7)
    sent_time = read_time(time_text, site.timezone, find_offset(time_text))
    if sent_time is None:
        problem, remedy = (
            "there is no readable time of the message",
            "write it as YYYYMMDDHHMMSS+ZZZZ",
        )
        return Refusal("MSH-7", problem, remedy, message.header.text(10), message.sender)
    context = build_context(message, site, tables, sent_time.instant)
    item = item or _park_too_many_identifiers(message)
    return _build_content(context, OTHER_KIND, [item]) if item else _read_content(context)


def _find_refusal(message: Message, sites: Sites) -> Refusal | None:
    """Return the refusal of a message that is not for this system; None when it may be read."""
    header = message.header
    control_id, sender = header.text(10), message.sender

    def refuse(where: str, problem: str, remedy: str, masked_problem: str = "") -> Refusal:
        return Refusal(where, problem, remedy, control_id, sender, masked_problem)

    if not control_id:
        return refuse("MSH-10", "there is no message control id", "give every message its own")
    if len(list(message.segments_named("MSH"))) > 1:
        remedy = "send each in a frame, request or record of its own"
        return refuse("MSH", "this is more than one message", remedy)
    if sender not in sites.by_sender:
        problem, masked_problem = quote_in("no site sends as {}", sender)
        remedy = "name it under senders in sites.yaml"
        return refuse("MSH-3, MSH-4", problem, remedy, masked_problem)
    if header.text(11) not in _PRODUCTION:
        problem, masked_problem = quote_in("processing id {} is not production", header.text(11))
        return refuse("MSH-11", problem, "send test messages to a test system", masked_problem)
    return None


def _park_too_many_identifiers(message: Message) -> ParkedItem | None:
    """Return the parked item of a message with more identifiers of a patient than are read."""
    counts = (
        (f"{segment.name}[{segment.number}].{field}", len(segment.repetitions(field)))
        for name, field in _IDENTIFIERS
        for segment in message.segments_named(name)
    )
    items = (park_too_many_identifiers(path, count) for path, count in counts)
    return next((item for item in items if item), None)


def _read_content(context: Context) -> MessageContent:
    code, event = context.message.kind
    reader = _find_reader(code, event)
    kind = OTHER_KIND if reader is _park_unsupported else f"{code}^{event}"
    return _build_content(context, kind, list(_read_items(reader, context)))


def _build_content(context: Context, kind: str, items: list[Item]) -> MessageContent:
    message = context.message
    items_by_type: dict[type, list[Any]] = {one: [] for one in get_args(Item)}
    for item in items:
        items_by_type[type(item)].append(item)
    return MessageContent(
        context.site.id,
        message.sender,
        message.header.text(10),
        kind,
        context.sent_at,
        tuple(items_by_type[FactDraft]),
        tuple(items_by_type[MergeDraft]),
        tuple(items_by_type[MoveDraft]),
        tuple(items_by_type[ParkedItem]),
        tuple(read_patient_keys(patient, 3, context) for patient in message.segments_named("PID")),
    )


def _read_items(reader: "_Reader", context: Context) -> Iterator[Item]:
    """Yield all that *reader* and the readers of results and drugs make of the message.

    Results and drugs are read in any message, as a temperature that comes with an ADT. What was
    accepted never comes to nothing: a message that exists for them and has none is parked, and so
    are lines that begin with no name of a segment.
    """
    yield from reader(context)
    if reader is _park_unsupported:
        return
    names = {segment.name for segment in context.message.segments}
    for name, other_reader in _READER_OF_SEGMENT.items():
        if name in names and other_reader is not reader:
            yield from other_reader(context)
    expected = [name for name, one in _READER_OF_SEGMENT.items() if one is reader]
    if expected and names.isdisjoint(_READER_OF_SEGMENT):
        detail = f"there is no {expected[0]} in it: nothing of it can be read"
        yield ParkedItem("MSH.9", ParkReason.UNSUPPORTED_MESSAGE, detail)
    if lines := context.message.nameless_lines:
        detail = f"{len(lines)} lines begin with no name of a segment, the first is line {lines[0]}"
        yield ParkedItem(f"line {lines[0]}", ParkReason.UNREADABLE_LINE, detail)


def _find_reader(code: str, event: str) -> "_Reader":
    if (code, event) in _READERS:
        return _READERS[code, event]
    if code == "ADT" and event in movements.EVENTS:
        return movements.read_movements
    if code == "ADT" and event in merges.EVENTS:
        return merges.read_merges
    if code == "ADT" and event in moves.EVENTS:
        return moves.read_moves
    return _park_unsupported


def _park_unsupported(context: Context) -> Iterator[Item]:
    code, event = context.message.kind
    texts = quote_in("messages of type {} are not read", f"{code}^{event}")
    yield ParkedItem("MSH.9", ParkReason.UNSUPPORTED_MESSAGE, *texts)


_Reader = Callable[[Context], Iterator[Item]]
_READER_OF_SEGMENT: dict[str, _Reader] = {"OBX": read_observations, "RXA": read_administrations}
# Results of orders (R01 to R32), of specimens and containers (OUL), of a query (R04), of devices
# (R40: IHE PCD-04)
_RESULT_EVENTS = {
    "ORU": ("R01", "R30", "R31", "R32", "R40"),
    "OUL": ("R21", "R22", "R23", "R24"),
    "ORF": ("R04",),
}
_READERS: dict[tuple[str, str], _Reader] = {
    ("RAS", "O17"): read_administrations,
    **{
        (code, event): read_observations
        for code, events in _RESULT_EVENTS.items()
        for event in events
    },
}
