"""Wakes the rules when no record does: for timers that are due, and facts that were left behind.

One process at a time does it, by lease. It announces; whoever folds the participant does the rest.
A participant announced twice in vain is folded here.
"""

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from services.runtime import log
from services.runtime.failpoints import pass_failpoint
from services.runtime.health import Progress
from services.safety_rules.application.fold_participants import FoldRequest
from services.safety_rules.application.missing_alerts import raise_missing_alerts
from services.safety_rules.application.store_queries import store_queries
from services.safety_rules.workers.hint_worker import HintWorker
from services.store import decisions, journal, outbox, states, timers
from services.store.held_lease import HeldLease

BATCH_SIZE = 500
TIMERS_EVERY_S = 0.5
LOOK_BACK_EVERY_S = 24 * 3600.0
QUIET = timedelta(minutes=10)  # without a fact: then a participant's data queries are stored
_REBUILT = 4  # families that a sweep folds for their data queries

_log = log.make_logger("safety_rules")

_MOST_ANNOUNCEMENTS = 2  # before the sweeper folds the participant itself
_CallKey = tuple[str, str]  # kind of reason, and the participant


@dataclass(slots=True)
class _Call:
    """A participant to wake: the *reason*, when it was last tried or seen, and the tries."""

    reason: str
    noted_s: float
    times: int = 0


@dataclass(slots=True)
class Sweeper:
    """Announces the participants to fold, while it has the lease.

    Args:
        worker: Folds whom nobody else does; it does not retry forever, so that a stop is obeyed.
        holder: Name of this process among all.
        sweep_every_s: Seconds between searches for facts that were left behind.
        left_behind_s: Seconds without progress after which it announces them again.
        progress: Records when somebody was left behind or it fails, and when nobody is any more.
    """

    worker: HintWorker
    holder: str
    sweep_every_s: float
    left_behind_s: float
    progress: Progress = field(default_factory=Progress)
    _lease: HeldLease = field(init=False)
    _calls: dict[_CallKey, _Call] = field(default_factory=dict)
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
        """Wake the participants with due timers and, at each sweep, those that were left behind."""
        self._wake("timer", self._list_due(), now_s)
        if now_s - self._swept_s >= self.sweep_every_s:
            self._swept_s = now_s
            lagging_subjects = self._list_lagging()
            self._wake("journal", lagging_subjects, now_s)
            self._wake("refold", self._list_outdated(), now_s)
            self._decide()
            self._look_back_daily(now_s)
            self._store_queries()
            self._record_progress(lagging_subjects, now_s)

    def _record_progress(self, lagging_subjects: Mapping[_CallKey, str], now_s: float) -> None:
        """Record the process as ready only while the lagging subjects move on."""
        if any(self._calls[who].times for who in lagging_subjects):
            self.progress.record_waiting(now_s)
        else:
            self.progress.record_idle()

    def _decide(self) -> None:
        """Decide the rules of the study, unless nothing has happened since the last time here.

        The record that asks for it may be lost, and then perhaps nobody is folded for days.
        """
        moves = self._count_steps()
        if moves != self._decided_at:
            self.worker.decide()
            self._decided_at = moves

    def _count_steps(self) -> tuple[int, int]:
        """Return the numbers of folds and of study steps so far."""
        with self.worker.db.read() as conn:
            study = decisions.load_study_state(conn, self.worker.rules.protocol.study)
            return states.count_steps(conn), study.version

    def _look_back_daily(self, now_s: float) -> None:
        """Raise the alerts that the steps passed over, at the first idle sweep of a day."""
        if now_s - self._looked_back_s >= LOOK_BACK_EVERY_S:
            raised_alerts = raise_missing_alerts(self.worker.db, self.worker.rules)
            self._looked_back_s = self._looked_back_s if raised_alerts is None else now_s

    def _store_queries(self) -> None:
        """Store the data queries on some of those of whom nothing came for a while."""
        now = self.worker.clock()
        store_queries(
            self.worker.db,
            self.worker.rules,
            self.worker.cache,
            FoldRequest(now),
            rebuilt=_REBUILT,
            received_before=now - QUIET,
        )

    def _list_due(self) -> dict[_CallKey, str]:
        current_time = self.worker.find_current_time()
        with self.worker.db.read() as conn:
            due = timers.load_due_timers(conn, current_time, BATCH_SIZE)
        return {("timer", one.owner): one.due_at.isoformat() for one in reversed(due)}

    def _list_lagging(self) -> dict[_CallKey, str]:
        with self.worker.db.read() as conn:
            progress = journal.find_lagging_progress(conn, BATCH_SIZE)
        return {("journal", subject): str(through) for subject, through in progress.items()}

    def _list_outdated(self) -> dict[_CallKey, str]:
        version = self.worker.rules.version
        with self.worker.db.read() as conn:
            subjects = states.find_subjects_to_refold(conn, version, BATCH_SIZE)
        return {("refold", subject): version for subject in subjects}

    def _wake(self, kind: str, reasons: Mapping[_CallKey, str], now_s: float) -> None:
        """Announce the participants of *reasons*, but not again for the same reason."""
        for ended_call in [one for one in self._calls if one[0] == kind and one not in reasons]:
            del self._calls[ended_call]
        to_announce: list[str] = []
        to_fold: list[str] = []
        for key, reason in reasons.items():
            call = self._calls.get(key)
            if call is None or call.reason != reason:
                call = self._calls[key] = _Call(reason, now_s)
                if kind != "timer":
                    continue  # its record may be on the way
            elif now_s - call.noted_s < self.left_behind_s:
                continue
            call.noted_s = now_s
            call.times += 1
            (to_announce if call.times <= _MOST_ANNOUNCEMENTS else to_fold).append(key[1])
        if to_announce:
            with self.worker.db.write() as conn:
                outbox.announce_hint(conn, to_announce)
                pass_failpoint("waker.before_announce")
            pass_failpoint("waker.after_announce")
        if to_fold:
            _log.warning("nobody_folds", count=len(to_fold))
            self.worker.fold_from_journal(to_fold)
