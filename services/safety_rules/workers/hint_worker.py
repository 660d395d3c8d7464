"""The rules of one process among many: woken by records that carry facts of the journal.

A record is only a hint. What it carries is used when it is what comes next in the journal; what is
missing is read there, what is known already is passed over, and what never arrives is announced
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
from services.safety_rules.domain.ctcae.rule_book import Rules
from services.store import participants
from services.store.session import Database, DatabaseError, is_transient
from services.vocabulary.fact import JournalEntry

_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.1, 5.0
_TRIES = 20  # when others are always faster, the waker comes back to it

_log = log.make_logger("safety_rules")


class NewerRecordError(Exception):
    """A record is of a version that this program does not read: it has to be upgraded."""


@dataclass(slots=True)
class HintWorker:
    """Folds the participants that records name, and lets the rules of the study speak.

    Args:
        db: Migrated.
        rules: The running rules.
        clock: The machine's.
        by_message: Timers follow the time of messages, not the machine's.
        on_folded: Told what was folded, for logs and metrics.
        on_decided: Told what the rules say, for metrics.
        progress: Told when facts wait, are folded, or none are left.
        deciding: The same, of the study.
        cache: Of the families that were folded last.
        insists: It tries until the database is there again, whatever happens; False: what the
            database does is raised, to a caller who comes back and may be asked to stop.
    """

    db: Database
    rules: Rules
    clock: Clock
    by_message: bool = False
    on_folded: Callable[[FoldResult], None] = lambda _folded: None
    on_decided: Callable[[StudyDecisions], None] = lambda _decided: None
    progress: Progress = field(default_factory=Progress)
    deciding: Progress = field(default_factory=Progress)
    cache: Cache = field(default_factory=Cache)
    insists: bool = True

    def fold(self, records: Sequence[tuple[str, bytes]]) -> None:
        """Return once what *records* (subject and value) ask for is on disk, or done by others.

        Raises:
            NewerRecordError: This program has to be upgraded first.
        """
        carried = self._carried(records)
        if carried:
            self._fold(carried)

    def look_at(self, subjects: Sequence[str]) -> None:
        """Return once what the journal and the time say of *subjects* is on disk."""
        self._fold({subject: [] for subject in subjects})

    def decide(self) -> None:
        """Return once what the rules of the study say now is on disk."""
        self._until_done(self._decide_once, self.deciding, 1)

    def forget(self) -> None:
        """Drop what is remembered: others may fold these participants from now on."""
        self.cache = self.cache.make_empty()

    def _carried(self, records: Sequence[tuple[str, bytes]]) -> dict[str, list[JournalEntry]]:
        """Return the facts of this study that *records* carry, by subject, each once, by seq.

        None of a subject whose journal has more to be read than the records carry.
        """
        carried: dict[str, dict[int, JournalEntry]] = {}
        in_part: set[str] = set()
        for subject, value in records:
            found = read_facts_record(value)
            match found:
                case FactRuns(study=study, facts=facts, is_whole=is_whole):
                    if study == self.rules.protocol.study:
                        carried.setdefault(subject, {}).update((k.seq, k) for k in facts)
                        in_part.update(() if is_whole else (subject,))
                case NewerRecord(version=version):
                    raise NewerRecordError(
                        f"a record of version {version} was published by a newer Aegis than this"
                        " one: upgrade this worker"
                    )
                case _:
                    _log.error("record_unreadable", where=found.where, problem=found.problem)
        return {
            subject: [] if subject in in_part else [known[seq] for seq in sorted(known)]
            for subject, known in carried.items()
        }

    def _fold(self, carried: dict[str, list[JournalEntry]]) -> None:
        """Fold all at once; when that is overtaken, each alone, and what the journal then holds.

        Of what was carried a part may be missing that is known by now, and time is told only to who
        has heard everything.
        """
        if self._until_done(partial(self._fold_once, carried), self.progress, 1):
            return
        for subject in sorted(carried):
            if not self._until_done(partial(self._fold_once, {subject: []}), self.progress, _TRIES):
                _log.warning("left_to_the_waker", tries=_TRIES)

    def _fold_once(self, carried: dict[str, list[JournalEntry]]) -> bool:
        folded = fold(
            self.db, self.rules, self.cache, sorted(carried), FoldRequest(self.now(), carried)
        )
        if not folded.overtaken:
            self.on_folded(folded)
        return not folded.overtaken

    def _decide_once(self) -> bool:
        self.on_decided(run_study_step(self.db, self.rules, self.clock()))
        return True

    def _until_done(self, does: Callable[[], bool], progress: Progress, tries: int) -> bool:
        """Do it again while the database fails, and say whether it was done in so many *tries*.

        What fails for good is raised; who does not insist raises everything.
        """
        progress.record_waiting(time.monotonic())
        pause_s = _FIRST_PAUSE_S
        done = False
        while tries and not done:
            try:
                done = does()
                tries -= 1
            except DatabaseError as error:
                if not (self.insists and is_transient(error)):
                    raise
                _log.warning("database_unavailable", problem=type(error).__name__)
                self.forget()
                time.sleep(pause_s)
                pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
        progress.record_idle()
        return done

    def now(self) -> datetime:
        """Return until when time is told: by the machine, or by the last message."""
        if not self.by_message:
            return self.clock()
        with self.db.read() as conn:
            last = participants.find_last_received(conn, self.rules.protocol.study)
        return last or self.clock()
