"""A boundary that was reached between two steps of the rules: it is found, told and on record."""

import json
from datetime import timedelta

import pytest

from services.cli.main import main
from services.safety_rules.application.decide_study import decide_rules
from services.safety_rules.application.past_crossings import load_crossings, load_first_crossings
from services.safety_rules.reports import verify
from services.vocabulary.decision import Signal
from tests.helpers.fact_notes import hours
from tests.helpers.timeline import FOLDER, Timeline, list_reasons

pytestmark = pytest.mark.slow

RULE = "BLINA-HSCT.S4"  # non-relapse mortality: 2 of 2 to 4
RECIPIENTS = ["dsmb-chair", "dsmb-member", "safety-officer"]


@pytest.fixture
def treated_trial(tmp_path):
    timeline = Timeline(tmp_path)
    timeline.treat("P-001", "P-002", "P-003", "P-004")
    timeline.advance_to(0)
    yield timeline
    timeline.close()


@pytest.fixture
def trial(treated_trial):
    """One of the four has died."""
    treated_trial.death("P-001", 5)
    treated_trial.advance_to(6)
    return treated_trial


@pytest.fixture
def stepped_over(trial):
    """The second death and its correction are graded in one step."""
    trial.death("P-002", 6)
    trial.clock_time = hours(7)
    trial.death("P-002", 6, status="D")
    trial.advance_to(8)
    return trial


def of_rule(posts):
    return [post for post in posts if f"[{RULE}] Boundary" in post.subject]


def record_failpoint(trial):
    return trial.alerts(about=RULE, kind="boundary_reached")


def results(trial, *, history=False):
    with trial.db.read() as conn:
        wrong = verify.find_all_mismatches(conn, trial.rules.rules, history=history)
        return [one.problem for one in wrong if one.participant == RULE]


def find_first_crossing(trial, as_of=None):
    with trial.db.read() as conn:
        return load_first_crossings(conn, trial.rules.rules, as_of)[RULE]


def test_the_steps_alone_do_not_see_what_they_step_over(stepped_over):
    assert record_failpoint(stepped_over) == []
    for history in (False, True):
        (problem,) = results(stepped_over, history=history)
        assert problem.startswith(
            "its boundary was reached with what was known at 2026-03-01 14:00:00 UTC,"
        )


def test_looking_back_tells_those_whom_the_rule_names_once(stepped_over):
    assert stepped_over.rules.look_back()
    posts = of_rule(stepped_over.advance_to(9))
    assert list_reasons(posts) == [f"{who}: first" for who in RECIPIENTS]
    assert "Boundary was reached, and no longer is" in posts[0].subject
    assert "With what was known at 2026-03-01 14:00 UTC the boundary was reached" in posts[0].body
    assert "What changed: P-002 no longer counts. Now: 1 event at" in posts[0].body
    assert results(stepped_over) == results(stepped_over, history=True) == []
    assert not stepped_over.rules.look_back()
    assert len(record_failpoint(stepped_over)) == 1


def test_it_is_looked_back_once_a_day_by_the_clock_of_the_machine(stepped_over):
    assert stepped_over.rules.look_back_daily()
    stepped_over.clock_time = hours(9)
    stepped_over.death("P-003", 9)
    stepped_over.death("P-003", 9, status="D")
    stepped_over.grade(9.5)
    assert not stepped_over.rules.look_back_daily()
    stepped_over.clock_time = hours(8 + 24)
    assert stepped_over.rules.look_back_daily()
    assert len(record_failpoint(stepped_over)) == 2


def test_a_command_that_grades_looks_back_at_once(trial):
    trial.death("P-002", 6)
    trial.death("P-002", 6, status="D")
    assert trial.rules.settle()
    assert len(record_failpoint(trial)) == 1


@pytest.mark.parametrize(("hour", "start"), [(5, None), (6, 6), (6.5, 6), (7, 6), (500, 6)])
def test_ever_crossed_at_every_cut(stepped_over, hour, start):
    found_since = find_first_crossing(stepped_over, hours(hour))
    if start is None:
        assert found_since is None
    else:  # a message is known a moment after the one before it
        assert timedelta(0) <= found_since - hours(start) < timedelta(milliseconds=1)


def test_what_was_told_and_then_taken_back_is_not_told_again(trial):
    trial.death("P-002", 6)
    trial.advance_to(7)
    trial.death("P-002", 6, status="D")
    trial.advance_to(8)
    assert not trial.rules.look_back()
    assert results(trial) == []
    assert find_first_crossing(trial) is not None


def test_what_the_dsmb_has_answered_with_continue_is_told_only_with_a_new_event(trial):
    trial.death("P-002", 6)
    trial.advance_to(7)
    trial.determine(RULE, "continue")
    trial.advance_to(8)
    trial.death("P-002", 6, status="D")
    trial.advance_to(9)
    trial.death("P-002", 6, status="C")
    trial.death("P-002", 6, status="D")
    trial.advance_to(10)
    assert not trial.rules.look_back()
    trial.death("P-003", 10)
    trial.death("P-003", 10, status="D")
    trial.advance_to(11)
    assert trial.rules.look_back()
    (post,) = [post for post in of_rule(trial.advance_to(12)) if post.recipient == "dsmb-chair"]
    assert "P-003 no longer counts" in post.body
    assert results(trial) == []


def test_a_late_death_crosses_when_it_is_known(trial):
    trial.treat("P-005", "P-006", "P-007", "P-008")
    trial.advance_to(24 * 20)
    trial.death("P-002", 6)  # of the first day, said on the twentieth
    trial.advance_to(24 * 20 + 1)
    start = find_first_crossing(trial)
    assert start >= hours(24 * 20)
    assert find_first_crossing(trial, hours(24 * 20 - 1)) is None
    (alert,) = record_failpoint(trial)
    assert alert.opened_at == start
    with trial.db.read() as conn:
        assert len(load_crossings(conn, trial.rules.rules)[RULE]) == 1


def test_the_decision_says_as_of_when_it_was_known_also_by_a_timer(treated_trial):
    """Four grade 3 results count after 72 h without a fact (S3: 4 of 4)."""
    rule = "BLINA-HSCT.S3"
    for name in ("P-001", "P-002", "P-003", "P-004"):
        treated_trial.potassium("6.5", name=name, hour=7)
    treated_trial.grade(7)
    treated_trial.grade(24 * 5)
    with treated_trial.db.read() as conn:
        (clock_time,) = [
            one for one in decide_rules(conn, treated_trial.rules.rules) if one.rule == rule
        ]
        (earlier_state,) = [
            one
            for one in decide_rules(conn, treated_trial.rules.rules, clock_time.as_of)
            if one.rule == rule
        ]
        start = load_first_crossings(conn, treated_trial.rules.rules)[rule]
    assert clock_time.signal is Signal.BOUNDARY_REACHED
    assert clock_time == earlier_state
    assert clock_time.as_of == start == hours(7 + 72)


def test_incomplete_grades_that_may_reach_the_boundary_are_told_and_taken_back(treated_trial):
    rule = "BLINA-HSCT.S3"
    for name in ("P-001", "P-002", "P-003", "P-004"):
        treated_trial.potassium(">5.8", name=name, hour=7)
    posts = [
        post for post in treated_trial.advance_to(24 * 5) if f"[{rule}] Boundary" in post.subject
    ]
    assert list_reasons(posts) == [f"{who}: first" for who in RECIPIENTS]
    assert "Boundary reached at upper grades, not as it is counted" in posts[0].subject
    treated_trial.potassium("5.0", hour=7, status="C")
    deadline = [
        post
        for post in treated_trial.advance_to(24 * 5 + 1)
        if f"[{rule}] Boundary" in post.subject
    ]
    assert list_reasons(deadline) == [f"{who}: retracted" for who in RECIPIENTS]


def test_the_status_shows_whether_a_rule_is_and_ever_was_crossed(
    stepped_over, tmp_path, monkeypatch, capsys
):
    monkeypatch.setenv("AEGIS_STUDY", str(FOLDER))
    monkeypatch.setenv("AEGIS_DATABASE_URL", stepped_over.db.url)
    monkeypatch.setenv("AEGIS_DATA", str(tmp_path))

    def text(*words):
        capsys.readouterr()
        assert main(["rules", "status", *words]) == 0
        lines = capsys.readouterr().out.splitlines()
        return next(line for line in lines if RULE in line)

    assert text().split()[-3:] == ["2026-03-01", "14:00", "continue"]
    assert text("--as-of", "2026-03-01T13:59Z").split()[-2:] == ["-", "continue"]
    clock_time, earlier = (
        json.loads(text("--json", *more)) for more in ((), ("--as-of", "2026-03-01T13:59Z"))
    )
    assert clock_time["currently_crossed"] is False
    assert clock_time["ever_crossed_since"].startswith("2026-03-01T14:00:00")
    assert earlier["ever_crossed_since"] is None
