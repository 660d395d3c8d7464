"""The relay: announcements from the database to Kafka, by one worker at a time, in order."""

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
from services.store.wakeups import OUTBOX_CHANGED, Wakeups, make_wakeups

AT_ONCE = 500
_AFTER_FAILURE_S = 1.0
_FROM_THE_START_S = 1.0  # rows become visible out of order, so the floor is reset regularly

_log = log.make_logger("relay")


@dataclass(slots=True)
class Relay:
    """A worker that publishes the announcements of the outbox, then deletes them, under a lease.

    Nothing is lost when it dies in between: announcements not deleted are published again.

    Args:
        db: Migrated.
        connect: Returns a producer of Kafka; all in sync acknowledge.
        study: Id.
        holder: Name of this worker among all.
        clock: The machine's.
        progress: Records waiting work, failures, commits and idle times.
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
    _wakeups: Wakeups = field(init=False)

    def __post_init__(self) -> None:
        self._lease = HeldLease(self.db, "relay", self.holder, self.clock)
        self._wakeups = make_wakeups(self.db, OUTBOX_CHANGED)

    def run(self, stop: threading.Event, idle_s: float = 2.0) -> None:
        """Publish until *stop* is set; failures are logged and tried again.

        It rests until something is announced, and at most *idle_s* seconds.
        """
        while not stop.is_set():
            try:
                is_held = self._lease.hold()
                busy = is_held and self.step()
            except Exception as error:  # noqa: BLE001 - the next round publishes the rest
                _log.exception("relay_failed", exc_info=error)
                self.progress.record_waiting(time.monotonic())
                self._floor = 0
                self._disconnect(0)
                self._wakeups.close()
                stop.wait(_AFTER_FAILURE_S)
                continue
            if not busy:
                self.progress.record_idle()
            if is_held:
                self._wakeups.rest(stop, 0.0 if busy else idle_s)
            else:
                self._wakeups.stand_by(stop)
        self._wakeups.close()
        self._disconnect(FLUSH_LIMIT_S)
        self._lease.release()

    def step(self) -> bool:
        """Publish up to `AT_ONCE` announcements; return False when there were none.

        Raises:
            kafka.errors.KafkaError: Not all were acknowledged; they stay in the outbox.
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
        """Send the records of *rows*, and wait until every copy in sync has them."""
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
        """Close the producer; the next records get a new one.

        A producer that has failed may fail for ever: it keeps undelivered records and unreachable
        brokers.
        """
        if self._producer is not None:
            with suppress(KafkaError):  # it drops undelivered records
                self._producer.close(timeout=limit_s)
            self._producer = None

    def _find_first_id(self) -> int:
        """Return the id after which to read; 0 once a second."""
        now_s = time.monotonic()
        if now_s - self._from_start_s < _FROM_THE_START_S:
            return self._floor
        self._from_start_s = now_s
        return 0
