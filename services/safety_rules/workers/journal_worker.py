"""The rules of the embedded service: woken by the journal, one worker at a time."""

import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from services.runtime import log
from services.runtime.clock import Clock
from services.runtime.health import Progress
from services.safety_rules.application.cache import Cache
from services.safety_rules.application.decide_study import StudyDecisions, run_study_step
from services.safety_rules.application.fold_participants import FoldRequest, FoldResult, fold
from services.safety_rules.application.past_crossings import raise_missing_alerts
from services.safety_rules.domain.ctcae.rule_book import Rules
from services.store import journal, participants, states, timers
from services.store.held_lease import HeldLease
from services.store.session import Database

_AFTER_FAILURE_S = 1.0
_AT_ONCE = 64  # participants in one step
_LOOK_BACK = timedelta(days=1)

_log = log.make_logger("safety_rules")


@dataclass(slots=True)
class JournalWorker:
    """Folds what the journal holds and has not been folded, while it has the lease.

    Args:
        db: Migrated.
        rules: The running rules.
        holder: Name of this worker among all.
        clock: The machine's.
        by_message: Timers follow the time of messages, not the machine's.
        on_step: Told what each step did, for logs and metrics.
        progress: Told when something waits or fails, was done, or nothing is left.
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
    _has_to_decide: bool = True  # somebody may have folded, and ended before the rules spoke
    _looked_back_at: datetime | None = None
    _lease: HeldLease = field(init=False)

    def __post_init__(self) -> None:
        self._lease = HeldLease(self.db, "rules", self.holder, self.clock)

    def run(self, stop: threading.Event, idle_s: float = 0.02) -> None:
        """Step until *stop* is set; what fails for now is logged and tried again.

        It rests *idle_s* seconds when there is nothing to do.
        """
        while not stop.is_set():
            try:
                with self.turn:
                    busy = self._is_mine() and (self.step() or self.look_back_daily())
            except Exception as error:  # noqa: BLE001 - later facts must not go ungraded
                _log.exception("step_failed", exc_info=error)
                self.progress.record_waiting(time.monotonic())
                self.cache = self.cache.make_empty()
                stop.wait(_AFTER_FAILURE_S)
                continue
            if not busy:
                self.progress.record_idle()
                stop.wait(idle_s)
        self._lease.release()

    def settle(self) -> bool:
        """Step until nothing is left; False when another worker has the lease."""
        if not self._is_mine():
            return False
        while self.step():
            pass
        self.look_back()
        self._lease.release()
        return True

    def step(self) -> bool:
        """Fold what is behind or due, then let the rules speak; False when nobody was.

        The rules also speak when they were kept from it after the last fold.
        """
        with self.db.read() as conn:
            until = self._now_of(participants.find_last_received(conn, self.rules.protocol.study))
            due = {timer.owner for timer in timers.load_due_timers(conn, until, _AT_ONCE)}
            behind = journal.find_lagging_subjects(conn, _AT_ONCE)
            again = states.find_subjects_to_refold(conn, self.rules.version, _AT_ONCE)
        subjects = sorted(due.union(behind, again))
        if not subjects and not self._has_to_decide:
            return False
        self.progress.record_waiting(time.monotonic())
        self._has_to_decide = True
        folded = fold(self.db, self.rules, self.cache, subjects, FoldRequest(until))
        if folded.overtaken:
            _log.warning("overtaken")
        decided = run_study_step(self.db, self.rules, self.clock())
        self._has_to_decide = False
        self.on_step(folded, decided)
        self.progress.record_commit(time.monotonic())
        return bool(subjects)

    def look_back(self) -> bool:
        """Tell what the steps stepped over; False when there was nothing.

        What became known together is folded together: a boundary may have been reached in between.
        """
        told = raise_missing_alerts(self.db, self.rules)
        if told is not None:
            self._looked_back_at = self.clock()
        return bool(told)

    def look_back_daily(self) -> bool:
        """Look back, unless that was done less than a day ago; False when there was nothing."""
        last = self._looked_back_at
        return (last is None or self.clock() - last >= _LOOK_BACK) and self.look_back()

    def _is_mine(self) -> bool:
        """Say whether this is the worker; another may have folded until it was."""
        mine = self._lease.hold()
        self._has_to_decide = self._has_to_decide or not mine
        return mine

    def _now_of(self, last_received: datetime | None) -> datetime:
        return last_received if self.by_message and last_received else self.clock()
