"""One fact that cannot be folded stops its participant, and nobody else."""

import pytest
from sqlalchemy import text

from services.safety_rules.application.fold_participants import release_quarantined
from services.simulator.trial import simulate_trial
from services.store import alerts, states
from services.vocabulary.alert import AlertKind
from services.vocabulary.identity_change import Merge, Move
from tests.helpers.fact_notes import fact
from tests.helpers.installation import Installation, messages_of
from tests.helpers.timeline import Timeline

TRIAL = simulate_trial(2, seed=5, days=3)
OTHER_PARTICIPANT = "P-002"
_POISON = (
    "UPDATE fact SET payload = :payload WHERE subject = 'P-001' AND seq ="
    " (SELECT MAX(seq) FROM fact WHERE subject = 'P-001')"
)
_LAST = "SELECT payload FROM fact WHERE subject = 'P-001' ORDER BY seq DESC LIMIT 1"


@pytest.fixture
def poisoned_trial(tmp_path):
    """An installation in which the last fact about P-001 is unreadable, and how to mend it."""
    installation = Installation(tmp_path)
    installation.enrol(TRIAL)
    installation.accept(messages_of(TRIAL))
    with installation.db.write() as conn:
        sound = conn.scalar(text(_LAST))
        conn.execute(text(_POISON), {"payload": '{"body": "?"}'})

    def mend():
        with installation.db.write() as conn:
            conn.execute(text(_POISON), {"payload": sound})

    return installation, mend


def open_alerts(installation):
    with installation.db.read() as conn:
        return [
            (one.participant, one.retracted)
            for one in alerts.load_alerts(conn)
            if one.kind is AlertKind.QUARANTINE
        ]


def list_quarantined(installation):
    with installation.db.read() as conn:
        return [state.subject for state in states.load_quarantined(conn)]


def test_the_others_are_graded_and_operations_is_told(poisoned_trial):
    installation, _ = poisoned_trial
    installation.settle()
    assert list_quarantined(installation) == ["P-001"]
    assert open_alerts(installation) == [("P-001", False)]
    with installation.db.read() as conn:
        assert states.load_state(conn, OTHER_PARTICIPANT).folded_through > 0
        assert states.load_state(conn, "P-001").folded_through == 0
    assert not installation.worker.step()  # it is not tried again and again


def test_what_is_verified_says_so(poisoned_trial):
    installation, _ = poisoned_trial
    installation.settle()
    assert any(
        "is quarantined: see `aegis retry`" in line for line in installation.find_mismatches()
    )


def test_mended_and_released_it_is_graded_and_the_alert_is_taken_back(poisoned_trial):
    installation, mend = poisoned_trial
    installation.settle()
    mend()
    assert release_quarantined(installation.db) == ["P-001"]
    installation.settle()
    assert list_quarantined(installation) == []
    assert open_alerts(installation) == [("P-001", True)]
    assert installation.find_mismatches() == []


def test_released_while_it_still_fails_it_is_set_aside_again(poisoned_trial):
    installation, _ = poisoned_trial
    installation.settle()
    release_quarantined(installation.db, ["P-001"])
    installation.settle()
    assert list_quarantined(installation) == ["P-001"]
    assert open_alerts(installation) == [("P-001", False)]


@pytest.fixture
def merged_trial(tmp_path):
    """P-001, who cannot be folded, is found to be P-002, whose potassium falls then."""
    trial = Timeline(tmp_path)
    trial.treat("P-001", "P-002")
    trial.advance_to(0)
    trial.potassium("4.0", name="P-001", hour=1)
    with trial.db.write() as conn:
        sound = conn.scalar(text(_LAST))
        conn.execute(text(_POISON), {"payload": '{"body": "?"}'})
    trial.grade(2)
    with trial.db.write() as conn:
        conn.execute(text(_POISON), {"payload": sound})
    merge = Merge("P-001", "P-002")
    trial.say(fact(merge, 3, subject="P-001"), fact(merge, 3, subject="P-002"))
    trial.potassium("1.5", name="P-002", hour=4)
    yield trial
    trial.close()


def told_aside(trial):
    """The quarantined participants, and those of whom operations has an open alert."""
    open_alerts = trial.alerts(kind=AlertKind.QUARANTINE)
    with trial.db.read() as conn:
        participant = [state.subject for state in states.load_quarantined(conn)]
    return participant, sorted(one.participant for one in open_alerts if not one.retracted)


def test_who_is_merged_with_somebody_set_aside_is_not_left_ungraded_in_silence(merged_trial):
    assert told_aside(merged_trial) == (["P-001"], ["P-001"])
    merged_trial.grade(5)
    assert told_aside(merged_trial) == (["P-001", "P-002"], ["P-001", "P-002"])
    assert not merged_trial.rules.step()


def test_released_they_are_graded_together(merged_trial):
    merged_trial.grade(5)
    assert release_quarantined(merged_trial.db, ["P-001"]) == ["P-001", "P-002"]
    merged_trial.grade(6)
    assert told_aside(merged_trial) == ([], [])
    (alert,) = merged_trial.alerts(kind=AlertKind.EPISODE)
    assert (alert.participant, alert.grade) == ("P-002", 4)


@pytest.mark.parametrize("body", [Merge("P-002", "P-020"), Move("P-002", "P-020")], ids=str)
def test_a_journal_that_names_somebody_who_takes_no_part_can_be_graded(merged_trial, body):
    merged_trial.say(fact(body, 4, subject="P-002"))
    merged_trial.grade(5)
    release_quarantined(merged_trial.db)
    merged_trial.grade(6)
    assert told_aside(merged_trial) == ([], [])
    (alert,) = merged_trial.alerts(kind=AlertKind.EPISODE)
    assert (alert.participant, alert.grade) == ("P-002", 4)
