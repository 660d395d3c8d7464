"""A part whose every step fails is not ready; one failure that passes does not show."""

import io
import time
from contextlib import contextmanager
from dataclasses import replace

import pytest
from sqlalchemy.exc import OperationalError

from services.ingest.site_topic import SiteTopic
from services.ingest.writer import Writer
from services.relay.worker import Relay
from services.runtime import log
from services.runtime.health import DEFAULT_LIMIT_S
from services.safety_rules.workers.hint_worker import HintWorker
from services.safety_rules.workers.sweeper import Sweeper
from services.store.held_lease import HeldLease
from tests.helpers.timeline import STUDY, Timeline

FAR_S = 1e9


@pytest.fixture(autouse=True)
def log_entries():
    log.configure_logging(as_json=True, stream=io.StringIO())


class Unreachable:
    """The database *db*, which may be away."""

    def __init__(self, db):
        self.db, self.is_away = db, False

    @contextmanager
    def read(self):
        self._meet()
        with self.db.read() as conn:
            yield conn

    @contextmanager
    def write(self):
        self._meet()
        with self.db.write() as conn:
            yield conn

    def _meet(self):
        if self.is_away:
            raise OperationalError("", {}, ConnectionError("nobody answers"))


class Rounds:
    """A stop that comes after so many looks and pauses, which take no time."""

    def __init__(self, remaining):
        self.remaining = remaining

    def is_set(self):
        self.remaining -= 1
        return self.remaining <= 0

    def wait(self, _for_s):
        return self.is_set()


class NoRecords:
    """The topic of sites, with nothing in it; it cannot be read while the database is away."""

    def __init__(self, db):
        self.db = db

    def assignment(self):
        return set()

    def poll(self, _timeout_ms, max_records):  # noqa: ARG002 - as the library names it
        with self.db.read():
            return {}

    def close(self, timeout_ms):
        pass


def rules(timeline, db):
    timeline.rules.db = db
    return timeline.rules


def alerts(timeline, db):
    timeline.worker.context = replace(timeline.delivery, db=db)
    return timeline.worker


def relay(timeline, db):
    relay_worker = Relay(timeline.db, lambda: None, STUDY, "relay", timeline.delivery.clock)
    relay_worker.db = db
    return relay_worker


def sweeper(timeline, db):
    worker = HintWorker(timeline.db, timeline.rules.rules, timeline.delivery.clock)
    sweeper_worker = Sweeper(worker, "waker", sweep_every_s=60, left_behind_s=30)
    worker.db = db
    return sweeper_worker


def site_topic(_timeline, db):
    return SiteTopic(NoRecords(db), Writer(None))


@pytest.mark.parametrize("build_part", [rules, alerts, relay, sweeper, site_topic])
def test_who_fails_at_every_step_is_not_ready_until_a_step_succeeds(tmp_path, build_part):
    timeline = Timeline(tmp_path)
    db = Unreachable(timeline.db)
    part = build_part(timeline, db)
    part.run(Rounds(6))
    assert part.progress.assess(FAR_S).ready
    db.is_away = True
    began_s = time.monotonic()
    part.run(Rounds(6))
    assert part.progress.assess(began_s + DEFAULT_LIMIT_S).ready  # it may pass
    assert not part.progress.assess(FAR_S).ready
    db.is_away = False
    part.run(Rounds(6))
    assert part.progress.assess(FAR_S).ready
    timeline.close()


def test_a_sweeper_whose_sweeps_fail_at_their_end_is_not_ready(tmp_path):
    timeline = Timeline(tmp_path)
    part = sweeper(timeline, timeline.db)
    part.worker = _Undecidable(part.worker)
    part.run(Rounds(6))
    assert not part.progress.assess(FAR_S).ready
    timeline.close()


class _Undecidable:
    """The worker of a sweeper, with rules of the study that cannot speak."""

    def __init__(self, subject):
        self.subject = subject

    def decide(self):
        raise ArithmeticError

    def __getattr__(self, name):
        return getattr(self.subject, name)


def test_who_leaves_the_lease_to_another_is_ready(tmp_path):
    timeline = Timeline(tmp_path)
    db = Unreachable(timeline.db)
    part = sweeper(timeline, db)
    other_item = HeldLease(timeline.db, "waker", "another", timeline.delivery.clock)
    db.is_away = True
    part.run(Rounds(6))
    assert not part.progress.assess(FAR_S).ready
    assert other_item.hold()
    part.run(Rounds(6))
    assert part.progress.assess(FAR_S).ready
    timeline.close()
