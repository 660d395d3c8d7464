"""The topic that sites push to: a record's key is the site, its value one message, or facts.

Nobody waits for an answer there. So an offset is committed only when what came before it is on
disk; what cannot be stored now is read again, and what can never be accepted is kept and parked.
"""

import re
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from kafka import KafkaConsumer, OffsetAndMetadata, TopicPartition

from services.ingest.application import Incoming, Outcome
from services.ingest.dead_letters import form_of, keep, why
from services.ingest.domain.hl7.acknowledgement import Answer
from services.ingest.domain.hl7.frames import LARGEST
from services.ingest.domain.message_content import ParkedItem, ParkReason
from services.ingest.writer import Writer
from services.runtime import log
from services.runtime.failpoints import reached
from services.runtime.health import Progress

AT_ONCE = 256
_POLL_MS = 200
_LEAVE_MS = 10_000
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.2, 5.0
_SITE = re.compile(rb"[a-z0-9-]{1,64}")
_TRIES = 3  # of what fails for what it is, before it is kept and parked

_log = log.logger("ingest")

Records = Mapping[TopicPartition, Sequence[Any]]


def group_of(study: str) -> str:
    """Return the consumer group in which the ingest processes of *study* share the topic.

    >>> group_of("BLINA-HSCT")
    'aegis-ingest-blina-hsct'
    """
    return f"aegis-ingest-{study.lower()}"


@dataclass(slots=True)
class SiteTopic:
    """Reads the topic while it is told to; a record that comes twice changes nothing.

    Args:
        consumer: Of the group, that commits nothing by itself.
        writer: Begun.
        progress: Told when records wait or reading fails, when they were stored, or none are left.
        on_kept: Told the site and the reason of what is kept because it can never be accepted.
        on_lag: Told topic, partition and how many records lie in front of this reader; None when it
            reads that partition no longer.
        largest: Bytes of a record.
    """

    consumer: KafkaConsumer
    writer: Writer
    progress: Progress = field(default_factory=Progress)
    on_kept: Callable[[str, ParkReason], None] = lambda _site, _reason: None
    on_lag: Callable[[str, int, int | None], None] = lambda _topic, _partition, _lag: None
    largest: int = LARGEST
    _failures: int = 0  # in a row, of what fails for what it is
    _seen: set[TopicPartition] = field(default_factory=set)

    def run(self, stop: threading.Event) -> None:
        """Read until *stop* is set, then leave the group; what fails for now is read again."""
        pause_s = _FIRST_PAUSE_S
        while not stop.is_set():
            try:
                done = self.step()
            except Exception as error:  # noqa: BLE001 - what was pushed may not be left behind
                _log.exception("site_topic_failed", exc_info=error)
                self.progress.work_waits(time.monotonic())
                done = False
            if done:
                pause_s = _FIRST_PAUSE_S
            else:
                stop.wait(pause_s)
                pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
        self.consumer.close(timeout_ms=_LEAVE_MS)

    def step(self) -> bool:
        """Take what is there, and commit its offsets; False when it has to be read again."""
        self._show_lags()
        records: Records = self.consumer.poll(_POLL_MS, max_records=AT_ONCE)
        if not records:
            self.progress.idle()
            return True
        self.progress.work_waits(time.monotonic())
        done = False
        try:
            if self._store([record for some in records.values() for record in some]):
                reached("ingest.before_offset")
                self.consumer.commit(
                    {
                        partition: OffsetAndMetadata(some[-1].offset + 1, "", -1)
                        for partition, some in records.items()
                    }
                )
                done = True
        finally:
            if not done:
                self._read_again(records)
        if done:
            self.progress.committed(time.monotonic())
        return done

    def _store(self, records: Sequence[Any]) -> bool:
        """Return whether all *records* are on disk, accepted or kept."""
        under_way: list[tuple[Incoming, Future[Outcome]]] = []
        for record in records:
            incoming, item = self._incoming(record)
            if item is None:
                under_way.append((incoming, self.writer.submit(incoming)))
            else:
                self._keep(incoming, _key(record), item)
        outcomes = [(incoming, future.result()) for incoming, future in under_way]
        is_stored = all(self._is_kept(incoming, outcome) for incoming, outcome in outcomes)
        is_poisoned = any(not outcome.is_transient for _, outcome in outcomes)
        self._failures = self._failures + 1 if is_poisoned and not is_stored else 0
        return is_stored

    def _is_kept(self, incoming: Incoming, outcome: Outcome) -> bool:
        """Say whether a record is on disk; one that can never be accepted is kept as it is."""
        if outcome.refused is None:
            return True
        if outcome.answer is Answer.REJECT:
            self._keep(incoming, incoming.site, why(outcome.refused))
            return True
        if outcome.is_transient or self._failures + 1 < _TRIES:
            return False
        detail = f"{outcome.refused.problem}: see the log, then `aegis parked retry`"
        self._keep(incoming, incoming.site, ParkedItem("", ParkReason.NOT_STORED, detail))
        return True

    def _incoming(self, record: Any) -> tuple[Incoming, ParkedItem | None]:  # noqa: ANN401 - of the library
        """Return what *record* holds, and why it is not even read, if it is not."""
        body, key = record.value or b"", _key(record)
        site = key if key in self.writer.intake.sites.by_id else ""
        incoming = Incoming(body, "kafka", site, form=form_of(body))
        if not site:
            detail = "the record's key names no site of the study: send it with the id of the site"
            return incoming, ParkedItem("key", ParkReason.NO_SITE, detail)
        if len(body) > self.largest:
            detail = f"the record is longer than {self.largest} bytes: send results in parts"
            return incoming, ParkedItem("value", ParkReason.TOO_LONG, detail)
        return incoming, None

    def _keep(self, incoming: Incoming, key: str, item: ParkedItem) -> None:
        keep(self.writer.intake, incoming, key, item)
        _log.warning("kept_unread", site=incoming.site, reason=str(item.reason))
        self.on_kept(incoming.site, item.reason)

    def _read_again(self, records: Records) -> None:
        """Go back to where *records* begin, in the partitions that are still this reader's."""
        for partition in self.consumer.assignment().intersection(records):
            self.consumer.seek(partition, records[partition][0].offset)

    def _show_lags(self) -> None:
        mine = self.consumer.assignment()
        for gone in self._seen - mine:
            self.on_lag(gone.topic, gone.partition, None)
        for partition in mine:
            end, at = self.consumer.highwater(partition), self.consumer.position(partition, 0)
            if end is not None and at is not None:
                self.on_lag(partition.topic, partition.partition, max(0, end - at))
        self._seen = set(mine)


def _key(record: Any) -> str:  # noqa: ANN401 - of the library
    """Return the site that *record* names; empty when it can be none."""
    key = record.key or b""
    return key.decode() if _SITE.fullmatch(key) else ""
