"""Carries announcements from the database to Kafka, one worker at a time, in order."""

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from kafka import KafkaProducer
from kafka.errors import KafkaError

from services.relay.packing import pack_records
from services.runtime import log
from services.runtime.clock import Clock
from services.runtime.failpoints import pass_failpoint
from services.runtime.health import Progress
from services.runtime.kafka import FLUSH_LIMIT_S
from services.store import outbox
from services.store.held_lease import HeldLease
from services.store.session import Database

AT_ONCE = 500
_AFTER_FAILURE_S = 1.0
_FROM_THE_START_S = 1.0  # rows become visible out of order: look again for those left behind

_log = log.make_logger("relay")


@dataclass(slots=True)
class Relay:
    """Publishes what the outbox holds while it has the lease, and deletes it then.

    Nothing is lost when it dies in between: what was published and not deleted is published again.

    Args:
        db: Migrated.
        connect: Returns a producer of Kafka; all in sync acknowledge.
        study: Id.
        holder: Name of this worker among all.
        clock: The machine's.
        progress: Told when something waits or fails, was published, or nothing is left.
    """

    db: Database
    connect: Callable[[], KafkaProducer]
    study: str
    holder: str
    clock: Clock
    progress: Progress = field(default_factory=Progress)
    _floor: int = 0
    _from_start_s: float = 0.0
    _producer: KafkaProducer | None = None
    _lease: HeldLease = field(init=False)

    def __post_init__(self) -> None:
        self._lease = HeldLease(self.db, "relay", self.holder, self.clock)

    def run(self, stop: threading.Event, idle_s: float = 0.02) -> None:
        """Step until *stop* is set; what fails for now is logged and tried again."""
        while not stop.is_set():
            try:
                busy = self._lease.hold() and self.step()
            except Exception as error:  # noqa: BLE001 - what is not published now must be later
                _log.exception("relay_failed", exc_info=error)
                self.progress.record_waiting(time.monotonic())
                self._floor = 0
                self._disconnect(0)
                stop.wait(_AFTER_FAILURE_S)
                continue
            if not busy:
                self.progress.record_idle()
                stop.wait(idle_s)
        self._disconnect(FLUSH_LIMIT_S)
        self._lease.release()

    def step(self) -> bool:
        """Publish up to `AT_ONCE` announcements; False when there were none.

        Raises:
            kafka.errors.KafkaError: Not all were acknowledged; they are still there.
            services.runtime.kafka_errors.KafkaUnavailableError: No broker answers.
        """
        with self.db.read() as conn:
            rows = outbox.load_announcements(conn, self._find_first_id(), AT_ONCE)
        if not rows:
            return False
        self.progress.record_waiting(time.monotonic())
        pass_failpoint("relay.before_publish")
        self._publish(rows)
        pass_failpoint("relay.before_delete")
        with self.db.write() as conn:
            outbox.delete_announcements(conn, [row.id for row in rows])
        pass_failpoint("relay.after_delete")
        self._floor = max(self._floor, rows[-1].id)
        self.progress.record_commit(time.monotonic())
        return True

    def _publish(self, rows: list[outbox.Announcement]) -> None:
        """Return once every copy in sync has the records of *rows*."""
        if self._producer is None:
            self._producer = self.connect()
        futures = [
            self._producer.send(record.topic, key=record.key.encode(), value=record.value)
            for record in pack_records(self.study, rows)
        ]
        self._producer.flush(FLUSH_LIMIT_S)
        for future in futures:
            future.get(0)

    def _disconnect(self, limit_s: float) -> None:
        """Let the next records go through a new producer.

        One that has failed may fail for ever: it holds on to records that it could not deliver, and
        to brokers that it did not reach.
        """
        if self._producer is not None:
            with suppress(KafkaError):  # it gives up what it could not deliver
                self._producer.close(timeout=limit_s)
            self._producer = None

    def _find_first_id(self) -> int:
        """Return the id to read on from; every second that is the first."""
        now_s = time.monotonic()
        if now_s - self._from_start_s < _FROM_THE_START_S:
            return self._floor
        self._from_start_s = now_s
        return 0
