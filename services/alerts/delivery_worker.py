"""Sends what is due, one worker at a time, in a thread of its own."""

import threading
import time
from dataclasses import dataclass, field
from functools import partial

from services.alerts.application import deliver
from services.alerts.changed_alerts import News
from services.alerts.delivery_context import Desk
from services.alerts.plan_notices import plan
from services.runtime import log
from services.runtime.health import Progress
from services.store.held_lease import HeldLease

_log = log.make_logger("alerts")


@dataclass(slots=True)
class DeliveryWorker:
    """Plans and delivers while it has the lease.

    Args:
        desk: Everything that sending needs.
        holder: Name of this worker among all.
        progress: Told when something waits or fails, was sent, or nothing is left.
    """

    desk: Desk
    holder: str
    progress: Progress = field(default_factory=Progress)
    _lease: HeldLease = field(init=False)
    _news: News = field(default_factory=News)

    def __post_init__(self) -> None:
        self._lease = HeldLease(self.desk.db, "alerts", self.holder, self.desk.clock)

    def run(self, stop: threading.Event, idle_s: float = 0.25) -> None:
        """Work until *stop* is set; what fails for now is logged and tried again."""
        while not stop.is_set():
            try:
                busy = self._lease.hold() and self.step()
            except Exception as error:  # noqa: BLE001 - tomorrow's notices must not be lost
                _log.exception("delivery_failed", exc_info=error)
                self.progress.record_waiting(time.monotonic())
                stop.wait(idle_s)
                continue
            if not busy:
                self.progress.record_idle()
                stop.wait(idle_s)
        self._lease.release()

    def step(self) -> bool:
        """Plan and send once; False when there was nothing to do."""
        now = self.desk.clock()
        with self.desk.db.read() as conn:
            news = self._news.look(conn, now)
        planned = 0 if news == set() else plan(self.desk, now, news)
        if planned:
            self.progress.record_waiting(time.monotonic())
        attempts = self._lease.run_while_held(
            partial(deliver, self.desk)
        )  # a mail server may be slow
        if attempts:
            self.progress.record_commit(time.monotonic())
        return bool(planned or attempts)
