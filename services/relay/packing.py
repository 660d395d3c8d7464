"""The packing of announcements into records: one participant's facts together, in order."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from services.runtime.kafka_records import (
    write_alert_record,
    write_facts_record,
    write_standings_record,
)
from services.runtime.topic_names import ALERTS, FACTS, STANDINGS
from services.store.outbox import Announcement

LONGEST = (
    32_000  # characters of a record's runs: a record costs its reader as much as several facts
)


@dataclass(frozen=True, slots=True)
class OutgoingRecord:
    """A record for a topic; records of one key keep their order."""

    topic: str
    key: str
    value: bytes


def pack_records(study: str, rows: Sequence[Announcement]) -> Iterator[OutgoingRecord]:
    """Yield the records of *rows*, which are in the order of their ids.

    Facts of one participant share records of up to `LONGEST` characters; each study gets one
    record for all its announcements of standings.

    Raises:
        ValueError: A row is for a topic that is not one of the outbox.
    """
    runs: dict[str, list[str]] = {}
    looked_at = dict.fromkeys(row.key for row in rows if row.topic == STANDINGS)
    for row in rows:
        if row.topic == FACTS:
            runs.setdefault(row.key, []).append(row.payload)
        elif row.topic == ALERTS:
            yield OutgoingRecord(ALERTS, row.key, write_alert_record(study, row.payload))
        elif row.topic != STANDINGS:
            raise ValueError(f"row {row.id} of the outbox is for {row.topic!r}, which is no topic")
    for participant, payloads in runs.items():
        for part in _split_payloads(payloads):
            yield OutgoingRecord(FACTS, participant, write_facts_record(study, part))
    for key in looked_at:
        yield OutgoingRecord(STANDINGS, key, write_standings_record(key))


def _split_payloads(payloads: Sequence[str]) -> Iterator[list[str]]:
    part: list[str] = []
    length = 0
    for payload in payloads:
        if part and length + len(payload) > LONGEST:
            yield part
            part, length = [], 0
        part.append(payload)
        length += len(payload)
    yield part
