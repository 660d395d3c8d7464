"""The rules of the embedded service: woken by the journal, one worker at a time."""

import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from services.runtime import log
from services.runtime.clock import Clock
from services.runtime.health import Progress
from services.safety_rules.application.cache import Cache
from services.safety_rules.application.decide_study import StudyDecisions, run_study_step
from services.safety_rules.application.fold_participants import (
    FoldRequest,
    FoldResult,
    FoldStoppedError,
    fold,
)
from services.safety_rules.application.missing_alerts import raise_missing_alerts
from services.safety_rules.application.store_queries import store_queries
from services.safety_rules.application.study_watch import StudyWatch
from services.safety_rules.domain.ctcae.rule_book import Rules
from services.store import heartbeat, journal, participants, states, timers
from services.store.decisions import LastDecisions
from services.store.held_lease import HeldLease
from services.store.session import Database, DatabaseError
from services.store.wakeups import FACTS_CHANGED, Wakeups, make_wakeups

_AFTER_FAILURE_S = 1.0
_BATCH_SIZE = 64  # participants in one step
_LOOK_BACK = timedelta(days=1)
_STORE_QUERIES = timedelta(minutes=1)
_LAST_BATCHES = 8  # a second or two

_log = log.make_logger("safety_rules")


@dataclass(slots=True)
class JournalWorker:
    """Folds the new facts of the journal, while it has the lease.

    Args:
        db: Migrated.
        rules: The running rules.
        holder: Name of this worker among all.
        clock: The machine's.
        by_message: Timers follow the time of messages, not the machine's.
        on_step: Receives the result of each step, for logs and metrics.
        progress: Records when something waits or fails, was done, or nothing is left.
        cache: Of the families that were folded last.
        turn: Held during each step; whoever loads a history holds it until a day is whole.
    """

    db: Database
    rules: Rules
    holder: str
    clock: Clock
    by_message: bool = False
    on_step: Callable[[FoldResult, StudyDecisions], None] = lambda _folded, _decided: None
    progress: Progress = field(default_factory=Progress)
    cache: Cache = field(default_factory=Cache)
    turn: AbstractContextManager[object] = field(default_factory=nullcontext)
    _has_to_decide: bool = True  # another worker may have folded, and ended before it decided
    _looked_back_at: datetime | None = None
    _queries_stored_at: datetime | None = None  # when none was left
    _is_stopped: Callable[[], bool] = lambda: False
    _study_watch: StudyWatch = field(default_factory=StudyWatch)
    _last_decisions: LastDecisions = field(default_factory=LastDecisions)
    _lease: HeldLease = field(init=False)
    _wakeups: Wakeups = field(init=False)

    def __post_init__(self) -> None:
        self._lease = HeldLease(self.db, "rules", self.holder, self.clock)
        self._wakeups = make_wakeups(self.db, FACTS_CHANGED)

    def run(self, stop: threading.Event, idle_s: float = 0.5) -> None:
        """Step until *stop* is set; what fails for now is logged and tried again.

        It rests until facts come, and at most *idle_s* seconds: timers fall due by time alone. A
        step in which *stop* is set is given up before its next message, and done again by whoever
        works next.
        """
        self._is_stopped = stop.is_set
        while not stop.is_set():
            try:
                with self.turn:
                    busy = self._holds_lease() and (
                        self.step() or self.look_back_daily() or self.store_queries()
                    )
            except FoldStoppedError:
                break
            except Exception as error:  # noqa: BLE001 - later facts must not go ungraded
                _log.exception("step_failed", exc_info=error)
                self.progress.record_waiting(time.monotonic())
                self.cache = self.cache.make_empty()
                self._wakeups.close()
                stop.wait(_AFTER_FAILURE_S)
                continue
            if not busy:
                self.progress.record_idle()
            self._wakeups.rest(stop, 0.0 if busy else idle_s)
        self._wakeups.close()
        self._store_last_queries()
        self._lease.release()

    def settle(self) -> bool:
        """Step until nothing is left; False when another worker has the lease."""
        while self._holds_lease():
            if not self.step():
                self.look_back()
                while self._store_queries(rebuilt=0):
                    pass
                self._lease.release()
                return True
        return False

    def step(self) -> bool:
        """Fold participants that lag or are due, then decide; False when there were none.

        The rules are also decided when the last fold was not followed by it.
        """
        with self.db.read() as conn:
            timers_until = self._find_current_time(
                participants.find_last_received(conn, self.rules.protocol.study)
            )
            due = {timer.owner for timer in timers.load_due_timers(conn, timers_until, _BATCH_SIZE)}
            lagging_subjects = journal.find_lagging_subjects(conn, _BATCH_SIZE)
            outdated_subjects = states.find_subjects_to_refold(
                conn, self.rules.version, _BATCH_SIZE
            )
            has_beat = heartbeat.find_unreturned(conn) is not None
        if has_beat:
            with self.db.write() as conn:
                heartbeat.return_heartbeat(conn, self.clock())
        subjects = sorted(due.union(lagging_subjects, outdated_subjects))
        if not subjects and not self._has_to_decide:
            return False
        self.progress.record_waiting(time.monotonic())
        self._has_to_decide = True
        request = FoldRequest(timers_until, is_stopped=self._is_stopped)
        fold_result = fold(self.db, self.rules, self.cache, subjects, request)
        if fold_result.overtaken:
            _log.warning("overtaken")
        decisions = run_study_step(
            self.db, self.rules, self.clock(), self._study_watch.decide, self._last_decisions
        )
        self._has_to_decide = False
        self.on_step(fold_result, decisions)
        self.progress.record_commit(time.monotonic())
        return bool(subjects)

    def look_back(self) -> bool:
        """Raise the alerts of crossings that the steps passed over; False when there were none.

        Facts that became known together are folded together: a boundary may have been reached in
        between.
        """
        raised_alerts = raise_missing_alerts(self.db, self.rules)
        if raised_alerts is not None:
            self._looked_back_at = self.clock()
        return bool(raised_alerts)

    def look_back_daily(self) -> bool:
        """Look back, unless that was done less than a day ago; False when there was nothing."""
        last = self._looked_back_at
        return (last is None or self.clock() - last >= _LOOK_BACK) and self.look_back()

    def store_queries(self) -> bool:
        """Store data queries that are older than the records; False when there are none.

        Once none is left, those of the next minute wait for its end.
        """
        now, last = self.clock(), self._queries_stored_at
        if last is not None and now - last < _STORE_QUERIES:
            return False
        if self._store_queries(rebuilt=1):
            return True
        self._queries_stored_at = now
        return False

    def _store_last_queries(self) -> None:
        """Store the data queries of histories that are at hand, before the process ends."""
        with suppress(DatabaseError):
            for _ in range(_LAST_BATCHES):
                if not (self._lease.hold() and self._store_queries(rebuilt=0)):
                    return

    def _store_queries(self, rebuilt: int) -> bool:
        request = FoldRequest(self.clock(), is_stopped=self._is_stopped)
        return store_queries(self.db, self.rules, self.cache, request, rebuilt=rebuilt)

    def _holds_lease(self) -> bool:
        """True if this worker has the lease; another may have folded until then."""
        is_held = self._lease.hold()
        self._has_to_decide = self._has_to_decide or not is_held
        return is_held

    def _find_current_time(self, last_received: datetime | None) -> datetime:
        return last_received if self.by_message and last_received else self.clock()
