"""The Kafka topics that sites push to: a record's value is one message, or facts.

A record of a site's own topic is that site's, whatever its key; on the topic of all sites the key
is the site, and is believed. The sender waits for no answer. An offset is therefore committed only
when every record before it is on disk. A record that cannot be stored now is read again; one that
can never be accepted is kept as a dead letter and parked.
"""

import re
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from kafka import KafkaConsumer, OffsetAndMetadata, TopicPartition

from services.ingest.dead_letters import detect_form, park_refusal, store_dead_letter
from services.ingest.domain.hl7.acknowledgement import AckCode
from services.ingest.domain.hl7.frames import LARGEST_BYTES
from services.ingest.domain.message_content import ParkedItem, ParkReason
from services.ingest.intake import Outcome, Submission
from services.ingest.writer import Writer
from services.runtime import log
from services.runtime.failpoints import pass_failpoint
from services.runtime.health import Progress

BATCH_SIZE = 256
_POLL_MS = 1000  # records end a poll at once; a stop is heard after it
_LEAVE_MS = 10_000
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.2, 5.0
_SITE = re.compile(rb"[a-z0-9-]{1,64}")

_log = log.make_logger("ingest")

Records = Mapping[TopicPartition, Sequence[Any]]


def consumer_group(study: str) -> str:
    """Return the consumer group in which the ingest processes of *study* share the topic.

    >>> consumer_group("BLINA-HSCT")
    'aegis-ingest-blina-hsct'
    """
    return f"aegis-ingest-{study.lower()}"


@dataclass(slots=True)
class SiteTopic:
    """A reader of the topics; a record that comes twice changes nothing.

    Args:
        consumer: A consumer of the group that commits nothing by itself.
        writer: The writer, started.
        progress: Notified when records wait, when they are stored, and when none are left.
        on_dead_letter: Called with the site and the reason of each record that is kept as a dead
            letter.
        on_lag: Called with topic, partition and the number of records not yet read; None for a
            partition that this reader has lost.
        largest_bytes: Limit of a record.
        site_of_topic: The site of each topic that is one site's own.
    """

    consumer: KafkaConsumer
    writer: Writer
    progress: Progress = field(default_factory=Progress)
    on_dead_letter: Callable[[str, ParkReason], None] = lambda _site, _reason: None
    on_lag: Callable[[str, int, int | None], None] = lambda _topic, _partition, _lag: None
    largest_bytes: int = LARGEST_BYTES
    site_of_topic: Mapping[str, str] = field(default_factory=dict)
    _partitions: set[TopicPartition] = field(default_factory=set)

    def run(self, stop: threading.Event) -> None:
        """Read until *stop* is set, then leave the group; after a failure, read again."""
        pause_s = _FIRST_PAUSE_S
        while not stop.is_set():
            try:
                is_done = self.step()
            except Exception as error:  # noqa: BLE001 - what was pushed may not be left behind
                _log.exception("site_topic_failed", exc_info=error)
                self.progress.record_waiting(time.monotonic())
                is_done = False
            if is_done:
                pause_s = _FIRST_PAUSE_S
            else:
                stop.wait(pause_s)
                pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
        self.consumer.close(timeout_ms=_LEAVE_MS)

    def step(self) -> bool:
        """Read the next records and commit their offsets; False when they have to be read again."""
        self._report_lags()
        records: Records = self.consumer.poll(_POLL_MS, max_records=BATCH_SIZE)
        if not records:
            self.progress.record_idle()
            return True
        self.progress.record_waiting(time.monotonic())
        is_done = False
        try:
            if self._store(self._list_site_records(records)):
                pass_failpoint("ingest.before_offset")
                self.consumer.commit(
                    {
                        partition: OffsetAndMetadata(some[-1].offset + 1, "", -1)
                        for partition, some in records.items()
                    }
                )
                is_done = True
        finally:
            if not is_done:
                self._seek_back(records)
        if is_done:
            self.progress.record_commit(time.monotonic())
        return is_done

    def _list_site_records(self, records: Records) -> "list[_SiteRecord]":
        """Return the body of each record with the site that it names: by its topic, or its key."""
        return [
            _SiteRecord(
                self.site_of_topic.get(partition.topic) or _read_site_key(record.key),
                record.value or b"",
            )
            for partition, some in records.items()
            for record in some
        ]

    def _store(self, records: "Sequence[_SiteRecord]") -> bool:
        """Return True when all *records* are on disk, accepted or as dead letters."""
        submissions: list[tuple[Submission, Future[Outcome]]] = []
        for record in records:
            submission, item = self._read_record(record)
            if item is None:
                submissions.append((submission, self.writer.submit(submission)))
            else:
                self._store_dead_letter(submission, record.site, item)
        outcomes = [(incoming, future.result()) for incoming, future in submissions]
        return all(self._ensure_stored(incoming, outcome) for incoming, outcome in outcomes)

    def _ensure_stored(self, submission: Submission, outcome: Outcome) -> bool:
        """Return True when a record is on disk; store one that can never be accepted as it is."""
        if outcome.refusal is None:
            return True
        if outcome.answer is AckCode.REJECT:
            self._store_dead_letter(submission, submission.site, park_refusal(outcome.refusal))
            return True
        return False

    def _read_record(self, record: "_SiteRecord") -> tuple[Submission, ParkedItem | None]:
        """Return the submission in *record*, and the parked item of one that is not read at all."""
        body = record.body
        site = record.site if record.site in self.writer.intake.sites.by_id else ""
        submission = Submission(body, "kafka", site, form=detect_form(body))
        if not site:
            detail = "the record's key names no site of the study: send it with the id of the site"
            return submission, ParkedItem("key", ParkReason.NO_SITE, detail)
        if len(body) > self.largest_bytes:
            detail = f"the record is longer than {self.largest_bytes} bytes: send results in parts"
            return submission, ParkedItem("value", ParkReason.TOO_LONG, detail)
        return submission, None

    def _store_dead_letter(self, submission: Submission, key: str, item: ParkedItem) -> None:
        store_dead_letter(self.writer.intake, submission, key, item)
        _log.warning("kept_unread", site=submission.site, reason=str(item.reason))
        self.on_dead_letter(submission.site, item.reason)

    def _seek_back(self, records: Records) -> None:
        """Seek back to the first of *records* in each partition that this reader still has."""
        for partition in self.consumer.assignment().intersection(records):
            self.consumer.seek(partition, records[partition][0].offset)

    def _report_lags(self) -> None:
        assignment = self.consumer.assignment()
        for lost_partition in self._partitions - assignment:
            self.on_lag(lost_partition.topic, lost_partition.partition, None)
        for partition in assignment:
            end, position = self.consumer.highwater(partition), self.consumer.position(partition, 0)
            if end is not None and position is not None:
                self.on_lag(partition.topic, partition.partition, max(0, end - position))
        self._partitions = set(assignment)


@dataclass(frozen=True, slots=True)
class _SiteRecord:
    """The value of a record, and the site that it names; empty when it names none."""

    site: str
    body: bytes


def _read_site_key(key: bytes | None) -> str:
    """Return the site that *key* names; empty when it is no id of a site."""
    return key.decode() if key is not None and _SITE.fullmatch(key) else ""
