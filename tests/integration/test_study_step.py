"""A decision raises its alert while it stands, and not once it is over, whoever dies or sleeps."""

import threading
from collections import deque
from dataclasses import replace

import pytest
from msgspec import structs

from services.runtime import failpoints
from services.safety_rules.application import decide_study
from services.safety_rules.application.cache import Cache
from services.safety_rules.application.decide_study import run_study_step
from services.safety_rules.application.fold_participants import FoldRequest, fold
from services.safety_rules.reports import verify
from services.safety_rules.workers import journal_worker
from services.safety_rules.workers.hint_worker import HintWorker
from services.safety_rules.workers.journal_worker import JournalWorker
from services.safety_rules.workers.sweeper import Sweeper
from services.store.decisions import load_decision_history, load_latest_decisions, load_study_state
from services.store.held_lease import HeldLease
from services.vocabulary.clinical_fact import Death
from services.vocabulary.fact import Status
from tests.helpers.fact_notes import fact, hours
from tests.helpers.timeline import STUDY, Timeline

RULE = "BLINA-HSCT.S4"  # non-relapse mortality: 2 of 2 to 4
PEOPLE = ["P-001", "P-002", "P-003", "P-004"]


class Deaths:
    """Four are treated, and one has died; the second may have."""

    def __init__(self, trial):
        self.trial, self.db, self.rules = trial, trial.db, trial.rules.rules
        trial.treat(*PEOPLE)
        trial.advance_to(0)
        trial.death("P-001", 5)
        trial.advance_to(6)
        self._reports = 0

    def second(self, is_so):
        """The second death is reported and folded, or is taken back; the rules do not speak yet."""
        self._reports += is_so
        status = Status.FINAL if is_so else Status.DELETED
        death = fact(Death(), 6, subject="P-002", series=f"report-{self._reports}", status=status)
        self.trial.say(structs.replace(death, reported_at=self.trial.clock_time))
        assert not fold(
            self.db, self.rules, Cache(), PEOPLE, FoldRequest(self.trial.clock_time)
        ).overtaken

    def decide(self):
        return run_study_step(self.db, self.rules, self.trial.clock_time)

    def notified_alerts(self):
        """The events of the rule's last decision, and True if its alert is open."""
        with self.db.read() as conn:
            last = {row.decision.rule: row.decision for row in load_latest_decisions(conn, STUDY)}
        open_alerts = self.trial.alerts(about=RULE, kind="boundary_reached")
        return last[RULE].events, any(one.is_open for one in open_alerts)

    def wrong(self):
        with self.db.read() as conn:
            return [one.problem for one in verify.check_decisions(conn, self.rules)]


@pytest.fixture
def deaths(tmp_path):
    trial = Timeline(tmp_path)
    yield Deaths(trial)
    trial.close()


@pytest.fixture
def at_failpoint(monkeypatch):
    """Functions to call when a step reaches a failpoint, in turn: by failpoint."""
    happens = {}

    def record_failpoint(name):
        failpoints.pass_failpoint(name)
        if happens.get(name):
            happens[name].popleft()()

    monkeypatch.setattr(decide_study, "pass_failpoint", record_failpoint)
    return happens


def make_sweeper(deaths):
    worker = HintWorker(deaths.db, deaths.rules, lambda: deaths.trial.clock_time)
    return Sweeper(worker, "w", sweep_every_s=10, left_behind_s=30)


def dies(*_args):
    raise OSError("the disk is full")


@pytest.fixture
def interrupted_worker(deaths, monkeypatch):
    """The second death is folded, and the step failed before the rules spoke."""
    deaths.trial.say(fact(Death(), 6, subject="P-002"))
    with monkeypatch.context() as patches:
        patches.setattr(journal_worker, "run_study_step", dies)
        with pytest.raises(OSError, match="full"):
            deaths.trial.rules.step()
    assert deaths.notified_alerts() == (1, False)
    return deaths


def test_what_was_folded_before_a_worker_died_is_decided_by_the_next(interrupted_worker):
    deaths = interrupted_worker
    second_worker = JournalWorker(
        deaths.db, deaths.rules, "another", lambda: deaths.trial.clock_time
    )
    assert not second_worker.step()  # nobody is folded any more
    assert deaths.notified_alerts() == (2, True)
    assert deaths.wrong() == []


def test_a_worker_that_could_not_decide_does_so_when_it_can(interrupted_worker):
    interrupted_worker.trial.rules.step()
    assert interrupted_worker.notified_alerts() == (2, True)


def test_who_gets_the_lease_back_decides_what_another_has_folded(deaths):
    second_worker = HeldLease(deaths.db, "rules", "another", lambda: deaths.trial.clock_time)
    assert second_worker.hold()
    stop = threading.Event()
    deaths.second(is_so=True)
    thread = threading.Thread(target=deaths.trial.rules.run, args=(stop,))
    thread.start()
    stop.wait(0.2)
    assert deaths.notified_alerts() == (1, False)
    second_worker.release()
    give_up = threading.Event()
    while deaths.notified_alerts() != (2, True) and not give_up.wait(0.05):
        assert thread.is_alive()
    stop.set()
    thread.join()


@pytest.mark.parametrize("was_so", [False, True])
def test_a_paused_worker_does_not_tell_what_is_over(deaths, at_failpoint, was_so):
    deaths.second(is_so=True)
    if was_so:
        deaths.decide()
    else:
        deaths.second(is_so=False)
    sweeper = make_sweeper(deaths)
    sweeper.step(0.0)
    notices = deaths.notified_alerts()
    deaths.second(is_so=not was_so)

    def meanwhile():
        """Undo what was read; others find nothing new in that."""
        deaths.second(is_so=was_so)
        assert deaths.decide().alerts == ()
        sweeper.step(10.0)

    at_failpoint["study.before_record"] = deque([meanwhile])
    deaths.decide()
    assert deaths.notified_alerts() == notices
    assert deaths.wrong() == []


def test_under_load_a_decision_is_made_though_somebody_is_always_folded(deaths, at_failpoint):
    deaths.second(is_so=True)
    other_reports = [lambda: deaths.second(is_so=True) for _ in range(10)]
    at_failpoint["study.before_record"] = deque(other_reports)
    deaths.decide()
    assert deaths.notified_alerts() == (2, True)


def test_the_waker_sets_right_what_was_told_too_late(deaths, at_failpoint, monkeypatch):
    monkeypatch.setattr(decide_study, "_FRESH_TRIES", 0)
    sweeper = make_sweeper(deaths)
    sweeper.step(0.0)
    deaths.second(is_so=True)

    def meanwhile():
        deaths.second(is_so=False)
        sweeper.step(10.0)

    at_failpoint["study.before_record"] = deque([meanwhile])
    deaths.decide()
    assert deaths.notified_alerts() == (2, True)
    sweeper.step(20.0)
    assert deaths.notified_alerts() == (1, False)
    assert deaths.wrong() == []


def amend_rules(rules):
    """The same rules, by a protocol of another label."""
    return replace(rules, protocol=replace(rules.protocol, version="99"))


def test_a_protocol_that_is_taken_back_speaks_again_and_then_rests(deaths):
    first, amendment = deaths.rules, amend_rules(deaths.rules)
    for rules in (first, amendment, first, amendment):
        deaths.rules = rules
        deaths.decide()
        with deaths.db.read() as conn:
            decisions = load_decision_history(conn, STUDY, RULE)
        assert decisions[-1].decision.protocol == rules.protocol.label
        assert deaths.wrong() == []
    assert len({row.id for row in decisions}) == len(decisions)
    sweeper = make_sweeper(deaths)
    for at_s in (0.0, 10.0, 20.0):
        sweeper.step(at_s)
    with deaths.db.read() as conn:
        assert load_decision_history(conn, STUDY, RULE) == decisions
        assert load_study_state(conn, STUDY).version == decisions[-1].version


def test_another_protocol_is_no_finding_before_its_rules_have_spoken(deaths):
    deaths.rules = amend_rules(deaths.rules)
    assert deaths.wrong() == []
    with deaths.db.read() as conn:
        assert RULE in decide_study.list_rules_of_other_protocol(conn, deaths.rules)
    deaths.decide()
    with deaths.db.read() as conn:
        assert decide_study.list_rules_of_other_protocol(conn, deaths.rules) == []
    deaths.second(is_so=True)
    assert deaths.wrong() != []


@pytest.mark.server
def test_who_has_no_news_waits_for_whoever_decides_just_then(postgres, tmp_path, at_failpoint):
    trial = Timeline(tmp_path, url=postgres.url)
    deaths = Deaths(trial)
    deaths.second(is_so=True)
    in_it, goes_on = threading.Event(), threading.Event()

    def sleep():
        in_it.set()
        assert goes_on.wait(60)

    at_failpoint["study.before_commit"] = deque([sleep])
    slow, quick = threading.Thread(target=deaths.decide), threading.Thread(target=deaths.decide)
    slow.start()
    try:
        assert in_it.wait(60)
        deaths.second(is_so=False)
        quick.start()
        quick.join(1.0)
        assert quick.is_alive()
    finally:
        goes_on.set()
    slow.join()
    quick.join()
    assert deaths.notified_alerts() == (1, False)
    assert deaths.wrong() == []
    trial.close()


def test_a_boundary_that_was_stepped_over_is_told_as_soon_as_nobody_waits(deaths):
    trial = deaths.trial
    trial.death("P-002", 6)
    trial.clock_time = hours(7)
    trial.death("P-002", 6, status="D")
    trial.grade(8)
    assert trial.alerts(about=RULE, kind="boundary_reached") == []
    trial.potassium("4.1", name="P-003", hour=8)
    sweeper = make_sweeper(deaths)
    sweeper.step(0.0)
    assert trial.alerts(about=RULE, kind="boundary_reached") == []  # who knows what waits
    sweeper.worker.fold_from_journal(["P-003"])
    sweeper.step(10.0)
    assert len(trial.alerts(about=RULE, kind="boundary_reached")) == 1
