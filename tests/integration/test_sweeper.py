"""The sweeper: timers that are due, facts that were left behind, and nobody twice for nothing."""

import io
import threading
import time
from contextlib import contextmanager
from datetime import timedelta

import pytest
from sqlalchemy.exc import OperationalError

from services.runtime import log, topic_names
from services.safety_rules.workers.hint_worker import HintWorker
from services.safety_rules.workers.sweeper import QUIET, Sweeper
from services.simulator.trial import simulate_trial
from services.store import journal, outbox, participant_queries, participants, states, timers
from services.store.session import Database
from tests.helpers.fact_notes import hours
from tests.helpers.installation import Installation

TRIAL = simulate_trial(2, seed=5, days=3)
LEFT_BEHIND_S = 30.0


class WatchedInstallation:
    """An installation whose announcements can be read, and a sweeper over it."""

    def __init__(self, folder):
        self.installation = Installation(folder)
        self.installation.enrol(TRIAL)
        self.context = self.installation.context
        self.db = Database.open(self.context.db.url, has_relay=True)
        self.clock_time = None
        rules = self.context.study.rules
        worker = HintWorker(self.db, rules, lambda: self.clock_time, retries_forever=False)
        self.sweeper = Sweeper(worker, "w", sweep_every_s=10, left_behind_s=LEFT_BEHIND_S)

    def announced_subjects(self):
        """The participants announced since the last call."""
        with self.db.write() as conn:
            rows = outbox.load_announcements(conn, 0, 1000)
            outbox.delete_announcements(conn, [row.id for row in rows])
        return sorted(row.key for row in rows if row.topic == topic_names.FACTS)

    def subjects_behind(self):
        with self.db.read() as conn:
            return sorted(journal.find_lagging_progress(conn, 100))

    def ready(self, now_s):
        return self.sweeper.progress.assess(now_s).ready


@pytest.fixture(autouse=True)
def log_entries():
    log.configure_logging(as_json=True, stream=io.StringIO())


@pytest.fixture
def watched_trial(tmp_path):
    """Facts that are on disk, and that nobody was told of."""
    trial = WatchedInstallation(tmp_path)
    trial.installation.accept(TRIAL.messages, at_once=50)
    with trial.db.read() as conn:
        trial.clock_time = participants.find_last_received(conn, trial.context.study_id)
    yield trial
    trial.db.close()


def test_who_is_behind_is_announced_only_when_that_lasts(watched_trial):
    assert watched_trial.subjects_behind()
    watched_trial.sweeper.step(0.0)
    assert watched_trial.announced_subjects() == []  # the record may be on its way
    watched_trial.sweeper.step(LEFT_BEHIND_S - 1)
    assert watched_trial.announced_subjects() == []
    watched_trial.sweeper.step(LEFT_BEHIND_S + 9)
    assert watched_trial.announced_subjects() == watched_trial.subjects_behind()
    watched_trial.sweeper.step(LEFT_BEHIND_S + 19)
    assert watched_trial.announced_subjects() == []


def test_what_is_announced_twice_in_vain_is_folded_here(watched_trial):
    subjects_waiting = watched_trial.subjects_behind()
    at_s = 0.0
    calls = []
    while watched_trial.subjects_behind():
        watched_trial.sweeper.step(at_s)
        calls += watched_trial.announced_subjects()
        at_s += LEFT_BEHIND_S + 1
        assert at_s < 10 * LEFT_BEHIND_S, "nobody folds"
    assert sorted(set(calls)) == subjects_waiting
    assert all(calls.count(who) == 2 for who in subjects_waiting)
    with watched_trial.db.read() as conn:
        assert all(one.folded_through for one in states.load_states(conn))


def test_the_queries_on_whom_nothing_came_for_a_while_are_stored(watched_trial):
    def find_outdated():
        rules = watched_trial.context.study.rules
        with watched_trial.db.read() as conn:
            return participant_queries.find_outdated_subjects(
                conn, rules.protocol.study, rules.version
            )

    watched_trial.sweeper.worker.fold_from_journal(watched_trial.subjects_behind())
    subjects = find_outdated()
    assert subjects
    watched_trial.sweeper.step(0.0)
    assert find_outdated()  # something of them has just come
    watched_trial.clock_time += QUIET + timedelta(microseconds=1)
    watched_trial.sweeper.step(LEFT_BEHIND_S)
    assert find_outdated() == []


def test_a_process_is_ready_only_while_those_who_are_behind_move_on(watched_trial):
    watched_trial.sweeper.step(0.0)
    assert watched_trial.ready(1000.0)
    watched_trial.sweeper.step(LEFT_BEHIND_S + 1)
    assert watched_trial.ready(LEFT_BEHIND_S + 2)
    assert not watched_trial.ready(LEFT_BEHIND_S + 90)
    watched_trial.sweeper.worker.fold_from_journal(watched_trial.subjects_behind())
    watched_trial.sweeper.step(LEFT_BEHIND_S + 91)
    assert watched_trial.ready(LEFT_BEHIND_S + 999)


class Unwritable:
    """A database that takes nothing; *was_read* is set when somebody tries."""

    def __init__(self, db):
        self.read, self.was_read = db.read, threading.Event()

    @contextmanager
    def write(self):
        self.was_read.set()
        raise OperationalError("", {}, ConnectionError("nobody answers"))
        yield


def test_who_is_asked_to_stop_ends_while_the_database_takes_nothing(watched_trial):
    now_s = time.monotonic()
    for ago_s in (200, 150, 100):  # seen, and announced twice in vain
        watched_trial.sweeper.step(now_s - ago_s)
    watched_trial.sweeper.worker.db = db = Unwritable(watched_trial.db)
    stop = threading.Event()
    thread = threading.Thread(target=watched_trial.sweeper.run, args=(stop,), daemon=True)
    thread.start()
    assert db.was_read.wait(20)
    stop.set()
    thread.join(20)
    assert not thread.is_alive()
    assert not watched_trial.ready(1e9)


def test_a_timer_that_is_due_is_announced_at_once_and_once(watched_trial):
    watched_trial.sweeper.worker.fold_from_journal(watched_trial.subjects_behind())
    with watched_trial.db.read() as conn:
        first = timers.load_due_timers(conn, hours(10_000), 1)[0].due_at
    watched_trial.announced_subjects()
    watched_trial.clock_time = first - timedelta(seconds=1)
    watched_trial.sweeper.step(0.0)
    assert watched_trial.announced_subjects() == []
    watched_trial.clock_time = first
    watched_trial.sweeper.step(0.5)
    announced_subjects = watched_trial.announced_subjects()
    assert len(announced_subjects) == 1
    watched_trial.sweeper.step(1.0)
    assert watched_trial.announced_subjects() == []
    watched_trial.sweeper.worker.fold_from_journal(announced_subjects)
    with watched_trial.db.read() as conn:
        assert first not in timers.load_timers(conn, announced_subjects[0]).values()
