"""Records on topics: an envelope with the name of its schema, its version and its study.

Readers accept this version and the one before it; writers move on a release later. A newer version
is not damage: the reader has to be upgraded.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pydantic import TypeAdapter, ValidationError

from services.runtime.topics import ALERTS, FACTS, STANDINGS
from services.runtime.wire import Unreadable, WireFact
from services.vocabulary.fact import JournalEntry

VERSION = 1


@dataclass(frozen=True, slots=True)
class NewerRecord:
    """A record of a later version than this program can read."""

    version: int


@dataclass(frozen=True, slots=True)
class FactRuns:
    """Facts of the journal of one study, message by message.

    *is_whole* is False when a message stands without its facts: they are in the journal.
    """

    study: str
    facts: tuple[JournalEntry, ...]
    is_whole: bool = True


@dataclass(frozen=True, slots=True)
class _FactRun:
    message: str
    received_at: datetime
    facts: list[tuple[int, WireFact]]


@dataclass(frozen=True, slots=True)
class _Record:
    schema: str
    version: int
    study: str
    runs: list[_FactRun]


_RECORD = TypeAdapter(_Record)


def write_facts_record(study: str, runs: Sequence[str]) -> bytes:
    """Return the record of *runs* of one participant, each the JSON of an outbox payload."""
    return f'{_write_head(FACTS, study)},"runs":[{",".join(runs)}]}}'.encode()


def write_standings_record(study: str) -> bytes:
    """Return the record that asks for a study step of *study*."""
    return f"{_write_head(STANDINGS, study)}}}".encode()


def write_alert_record(study: str, alert: str) -> bytes:
    """Return the record of one *alert*, JSON."""
    return f'{_write_head(ALERTS, study)},"alert":{alert}}}'.encode()


def read_facts_record(record: bytes) -> FactRuns | NewerRecord | Unreadable:
    """Return the facts in *record*, or the reason that they cannot be used.

    >>> read_facts_record(write_facts_record("T", []))
    FactRuns(study='T', facts=(), is_whole=True)
    >>> read_facts_record(b'{"schema": "aegis.facts", "version": 7, "way": "new"}')
    NewerRecord(version=7)
    >>> read_facts_record(b"MSH|^~")
    Unreadable(where='', problem='json_invalid')
    """
    try:
        content = _RECORD.validate_json(record, strict=True)
    except ValidationError as error:
        return _find_newer_version(record) or _find_first_problem(error)
    if content.version > VERSION:
        return NewerRecord(content.version)
    if content.schema != name_schema(FACTS) or content.version < VERSION - 1:
        return Unreadable("schema", f"{content.schema} {content.version}")
    facts = [
        JournalEntry(seq, run.received_at.astimezone(UTC), run.message, fact)
        for run in content.runs
        for seq, fact in run.facts
    ]
    return FactRuns(content.study, tuple(facts), all(run.facts for run in content.runs))


def name_schema(topic: str) -> str:
    """Return the name of the schema of a topic's records: the topic's without its version.

    >>> name_schema("aegis.facts.v1")
    'aegis.facts'
    """
    return topic.rpartition(".")[0]


def _write_head(topic: str, study: str) -> str:
    return json.dumps({"schema": name_schema(topic), "version": VERSION, "study": study})[:-1]


def _find_newer_version(record: bytes) -> NewerRecord | None:
    """Return the version of a record when it is later than `VERSION`."""
    try:
        content: Any = json.loads(record)
        version = content["version"]
    except (ValueError, KeyError, TypeError):
        return None
    return NewerRecord(version) if isinstance(version, int) and version > VERSION else None


def _find_first_problem(error: ValidationError) -> Unreadable:
    first = error.errors(include_input=False, include_context=False, include_url=False)[0]
    return Unreadable(".".join(map(str, first["loc"])), first["type"])
