"""The attempts under way: one per recipient, each in a thread, none beyond its deadline."""

import queue
import threading
import time
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum

from services.alerts.channel_contract import Acceptance, Failure, Letter, Send, contain_errors
from services.store.alerts import DeliveryRow
from services.vocabulary.alert import Alert

Lane = tuple[str, str]
"""Channel and recipient: the notices of one lane leave one after the other."""

_PROMPT_S = 0.5
"""An attempt that is under way for longer takes no place of recipients that answer."""


class LaneHealth(IntEnum):
    """Health of a lane by its last attempt; the lower are served first."""

    HEALTHY = 0
    UNKNOWN = 1
    FAULTY = 2


_PLACES = {LaneHealth.HEALTHY: 16, LaneHealth.UNKNOWN: 32, LaneHealth.FAULTY: 8}
"""Attempts at once of lanes of this health; those of unknown lanes are shared with faulty ones."""


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
    _health: dict[Lane, LaneHealth] = field(default_factory=dict)
    _ended_attempts: queue.SimpleQueue[Attempt] = field(default_factory=queue.SimpleQueue)

    @property
    def is_busy(self) -> bool:
        """True while an attempt is under way whose result is awaited."""
        return bool(self._under_way)

    @property
    def has_attempts(self) -> bool:
        """True while an attempt may end: one under way, or one overdue, which may still succeed."""
        return bool(self._under_way or self._overdue_lanes)

    def find_health(self, row: DeliveryRow) -> LaneHealth:
        """Return the health of the lane of *row*; before its first attempt here, the row's."""
        first_health = LaneHealth.FAULTY if row.attempts else LaneHealth.UNKNOWN
        return self._health.get((row.channel, row.recipient), first_health)

    def has_room(self, row: DeliveryRow) -> bool:
        """True when an attempt of *row* can begin.

        Recipients that answered last have places of their own, so that they never wait for
        others. An attempt that takes long counts as faulty while it lasts.
        """
        lane = row.channel, row.recipient
        if lane in self._under_way or lane in self._overdue_lanes:
            return False
        health = self.find_health(row)
        occupied_places = self._list_occupied_places()
        if health is LaneHealth.UNKNOWN:
            occupied_count = len(occupied_places) - occupied_places.count(LaneHealth.HEALTHY)
        else:
            occupied_count = occupied_places.count(health)
        return occupied_count < _PLACES[health]

    def _list_occupied_places(self) -> list[LaneHealth]:
        """Return the health of each lane that is occupied."""
        slow_since_s = time.monotonic() - _PROMPT_S
        return [LaneHealth.FAULTY] * len(self._overdue_lanes) + [
            LaneHealth.FAULTY
            if overdue_at_s - self.deadline_s <= slow_since_s
            else self._health[lane]
            for lane, (_, overdue_at_s) in self._under_way.items()
        ]

    def start(self, attempt: Attempt, send: Send, letter: Letter, address: str) -> None:
        """Begin *attempt*, for which there is room; its result so far is that of one unfinished."""

        def run() -> None:
            result = contain_errors(send)(letter, address)
            self._ended_attempts.put(
                Attempt(attempt.row, attempt.alert, attempt.attempted_at, result)
            )

        has_failed = attempt.row.attempts > 1
        self._health.setdefault(
            attempt.lane, LaneHealth.FAULTY if has_failed else LaneHealth.UNKNOWN
        )
        self._under_way[attempt.lane] = attempt, time.monotonic() + self.deadline_s
        # A thread of an executor would hold up the end of the process
        threading.Thread(target=run, name="alert delivery", daemon=True).start()

    def pop_finished(self, wait_s: float) -> Attempt | None:
        """Return an attempt with its result; None when none has ended within *wait_s*."""
        attempt = self._pop_ended(wait_s) or self._pop_overdue()
        if attempt is not None:
            is_taken = isinstance(attempt.result, Acceptance)
            self._health[attempt.lane] = LaneHealth.HEALTHY if is_taken else LaneHealth.FAULTY
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
