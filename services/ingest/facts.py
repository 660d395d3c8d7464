"""Aegis's own form of a fact, one JSON object to a line: for files, for HTTP and for people."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256

from services.ingest.domain.reading import ParkedItem, ParkReason, Refused
from services.runtime import wire
from services.vocabulary.fact import Fact


@dataclass(frozen=True, slots=True)
class FactReading:
    """Facts that name their participant by pseudonym, each with the id that its line has.

    *site* is the one that sent them, empty when a person entered them.
    """

    site: str
    sender: str
    control_id: str
    kind: str
    sent_at: datetime | None
    facts: tuple[tuple[str, Fact], ...]
    parked: tuple[ParkedItem, ...]


def read_facts(body: bytes, site: str, actor: str) -> FactReading | Refused:
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
    return FactReading(
        site,
        f"facts|{actor or site}",
        hashed[:32],
        "facts",
        max((fact.reported_at for fact in facts), default=None),
        tuple((fact.id or fact.digest, fact) for fact in facts),
        tuple(wrong),
    )


def read_lines(body: bytes) -> tuple[list[Fact], list[ParkedItem]]:
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
            facts.append(found)
        else:
            wrong.append(ParkedItem(f"line {number}", ParkReason.UNREADABLE_LINE, found))
    return facts, wrong


def _read_line(line: bytes) -> Fact | str:
    """Return the fact, or what is wrong with it."""
    try:
        given = json.loads(line)
    except ValueError:
        return "is no JSON object: write one fact to a line"
    if not isinstance(given, Mapping):
        return "is no JSON object: write one fact to a line"
    hashed = sha256(line.strip()).hexdigest()
    times = {name: _in_utc(given[name]) for name in ("observed_at", "reported_at") if name in given}
    whole = {
        "reported_at": times.get("observed_at"),
        **given,
        **times,
        "id": given.get("id") or hashed,
        "digest": given.get("digest") or hashed,
    }
    try:
        fact = wire.read_fact(json.dumps(whole))
    except ValueError as error:
        return str(error)
    if isinstance(fact, wire.Unreadable):
        return f"{fact.where}: {fact.problem}; see GET /v1/facts/schema"
    return fact


def _in_utc(text: object) -> object:
    """Return an instant that says its offset in UTC; anything else as it is, to be refused."""
    try:
        at = datetime.fromisoformat(str(text))
    except ValueError:
        return text
    return text if at.tzinfo is None else at.astimezone(UTC).isoformat()


def schema() -> Mapping[str, object]:
    """Return the JSON Schema of one line."""
    return wire.fact_schema()
