"""Wakes the rules for what no record brings: timers that are due, and facts that were left behind.

One process at a time does it, by lease. It announces; whoever folds the participant does the rest.
What is announced twice in vain is folded here.
"""

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from services.runtime import log
from services.runtime.failpoints import pass_failpoint
from services.runtime.health import Progress
from services.safety_rules.application.past_crossings import raise_missing_alerts
from services.safety_rules.workers.hint_worker import HintWorker
from services.store import decisions, journal, outbox, states, timers
from services.store.held_lease import HeldLease

AT_ONCE = 500
TIMERS_EVERY_S = 0.5
LOOK_BACK_EVERY_S = 24 * 3600.0

_log = log.make_logger("safety_rules")

_IN_VAIN = 2  # times announced
_Who = tuple[str, str]  # why in general, and the participant


@dataclass(slots=True)
class _Call:
    """Somebody who has to be woken for a *reason*, since when, and how often that was tried."""

    reason: str
    at_s: float
    times: int = 0


@dataclass(slots=True)
class Waker:
    """Announces who has to be looked at, while it has the lease.

    Args:
        worker: Folds what nobody else does; it does not insist, so that a stop is heard.
        holder: Name of this process among all.
        sweep_every_s: How often it looks for facts that were left behind.
        left_behind_s: After how long without progress it announces them again.
        progress: Told when somebody was left behind or it fails, and when nobody is any more.
    """

    worker: HintWorker
    holder: str
    sweep_every_s: float
    left_behind_s: float
    progress: Progress = field(default_factory=Progress)
    _lease: HeldLease = field(init=False)
    _calls: dict[_Who, _Call] = field(default_factory=dict)
    _decided_at: tuple[int, int] | None = None
    _swept_s: float = float("-inf")
    _looked_back_s: float = float("-inf")

    def __post_init__(self) -> None:
        self._lease = HeldLease(self.worker.db, "waker", self.holder, self.worker.clock)

    def run(self, stop: threading.Event) -> None:
        """Look every half second until *stop* is set; what fails for now is tried again."""
        while not stop.wait(TIMERS_EVERY_S):
            try:
                if self._lease.hold():
                    self.step(time.monotonic())
                else:
                    self.progress.record_idle()  # another process looks
            except Exception as error:  # noqa: BLE001 - later facts must not go ungraded
                _log.exception("waker_failed", exc_info=error)
                self.progress.record_waiting(time.monotonic())
                self._swept_s = float("-inf")  # only a whole sweep says that nobody waits
        self._lease.release()

    def step(self, now_s: float) -> None:
        """Wake whom a timer is due for, and now and then whoever was left behind."""
        self._wake("timer", self._due(), now_s)
        if now_s - self._swept_s >= self.sweep_every_s:
            self._swept_s = now_s
            behind = self._behind()
            self._wake("journal", behind, now_s)
            self._wake("refold", self._asked_again(), now_s)
            self._decide()
            self._look_back_daily(now_s)
            self._tell(behind, now_s)

    def _tell(self, behind: Mapping[_Who, str], now_s: float) -> None:
        """Let the process be ready only while those who are behind move on."""
        if any(self._calls[who].times for who in behind):
            self.progress.record_waiting(now_s)
        else:
            self.progress.record_idle()

    def _decide(self) -> None:
        """Let the rules of the study speak, unless nothing has happened since they last did here.

        The record that asks for it may be lost, and then perhaps nobody is folded for days.
        """
        moves = self._moves()
        if moves != self._decided_at:
            self.worker.decide()
            self._decided_at = moves

    def _moves(self) -> tuple[int, int]:
        """Return how often anybody was folded, and how often the study was decided on."""
        with self.worker.db.read() as conn:
            study = decisions.load_study_state(conn, self.worker.rules.protocol.study)
            return states.count_moves(conn), study.version

    def _look_back_daily(self, now_s: float) -> None:
        """Tell what the steps stepped over, at the first sweep of a day at which nobody waits."""
        if now_s - self._looked_back_s >= LOOK_BACK_EVERY_S:
            told = raise_missing_alerts(self.worker.db, self.worker.rules)
            self._looked_back_s = self._looked_back_s if told is None else now_s

    def _due(self) -> dict[_Who, str]:
        until = self.worker.now()
        with self.worker.db.read() as conn:
            due = timers.load_due_timers(conn, until, AT_ONCE)
        return {("timer", one.owner): one.due_at.isoformat() for one in reversed(due)}

    def _behind(self) -> dict[_Who, str]:
        with self.worker.db.read() as conn:
            behind = journal.find_lagging_progress(conn, AT_ONCE)
        return {("journal", subject): str(through) for subject, through in behind.items()}

    def _asked_again(self) -> dict[_Who, str]:
        version = self.worker.rules.version
        with self.worker.db.read() as conn:
            asked = states.find_subjects_to_refold(conn, version, AT_ONCE)
        return {("refold", subject): version for subject in asked}

    def _wake(self, kind: str, reasons: Mapping[_Who, str], now_s: float) -> None:
        """Announce whom *reasons* name; who is announced for the same reason is left in peace."""
        for gone in [one for one in self._calls if one[0] == kind and one not in reasons]:
            del self._calls[gone]
        announced: list[str] = []
        folded: list[str] = []
        for who, reason in reasons.items():
            call = self._calls.get(who)
            if call is None or call.reason != reason:
                call = self._calls[who] = _Call(reason, now_s)
                if kind != "timer":
                    continue  # its record may be on the way
            elif now_s - call.at_s < self.left_behind_s:
                continue
            call.at_s = now_s
            call.times += 1
            (announced if call.times <= _IN_VAIN else folded).append(who[1])
        if announced:
            with self.worker.db.write() as conn:
                outbox.announce_hint(conn, announced)
                pass_failpoint("waker.before_announce")
            pass_failpoint("waker.after_announce")
        if folded:
            _log.warning("nobody_folds", count=len(folded))
            self.worker.look_at(folded)
