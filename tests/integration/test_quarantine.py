"""One fact that cannot be folded stops its participant, and nobody else."""

import pytest
from sqlalchemy import text

from services.safety_rules.application.fold_participants import release
from services.simulator.trial import simulate_trial
from services.store import alerts, states
from services.vocabulary.alert import AlertKind
from services.vocabulary.fact import Merge, Move
from tests.helpers.fact_notes import fact
from tests.helpers.installation import Installation, messages_of
from tests.helpers.timeline import Timeline

TRIAL = simulate_trial(2, seed=5, days=3)
OTHER = "P-002"
_POISON = (
    "UPDATE fact SET payload = :payload WHERE subject = 'P-001' AND seq ="
    " (SELECT MAX(seq) FROM fact WHERE subject = 'P-001')"
)
_LAST = "SELECT payload FROM fact WHERE subject = 'P-001' ORDER BY seq DESC LIMIT 1"


@pytest.fixture
def poisoned(tmp_path):
    """An installation in which the last fact about P-001 is unreadable, and how to mend it."""
    installed = Installation(tmp_path)
    installed.enrol(TRIAL)
    installed.accept(messages_of(TRIAL))
    with installed.db.write() as conn:
        sound = conn.scalar(text(_LAST))
        conn.execute(text(_POISON), {"payload": '{"body": "?"}'})

    def mend():
        with installed.db.write() as conn:
            conn.execute(text(_POISON), {"payload": sound})

    return installed, mend


def raised(installed):
    with installed.db.read() as conn:
        return [
            (one.participant, one.retracted)
            for one in alerts.load_alerts(conn)
            if one.kind is AlertKind.QUARANTINE
        ]


def aside(installed):
    with installed.db.read() as conn:
        return [state.subject for state in states.load_quarantined(conn)]


def test_the_others_are_graded_and_operations_is_told(poisoned):
    installed, _ = poisoned
    installed.settle()
    assert aside(installed) == ["P-001"]
    assert raised(installed) == [("P-001", False)]
    with installed.db.read() as conn:
        assert states.load_state(conn, OTHER).folded_through > 0
        assert states.load_state(conn, "P-001").folded_through == 0
    assert not installed.worker.step()  # it is not tried again and again


def test_what_is_verified_says_so(poisoned):
    installed, _ = poisoned
    installed.settle()
    assert any("is quarantined: see `aegis retry`" in line for line in installed.find_mismatches())


def test_mended_and_released_it_is_graded_and_the_alert_is_taken_back(poisoned):
    installed, mend = poisoned
    installed.settle()
    mend()
    assert release(installed.db) == ["P-001"]
    installed.settle()
    assert aside(installed) == []
    assert raised(installed) == [("P-001", True)]
    assert installed.find_mismatches() == []


def test_released_while_it_still_fails_it_is_set_aside_again(poisoned):
    installed, _ = poisoned
    installed.settle()
    release(installed.db, ["P-001"])
    installed.settle()
    assert aside(installed) == ["P-001"]
    assert raised(installed) == [("P-001", False)]


@pytest.fixture
def merged(tmp_path):
    """P-001, who cannot be folded, is found to be P-002, whose potassium falls then."""
    trial = Timeline(tmp_path)
    trial.treat("P-001", "P-002")
    trial.advance_to(0)
    trial.potassium("4.0", name="P-001", at=1)
    with trial.db.write() as conn:
        sound = conn.scalar(text(_LAST))
        conn.execute(text(_POISON), {"payload": '{"body": "?"}'})
    trial.grade(2)
    with trial.db.write() as conn:
        conn.execute(text(_POISON), {"payload": sound})
    merge = Merge("P-001", "P-002")
    trial.say(fact(merge, 3, subject="P-001"), fact(merge, 3, subject="P-002"))
    trial.potassium("1.5", name="P-002", at=4)
    yield trial
    trial.close()


def told_aside(trial):
    """Who is set aside, and of whom operations is told so now."""
    raised = trial.alerts(kind=AlertKind.QUARANTINE)
    with trial.db.read() as conn:
        who = [state.subject for state in states.load_quarantined(conn)]
    return who, sorted(one.participant for one in raised if not one.retracted)


def test_who_is_merged_with_somebody_set_aside_is_not_left_ungraded_in_silence(merged):
    assert told_aside(merged) == (["P-001"], ["P-001"])
    merged.grade(5)
    assert told_aside(merged) == (["P-001", "P-002"], ["P-001", "P-002"])
    assert not merged.rules.step()


def test_released_they_are_graded_together(merged):
    merged.grade(5)
    assert release(merged.db, ["P-001"]) == ["P-001", "P-002"]
    merged.grade(6)
    assert told_aside(merged) == ([], [])
    (alert,) = merged.alerts(kind=AlertKind.EPISODE)
    assert (alert.participant, alert.grade) == ("P-002", 4)


@pytest.mark.parametrize("body", [Merge("P-002", "P-020"), Move("P-002", "P-020")], ids=str)
def test_a_journal_that_names_somebody_who_takes_no_part_can_be_graded(merged, body):
    merged.say(fact(body, 4, subject="P-002"))
    merged.grade(5)
    release(merged.db)
    merged.grade(6)
    assert told_aside(merged) == ([], [])
    (alert,) = merged.alerts(kind=AlertKind.EPISODE)
    assert (alert.participant, alert.grade) == ("P-002", 4)
