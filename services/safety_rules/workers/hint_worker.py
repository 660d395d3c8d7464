"""The rules of one process among many: woken by records that carry facts of the journal.

A record is only a hint. Its facts are used when they come next in the journal; missing ones are
read there, known ones are passed over, and those that never arrive are announced
again by `services.safety_rules.workers.sweeper`.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from services.runtime import log
from services.runtime.clock import Clock
from services.runtime.health import Progress
from services.runtime.kafka_records import FactRuns, NewerRecord, read_facts_record
from services.safety_rules.application.cache import Cache
from services.safety_rules.application.decide_study import StudyDecisions, run_study_step
from services.safety_rules.application.fold_participants import FoldRequest, FoldResult, fold
from services.safety_rules.application.study_watch import StudyWatch
from services.safety_rules.domain.ctcae.rule_book import Rules
from services.store import heartbeat, participants
from services.store.decisions import LastDecisions
from services.store.session import Database, DatabaseError, is_transient
from services.vocabulary.fact import JournalEntry

_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.1, 5.0
_TRIES = 20  # when others are always faster, the sweeper comes back to it

_log = log.make_logger("safety_rules")


class NewerRecordError(Exception):
    """A record is of a version that this program does not read: it has to be upgraded."""


@dataclass(slots=True)
class HintWorker:
    """Folds the participants that records name, and decides the rules of the study.

    Args:
        db: Migrated.
        rules: The running rules.
        clock: The machine's.
        by_message: Timers follow the time of messages, not the machine's.
        on_folded: Receives the result of each fold, for logs and metrics.
        on_decided: Receives the decisions, for metrics.
        progress: Records when facts wait, are folded, or none are left.
        decision_progress: The same, of the study.
        cache: Of the families that were folded last.
        retries_forever: It tries until the database is there again; False: the error of the
            database is raised, to a caller who comes back and may be asked to stop.
    """

    db: Database
    rules: Rules
    clock: Clock
    by_message: bool = False
    on_folded: Callable[[FoldResult], None] = lambda _folded: None
    on_decided: Callable[[StudyDecisions], None] = lambda _decided: None
    progress: Progress = field(default_factory=Progress)
    decision_progress: Progress = field(default_factory=Progress)
    cache: Cache = field(default_factory=Cache)
    retries_forever: bool = True
    _study_watch: StudyWatch = field(default_factory=StudyWatch)
    _last_decisions: LastDecisions = field(default_factory=LastDecisions)

    def fold(self, records: Sequence[tuple[str, bytes]]) -> None:
        """Fold the subjects of *records* (subject and value), unless others have done it.

        Raises:
            NewerRecordError: This program has to be upgraded first.
        """
        entries = self._collect_entries(records)
        if entries.pop(heartbeat.SUBJECT, None) is not None:
            with self.db.write() as conn:
                heartbeat.return_heartbeat(conn, self.clock())
        if entries:
            self._fold(entries)

    def fold_from_journal(self, subjects: Sequence[str]) -> None:
        """Fold the new facts of *subjects* in the journal, and their timers."""
        self._fold({subject: [] for subject in subjects})

    def decide(self) -> None:
        """Decide the rules of the study and record the decisions that are news."""
        self._retry(self._decide_once, self.decision_progress, 1)

    def clear_cache(self) -> None:
        """Empty the cache: others may fold these participants from now on."""
        self.cache = self.cache.make_empty()

    def _collect_entries(
        self, records: Sequence[tuple[str, bytes]]
    ) -> dict[str, list[JournalEntry]]:
        """Return the facts of this study in *records*, by subject, each once, by seq.

        None of a subject whose journal has more facts than the records.
        """
        entries: dict[str, dict[int, JournalEntry]] = {}
        incomplete: set[str] = set()
        for subject, value in records:
            content = read_facts_record(value)
            match content:
                case FactRuns(study=study, facts=facts, is_whole=is_whole):
                    if study == self.rules.protocol.study:
                        entries.setdefault(subject, {}).update((k.seq, k) for k in facts)
                        incomplete.update(() if is_whole else (subject,))
                case NewerRecord(version=version):
                    raise NewerRecordError(
                        f"a record of version {version} was published by a newer Aegis than this"
                        " one: upgrade this worker"
                    )
                case _:
                    _log.error("record_unreadable", where=content.where, problem=content.problem)
        return {
            subject: [] if subject in incomplete else [known[seq] for seq in sorted(known)]
            for subject, known in entries.items()
        }

    def _fold(self, entries: dict[str, list[JournalEntry]]) -> None:
        """Fold all at once; when that is overtaken, each alone from the journal.

        Newer facts than those of the records may be known by then, and timers are applied only to
        participants whose facts are all folded.
        """
        if self._retry(partial(self._fold_once, entries), self.progress, 1):
            return
        for subject in sorted(entries):
            if not self._retry(partial(self._fold_once, {subject: []}), self.progress, _TRIES):
                _log.warning("left_to_the_waker", tries=_TRIES)

    def _fold_once(self, entries: dict[str, list[JournalEntry]]) -> bool:
        result = fold(
            self.db,
            self.rules,
            self.cache,
            sorted(entries),
            FoldRequest(self.find_current_time(), entries),
        )
        if not result.overtaken:
            self.on_folded(result)
        return not result.overtaken

    def _decide_once(self) -> bool:
        decisions = run_study_step(
            self.db, self.rules, self.clock(), self._study_watch.decide, self._last_decisions
        )
        self.on_decided(decisions)
        return True

    def _retry(self, task: Callable[[], bool], progress: Progress, tries: int) -> bool:
        """Try *task* again while the database fails; return True if it was done in *tries* tries.

        A lasting error is raised; a worker that does not retry forever raises every error.
        """
        progress.record_waiting(time.monotonic())
        pause_s = _FIRST_PAUSE_S
        is_done = False
        while tries and not is_done:
            try:
                is_done = task()
                tries -= 1
            except DatabaseError as error:
                if not (self.retries_forever and is_transient(error)):
                    raise
                _log.warning("database_unavailable", problem=type(error).__name__)
                self.clear_cache()
                time.sleep(pause_s)
                pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
        progress.record_idle()
        return is_done

    def find_current_time(self) -> datetime:
        """Return the time at which timers are due: the machine's, or that of the last message."""
        if not self.by_message:
            return self.clock()
        with self.db.read() as conn:
            last = participants.find_last_received(conn, self.rules.protocol.study)
        return last or self.clock()
