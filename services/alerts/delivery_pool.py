"""The attempts under way: one per recipient, each in a thread, none beyond its deadline."""

import queue
import threading
import time
from dataclasses import dataclass, field
from datetime import datetime

from services.alerts.channel_contract import Acceptance, Failure, Letter, Send, contain_errors
from services.store.alerts import DeliveryRow
from services.vocabulary.alert import Alert

Lane = tuple[str, str]
"""Channel and recipient: the notices of one lane leave one after the other."""

_SLOTS = 16
_SLOTS_OF_FAILING = _SLOTS // 2  # lanes whose last attempt failed leave room for the others


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt: its row as it was recorded before, and its result once there is one."""

    row: DeliveryRow
    alert: Alert
    attempted_at: datetime
    result: Acceptance | Failure

    @property
    def lane(self) -> Lane:
        """Its channel and its recipient."""
        return self.row.channel, self.row.recipient


@dataclass(slots=True)
class DeliveryPool:
    """Makes attempts in threads that end with the process; used by one thread at a time.

    Args:
        deadline_s: An attempt that has not ended after so many seconds has failed. Its thread is
            left alone, and nothing else is sent to its recipient until it ends.
    """

    deadline_s: float
    _under_way: dict[Lane, tuple[Attempt, float]] = field(default_factory=dict)
    _overdue_lanes: set[Lane] = field(default_factory=set)
    _failing_lanes: set[Lane] = field(default_factory=set)
    _ended_attempts: queue.SimpleQueue[Attempt] = field(default_factory=queue.SimpleQueue)

    @property
    def is_busy(self) -> bool:
        """True while an attempt is under way whose result is awaited."""
        return bool(self._under_way)

    def has_room(self, row: DeliveryRow) -> bool:
        """True when an attempt of *row* can begin."""
        lane = row.channel, row.recipient
        occupied_lanes = self._under_way.keys() | self._overdue_lanes
        if lane in occupied_lanes or len(occupied_lanes) >= _SLOTS:
            return False
        return (
            lane not in self._failing_lanes
            or len(occupied_lanes & self._failing_lanes) < _SLOTS_OF_FAILING
        )

    def start(self, attempt: Attempt, send: Send, letter: Letter, address: str) -> None:
        """Begin *attempt*, for which there is room; its result so far is that of one unfinished."""

        def run() -> None:
            result = contain_errors(send)(letter, address)
            self._ended_attempts.put(
                Attempt(attempt.row, attempt.alert, attempt.attempted_at, result)
            )

        self._under_way[attempt.lane] = attempt, time.monotonic() + self.deadline_s
        # A thread of an executor would hold up the end of the process
        threading.Thread(target=run, name="alert delivery", daemon=True).start()

    def pop_finished(self, wait_s: float) -> Attempt | None:
        """Return an attempt with its result; None when none has ended within *wait_s*."""
        attempt = self._pop_ended(wait_s) or self._pop_overdue()
        if attempt is not None:
            is_taken = isinstance(attempt.result, Acceptance)
            (self._failing_lanes.discard if is_taken else self._failing_lanes.add)(attempt.lane)
        return attempt

    def _pop_ended(self, wait_s: float) -> Attempt | None:
        ends_at_s = time.monotonic() + wait_s
        while self._under_way or self._overdue_lanes:
            try:
                attempt = self._ended_attempts.get(timeout=max(0.0, ends_at_s - time.monotonic()))
            except queue.Empty:
                return None
            was_overdue = attempt.lane in self._overdue_lanes
            self._overdue_lanes.discard(attempt.lane)
            self._under_way.pop(attempt.lane, None)
            # The failure of an overdue attempt is recorded already
            if not was_overdue or isinstance(attempt.result, Acceptance):
                return attempt
        return None

    def _pop_overdue(self) -> Attempt | None:
        now_s = time.monotonic()
        for lane, (attempt, overdue_at_s) in self._under_way.items():
            if overdue_at_s <= now_s:
                del self._under_way[lane]
                self._overdue_lanes.add(lane)
                return attempt
        return None
