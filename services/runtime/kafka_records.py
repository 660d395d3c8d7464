"""Records on topics: an envelope with the name of its schema, its version and its study.

Readers accept this version and the one before it; writers move on a release later. A newer version
is not damage: the reader has to be upgraded.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec

from services.runtime import fact_forms
from services.runtime.topic_names import ALERTS, FACTS, STANDINGS
from services.runtime.wire import Unreadable, locate_problem
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


class _FactRun(msgspec.Struct):
    message: str
    received_at: datetime
    facts: list[tuple[int, msgspec.Raw]]


class _Record(msgspec.Struct):
    schema: str
    version: int
    study: str
    runs: list[_FactRun]


_decode_record = msgspec.json.Decoder(_Record).decode


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
    Unreadable(where='', problem='JSON is malformed: invalid character (byte 0)')
    """
    try:
        content = _decode_record(record)
    except fact_forms.UNREADABLE as error:
        return _find_newer_version(record) or locate_problem(error)
    if content.version > VERSION:
        return NewerRecord(content.version)
    if content.schema != name_schema(FACTS) or content.version < VERSION - 1:
        return Unreadable("schema", f"{content.schema} {content.version}")
    read_fact = fact_forms.make_tolerant_forms().read_fact
    try:
        facts = [
            JournalEntry(seq, run.received_at.astimezone(UTC), run.message, read_fact(fact))
            for run in content.runs
            for seq, fact in run.facts
        ]
    except fact_forms.UNREADABLE as error:
        return locate_problem(error)
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
