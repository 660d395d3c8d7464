"""Aegis's own form of a fact, one JSON object to a line: for files, for HTTP and for people."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256

from services.ingest.domain.hl7.times import EARLIEST_YEAR
from services.ingest.domain.message_content import ParkedItem, ParkReason, Refused
from services.runtime import wire
from services.vocabulary.fact import Fact

SENDER = "facts|"  # then who it is

_TIMES = ("observed_at", "reported_at")
_MEANING = {
    "missing": "is missing",
    "unexpected_keyword_argument": "there is no such key",
    "decimal_text": 'write a number as a string of digits, e.g. "0.49"',
    "union_tag_invalid": "there is no such kind",
    "union_tag_not_found": "its kind is missing",
}


@dataclass(frozen=True, slots=True)
class Line:
    """A fact, where it stands (``line 3``), and by what its sender knows it."""

    place: str
    own: str
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
    facts: tuple[Line, ...]
    parked: tuple[ParkedItem, ...]


def read_facts(body: bytes, site: str, actor: str) -> FactsContent | Refused:
    """Return the facts of a message; a line that is none is parked, the others go on.

    Args:
        body: UTF-8, one object to a line.
        site: That has authenticated itself; empty for a person.
        actor: Who entered them; empty for a site.
    """
    try:
        body.decode()
    except UnicodeDecodeError as error:
        problem = f"byte {error.start} is not UTF-8"
        return Refused("body", problem, "send one JSON object to a line, in UTF-8")
    facts, wrong = read_lines(body)
    hashed = sha256(body).hexdigest()
    return FactsContent(
        site,
        f"{SENDER}{actor or site}",
        hashed[:32],
        "facts",
        max((line.fact.reported_at for line in facts), default=None),
        tuple(facts),
        tuple(wrong),
    )


def read_lines(body: bytes) -> tuple[list[Line], list[ParkedItem]]:
    """Return the facts in *body*, and the lines that are none.

    A fact without an id is known by the hash of its line, without a time of report by when it was
    true.
    """
    facts, wrong = [], []
    for number, line in enumerate(body.split(b"\n"), 1):
        if not line.strip():
            continue
        found = _read_line(line)
        if isinstance(found, Fact):
            facts.append(Line(f"line {number}", found.id or found.digest, found))
        else:
            wrong.append(ParkedItem(f"line {number}", ParkReason.UNREADABLE_LINE, found))
    return facts, wrong


def _read_line(line: bytes) -> Fact | str:
    """Return the fact, or what is wrong with it."""
    try:
        given = json.loads(line)
    except (ValueError, RecursionError):
        return "is no JSON object: write one fact to a line"
    if not isinstance(given, Mapping):
        return "is no JSON object: write one fact to a line"
    hashed = sha256(line.strip()).hexdigest()
    times = {name: _in_utc(given[name]) for name in _TIMES if name in given}
    for name, at in times.items():
        if at is None or at.tzinfo is None:
            return f"{name}: is no time with its offset: write it as 2026-03-01T08:00:00Z"
    return _checked(given, hashed, times)


def _checked(
    given: Mapping[str, object], hashed: str, times: Mapping[str, datetime | None]
) -> Fact | str:
    said = {name: at.isoformat() for name, at in times.items() if at}
    whole = {
        **given,
        "reported_at": said.get("observed_at"),
        **said,
        "id": given.get("id") or hashed,
        "digest": given.get("digest") or hashed,
    }
    try:
        fact = wire.read_fact(json.dumps(whole))
    except ValueError as error:
        return str(error)
    if isinstance(fact, wire.Unreadable):
        problem = _MEANING.get(fact.problem, fact.problem.replace("_", " "))
        return (
            f"{fact.where or 'line'}: {problem}; see GET /v1/facts/schema (docs/fact.schema.json)"
        )
    return fact


def _in_utc(text: object) -> datetime | None:
    """Return an instant, in UTC when it says its offset; None when it is none."""
    try:
        at = datetime.fromisoformat(text if isinstance(text, str) else "")
        at = at if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return at if at.year >= EARLIEST_YEAR else None


def schema() -> Mapping[str, object]:
    """Return the JSON Schema of one line."""
    return wire.fact_schema()
