"""The waker: timers that are due, facts that were left behind, and nobody twice for nothing."""

import io
import threading
import time
from contextlib import contextmanager
from datetime import timedelta

import pytest
from sqlalchemy.exc import OperationalError

from services.runtime import log, topics
from services.safety_rules.workers.hint_worker import HintWorker
from services.safety_rules.workers.sweeper import Waker
from services.simulator.trial import simulate_trial
from services.store import journal, outbox, participants, states, timers
from services.store.session import Database
from tests.helpers.installation import Installation

TRIAL = simulate_trial(2, seed=5, days=3)
LEFT_BEHIND_S = 30.0


class Watched:
    """An installation whose announcements can be read, and a waker over it."""

    def __init__(self, folder):
        self.installed = Installation(folder)
        self.installed.enrol(TRIAL)
        self.opened = self.installed.context
        self.db = Database.open(self.opened.db.url, has_relay=True)
        self.now = None
        rules = self.opened.study.rules
        worker = HintWorker(self.db, rules, lambda: self.now, insists=False)
        self.waker = Waker(worker, "w", sweep_every_s=10, left_behind_s=LEFT_BEHIND_S)

    def announced(self):
        """Who was announced since this was last asked."""
        with self.db.write() as conn:
            rows = outbox.load_announcements(conn, 0, 1000)
            outbox.delete_announcements(conn, [row.id for row in rows])
        return sorted(row.key for row in rows if row.topic == topics.FACTS)

    def behind(self):
        with self.db.read() as conn:
            return sorted(journal.find_lagging_progress(conn, 100))

    def ready(self, now_s):
        return self.waker.progress.assess(now_s).ready


@pytest.fixture(autouse=True)
def logged():
    log.configure_logging(as_json=True, stream=io.StringIO())


@pytest.fixture
def watched(tmp_path):
    """Facts that are on disk, and that nobody was told of."""
    made = Watched(tmp_path)
    made.installed.accept(TRIAL.messages, at_once=50)
    with made.db.read() as conn:
        made.now = participants.find_last_received(conn, made.opened.study_id)
    yield made
    made.db.close()


def test_who_is_behind_is_announced_only_when_that_lasts(watched):
    assert watched.behind()
    watched.waker.step(0.0)
    assert watched.announced() == []  # the record may be on its way
    watched.waker.step(LEFT_BEHIND_S - 1)
    assert watched.announced() == []
    watched.waker.step(LEFT_BEHIND_S + 9)
    assert watched.announced() == watched.behind()
    watched.waker.step(LEFT_BEHIND_S + 19)
    assert watched.announced() == []


def test_what_is_announced_twice_in_vain_is_folded_here(watched):
    waiting = watched.behind()
    at_s = 0.0
    told = []
    while watched.behind():
        watched.waker.step(at_s)
        told += watched.announced()
        at_s += LEFT_BEHIND_S + 1
        assert at_s < 10 * LEFT_BEHIND_S, "nobody folds"
    assert sorted(set(told)) == waiting
    assert all(told.count(who) == 2 for who in waiting)
    with watched.db.read() as conn:
        assert all(one.folded_through for one in states.load_states(conn))


def test_a_process_is_ready_only_while_those_who_are_behind_move_on(watched):
    watched.waker.step(0.0)
    assert watched.ready(1000.0)
    watched.waker.step(LEFT_BEHIND_S + 1)
    assert watched.ready(LEFT_BEHIND_S + 2)
    assert not watched.ready(LEFT_BEHIND_S + 90)
    watched.waker.worker.look_at(watched.behind())
    watched.waker.step(LEFT_BEHIND_S + 91)
    assert watched.ready(LEFT_BEHIND_S + 999)


class Unwritable:
    """A database that takes nothing; *met* is set when somebody tries."""

    def __init__(self, db):
        self.read, self.met = db.read, threading.Event()

    @contextmanager
    def write(self):
        self.met.set()
        raise OperationalError("", {}, ConnectionError("nobody answers"))
        yield


def test_who_is_asked_to_stop_ends_while_the_database_takes_nothing(watched):
    now_s = time.monotonic()
    for ago_s in (200, 150, 100):  # seen, and announced twice in vain
        watched.waker.step(now_s - ago_s)
    watched.waker.worker.db = db = Unwritable(watched.db)
    stop = threading.Event()
    thread = threading.Thread(target=watched.waker.run, args=(stop,), daemon=True)
    thread.start()
    assert db.met.wait(20)
    stop.set()
    thread.join(20)
    assert not thread.is_alive()
    assert not watched.ready(1e9)


def test_a_timer_that_is_due_is_announced_at_once_and_once(watched):
    watched.waker.worker.look_at(watched.behind())
    with watched.db.read() as conn:
        first = timers.find_next_due(conn)
    watched.announced()
    watched.now = first - timedelta(seconds=1)
    watched.waker.step(0.0)
    assert watched.announced() == []
    watched.now = first
    watched.waker.step(0.5)
    woken = watched.announced()
    assert len(woken) == 1
    watched.waker.step(1.0)
    assert watched.announced() == []
    watched.waker.worker.look_at(woken)
    with watched.db.read() as conn:
        assert first not in timers.load_timers(conn, woken[0]).values()
