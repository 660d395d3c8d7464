"""Sends what is due, one worker at a time, beside the threads of its attempts."""

import threading
import time
from dataclasses import dataclass, field
from functools import partial

from services.alerts.changed_alerts import ChangedAlerts
from services.alerts.deliver_notices import deliver, is_delivery_due, record_finished
from services.alerts.delivery_context import DeliveryContext
from services.alerts.delivery_pool import DeliveryPool
from services.alerts.notice import LatestNotices
from services.alerts.plan_notices import plan_notices
from services.alerts.watch import Watch
from services.runtime import log
from services.runtime.health import Progress
from services.store.held_lease import RENEW_S, HeldLease
from services.store.wakeups import ALERTS_CHANGED, Wakeups, make_wakeups

_log = log.make_logger("alerts")

_AFTER_FAILURE_S = 0.25
_LAST_WAIT_S = 5.0  # of a process that ends, for what is under way


@dataclass(slots=True)
class DeliveryWorker:
    """Plans and delivers while it has the lease.

    Args:
        context: Connections and settings.
        holder: Name of this worker among all.
        progress: Told when something waits or fails, was sent, or nothing is left.
        watch: Raises alerts of silence, clocks and the day; None: nobody does.
    """

    context: DeliveryContext
    holder: str
    progress: Progress = field(default_factory=Progress)
    watch: Watch | None = None
    _lease: HeldLease = field(init=False)
    _pool: DeliveryPool = field(init=False)
    _wakeups: Wakeups = field(init=False)
    _notices: LatestNotices = field(default_factory=LatestNotices)
    _changed_alerts: ChangedAlerts = field(default_factory=ChangedAlerts)

    def __post_init__(self) -> None:
        self._pool = DeliveryPool(self.context.deadline_s)
        self._lease = HeldLease(self.context.db, "alerts", self.holder, self.context.clock)
        self._wakeups = make_wakeups(self.context.db, ALERTS_CHANGED)

    def run(self, stop: threading.Event, idle_s: float = 1.0) -> None:
        """Work until *stop* is set; what fails for now is logged and tried again.

        It rests until an alert changes, and at most *idle_s* seconds.
        """
        while not stop.is_set():
            try:
                is_held = self._lease.hold()
                busy = is_held and self.step()
            except Exception as error:  # noqa: BLE001 - tomorrow's notices must not be lost
                _log.exception("delivery_failed", exc_info=error)
                self.progress.record_waiting(time.monotonic())
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
        self._finish_attempts()
        self._lease.release()

    def step(self) -> bool:
        """Plan and send once; False when there was nothing to do."""
        instant = self.context.clock()
        if self.watch is not None:
            self.watch.look(instant)
        with self.context.db.read() as conn:
            ids = self._changed_alerts.find(conn, instant)
            is_due = is_delivery_due(conn, instant)
        planned_count = 0 if ids == set() else plan_notices(self.context, instant, ids)
        if planned_count:
            self.progress.record_waiting(time.monotonic())
        if not (planned_count or is_due or self._pool.has_attempts):
            return False
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
