"""Sends what is due, one worker at a time, beside the threads of its attempts."""

import threading
import time
from dataclasses import dataclass, field
from functools import partial

from services.alerts.changed_alerts import ChangedAlerts
from services.alerts.deliver_notices import deliver, record_finished
from services.alerts.delivery_context import DeliveryContext
from services.alerts.delivery_pool import DeliveryPool
from services.alerts.notice import LatestNotices
from services.alerts.plan_notices import plan_notices
from services.runtime import log
from services.runtime.health import Progress
from services.store.held_lease import RENEW_S, HeldLease

_log = log.make_logger("alerts")

_LAST_WAIT_S = 5.0  # of a process that ends, for what is under way


@dataclass(slots=True)
class DeliveryWorker:
    """Plans and delivers while it has the lease.

    Args:
        context: Connections and settings.
        holder: Name of this worker among all.
        progress: Told when something waits or fails, was sent, or nothing is left.
    """

    context: DeliveryContext
    holder: str
    progress: Progress = field(default_factory=Progress)
    _lease: HeldLease = field(init=False)
    _pool: DeliveryPool = field(init=False)
    _notices: LatestNotices = field(default_factory=LatestNotices)
    _changed_alerts: ChangedAlerts = field(default_factory=ChangedAlerts)

    def __post_init__(self) -> None:
        self._pool = DeliveryPool(self.context.deadline_s)
        self._lease = HeldLease(self.context.db, "alerts", self.holder, self.context.clock)

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
        self._finish_attempts()
        self._lease.release()

    def step(self) -> bool:
        """Plan and send once; False when there was nothing to do."""
        instant = self.context.clock()
        with self.context.db.read() as conn:
            ids = self._changed_alerts.find(conn, instant)
        planned_count = 0 if ids == set() else plan_notices(self.context, instant, ids)
        if planned_count:
            self.progress.record_waiting(time.monotonic())
        # held meanwhile, as charts take time to draw
        attempt_count = self._lease.run_while_held(
            partial(deliver, self.context, self._pool, self._notices)
        )
        if attempt_count:
            self.progress.record_commit(time.monotonic())
        return bool(planned_count or attempt_count or self._pool.is_busy)

    def _finish_attempts(self) -> None:
        """Record what ends soon; what does not is sent again, under the same id, by the next."""
        ends_at_s = time.monotonic() + _LAST_WAIT_S
        try:
            while self._pool.is_busy and time.monotonic() < ends_at_s and self._lease.hold():
                record_finished(self.context, self._pool, RENEW_S / 4)
        except Exception as error:  # noqa: BLE001 - the end of the process waits for nothing
            _log.exception("delivery_failed", exc_info=error)
