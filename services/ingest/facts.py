"""Aegis's own form of a fact, one JSON object to a line: for files, for HTTP and for people."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256

from msgspec import structs

from services.ingest.closed_texts import ClosedTexts
from services.ingest.domain.hl7.times import EARLIEST_YEAR
from services.ingest.domain.message_content import ParkedItem, ParkReason, Refusal
from services.ingest.domain.message_size import MOST_ITEMS, park_too_many_lines
from services.ingest.domain.quoted_text import quote_in
from services.ingest.fact_names import FactNames
from services.ingest.json_line import read_json_object
from services.ingest.line_places import name_line
from services.runtime import wire
from services.runtime.fact_schema import make_fact_schema
from services.vocabulary.fact import Fact

FACTS_SENDER = "facts|"  # the person or the site follows

_TIMES = ("observed_at", "reported_at")
_GREATEST_SEQUENCE = 2**63 - 1  # of 64 bits
_MEANING = {
    "json_invalid": "its lists and objects lie too deep in one another",
    "missing": "is missing",
    "unexpected_keyword_argument": "there is no such key",
    "decimal_text": 'write a number as a string of digits, e.g. "0.49"',
    "union_tag_invalid": "there is no such kind",
    "union_tag_not_found": "its kind is missing",
}


@dataclass(frozen=True, slots=True)
class FactLine:
    """A fact with its place (``line 3``) and its sender's own id."""

    place: str
    sender_id: str
    fact: Fact


@dataclass(frozen=True, slots=True)
class FactsContent:
    """Facts that name their participant by pseudonym.

    *site* is the one that sent them, empty when a person entered them.
    """

    site: str
    sender: str
    control_id: str
    kind: str
    sent_at: datetime | None
    facts: tuple[FactLine, ...]
    parked: tuple[ParkedItem, ...]


def read_facts(
    body: bytes,
    site: str,
    actor: str,
    names: FactNames,
    most_items: int = MOST_ITEMS,
    *,
    is_entered: bool = False,
    failed_lines: Collection[ParkedItem] = (),
) -> FactsContent | Refusal:
    """Return the facts of a message; a line that is no fact is parked, the others are kept.

    A body without any fact that is not UTF-8 is refused.

    Args:
        body: UTF-8, one object to a line.
        site: That has authenticated itself; empty for a person.
        actor: Who entered them; empty for a site.
        names: That the study knows.
        most_items: Lines that are read; a message of more is parked whole.
        is_entered: True when *actor* has entered it by a command: comments are kept.
        failed_lines: Lines that are not read, for they failed before.
    """
    item = park_too_many_lines(body, most_items)
    facts, wrong = ([], [item]) if item else read_lines(body, names, failed_lines)
    if names.texts is not None:
        sender = "" if is_entered else site or actor
        facts, wrong = _close_texts(facts, wrong, sender, names.texts)
    is_unreadable = all(item.reason is ParkReason.UNREADABLE_LINE for item in wrong)
    if not facts and is_unreadable and (position := _find_wrong_byte(body)) is not None:
        problem = f"byte {position} is not UTF-8"
        return Refusal("body", problem, "send one JSON object to a line, in UTF-8")
    sender, control_id = name_facts(sha256(body).hexdigest(), site, actor)
    return FactsContent(
        site,
        sender,
        control_id,
        "facts",
        max((line.fact.reported_at for line in facts), default=None),
        tuple(facts),
        tuple(wrong),
    )


def name_facts(digest: str, site: str, actor: str) -> tuple[str, str]:
    """Return sender and control id of a message of facts, of whose bytes *digest* is the sha256."""
    return f"{FACTS_SENDER}{actor or site}", digest[:32]


def read_lines(
    body: bytes, names: FactNames, failed_lines: Collection[ParkedItem] = ()
) -> tuple[list[FactLine], list[ParkedItem]]:
    """Return the facts in *body*, and the lines that are no facts or have a name not in *names*.

    Lines at the place of one of *failed_lines* are not read, and are among the latter.

    A fact without an id gets the hash of its line, and one without a time of report its time of
    observation.
    """
    facts, wrong = [], []
    failed_items = {item.path: item for item in failed_lines}
    for number, line in enumerate(body.split(b"\n"), 1):
        if not line.strip():
            continue
        place = name_line(number)
        if failed_item := failed_items.get(place):
            wrong.append(failed_item)
            continue
        fact = _read_line(line)
        if isinstance(fact, tuple):
            wrong.append(ParkedItem(place, ParkReason.UNREADABLE_LINE, *fact))
        elif item := names.find_unknown_name(fact.body, place):
            wrong.append(item)
        else:
            facts.append(FactLine(place, fact.id or fact.digest, fact))
    return facts, wrong


def _close_texts(
    facts: Sequence[FactLine], wrong: Sequence[ParkedItem], sender: str, texts: ClosedTexts
) -> tuple[list[FactLine], list[ParkedItem]]:
    """Return *facts* of *sender* in words of closed sets, and *wrong* ones.

    Where there is no sender, somebody has entered them one by one: that is kept but for causes.
    """
    if not sender:
        return [
            replace(one, fact=structs.replace(one.fact, body=texts.close_cause(one.fact.body)))
            for one in facts
        ], list(wrong)
    unknown = {one.place: texts.find_unknown_word(one.fact.body, one.place) for one in facts}
    return [
        replace(one, fact=texts.close_fact(one.fact, sender))
        for one in facts
        if unknown[one.place] is None
    ], [*wrong, *(item for item in unknown.values() if item is not None)]


def _find_wrong_byte(body: bytes) -> int | None:
    """Return the position of the first byte that is not UTF-8."""
    try:
        body.decode()
    except UnicodeDecodeError as error:
        return error.start
    return None


def _read_line(line: bytes) -> Fact | tuple[str, ...]:
    """Return the fact, or the problem of the line, as told to the sender and then masked."""
    if (position := _find_wrong_byte(line)) is not None:
        return (f"byte {position} is not UTF-8: send one JSON object to a line, in UTF-8",)
    entries = read_json_object(line)
    if isinstance(entries, tuple):
        return entries
    digest = sha256(line.strip()).hexdigest()
    times = {name: _read_instant(entries[name]) for name in _TIMES if name in entries}
    for name, instant in times.items():
        if instant is None or instant.tzinfo is None:
            return (f"{name}: is no time with its offset: write it as 2026-03-01T08:00:00Z",)
    return _check_fact(entries, digest, times)


def _check_fact(
    entries: Mapping[str, object], digest: str, times: Mapping[str, datetime | None]
) -> Fact | tuple[str, ...]:
    times_text = {name: at.isoformat() for name, at in times.items() if at}
    fact_entries = {
        **entries,
        "reported_at": times_text.get("observed_at"),
        **times_text,
        "id": entries.get("id") or digest,
        "digest": entries.get("digest") or digest,
    }
    try:
        fact = wire.read_fact(json.dumps(fact_entries))
    except ValueError as error:
        return (str(error),)
    if isinstance(fact, wire.Unreadable):
        problem = _MEANING.get(fact.problem, fact.problem.replace("_", " "))
        advice = f"{problem}; see GET /v1/facts/schema (docs/fact.schema.json)"
        return quote_in(f"{{}}: {advice}", fact.where) if fact.where else (f"line: {advice}",)
    if abs(fact.sequence) > _GREATEST_SEQUENCE:
        return ("sequence: is no number of 64 bits",)
    return fact


def _read_instant(text: object) -> datetime | None:
    """Return the instant in *text*, in UTC when it has an offset; None when it is no time."""
    try:
        instant = datetime.fromisoformat(text if isinstance(text, str) else "")
        instant = instant if instant.tzinfo is None else instant.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return instant if instant.year >= EARLIEST_YEAR else None


def schema() -> Mapping[str, object]:
    """Return the JSON Schema of one line."""
    return make_fact_schema()
