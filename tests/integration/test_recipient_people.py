"""Persons as recipients: told at their own address, while they are active."""

import pytest

from services.alerts.adapters.delivery_faults import AbsenceWarnings
from services.alerts.channel_contract import Failure
from services.people import administration
from services.runtime.standing_warnings import StandingWarnings
from services.vocabulary.person import Role
from tests.helpers.fact_notes import hours
from tests.helpers.people import make_person
from tests.helpers.timeline import Timeline

pytestmark = pytest.mark.slow


@pytest.fixture
def trial(tmp_path):
    timeline = Timeline(tmp_path)
    yield timeline
    timeline.close()


def be_alarmed(trial, hour=1):
    """Raise an alert for the safety officer; return who is told at once."""
    trial.treat("P-001")
    trial.potassium("6.5", hour=hour)
    return sorted(post.recipient for post in trial.advance_to(hour))


def end(trial, person_id, instant):
    with trial.db.write() as conn:
        administration.end_person(conn, person_id, instant, actor="tests")


def test_where_there_is_nobody_yet_the_addresses_of_the_file_hold(trial):
    assert be_alarmed(trial) == ["safety-officer"]


def test_a_person_is_told_at_their_own_address(trial):
    make_person(trial.db, "safety", Role.SAFETY_OFFICER)
    assert be_alarmed(trial) == ["safety"]


def test_instead_of_a_person_who_is_not_there_the_operator_is_told(trial):
    make_person(trial.db, "somebody", Role.AUDITOR)
    assert be_alarmed(trial) == ["operator"]


def test_a_person_who_ended_gets_nothing_more_and_the_operator_gets_it(trial):
    make_person(trial.db, "safety", Role.SAFETY_OFFICER)
    assert be_alarmed(trial) == ["safety"]
    end(trial, "safety", hours(2))
    later = {post.recipient for post in trial.advance_to(24 * 3)}
    assert "safety" not in later
    assert "operator" in later


def list_warnings(trial, hour):
    """The warnings of one process at *hour*, and again a moment later."""
    warnings = StandingWarnings()
    shown = AbsenceWarnings(trial.delivery.recipients, warnings, lambda: hours(hour))
    for _ in range(2):
        with trial.db.read() as conn:
            shown.show(conn)
    return warnings.list_problems()


def test_a_recipient_who_is_absent_is_warned_of_from_the_end_of_their_time_on(trial):
    everybody = {one.name for one in trial.delivery.recipients.list_all() if one.is_person}
    assert "safety" in everybody
    assert list_warnings(trial, 1) == []  # nobody is there yet: the file holds
    for name in everybody:
        make_person(trial.db, name)
    assert list_warnings(trial, 1) == []
    end(trial, "safety", hours(2))
    (warning,) = list_warnings(trial, 2)
    assert warning.startswith("recipients.yaml names safety (safety_officer), who is not active:")


def test_what_waits_for_a_person_who_ended_is_not_sent(trial):
    make_person(trial.db, "safety", Role.SAFETY_OFFICER)
    trial.refuses = {"safety@example.org": Failure("mail server not reached")}
    assert be_alarmed(trial) == []
    end(trial, "safety", hours(1.1))
    trial.refuses = {}
    later = {post.recipient for post in trial.advance_to(24)}
    assert "safety" not in later
    assert "operator" in later


def test_one_of_two_who_is_absent_is_told_to_the_operator_beside_the_other(trial):
    for name in ("chair", "safety"):
        make_person(trial.db, name)
    trial.treat("P-001", "P-002")
    trial.death("P-001", 5)
    told = {post.recipient for post in trial.advance_to(6)}
    assert {"chair", "operator"} <= told
    assert "dsmb-member" not in told


def test_only_persons_who_are_active_have_to_acknowledge(trial):
    for name in ("chair", "member", "safety"):
        make_person(trial.db, name)
    trial.treat("P-001", "P-002")
    trial.death("P-001", 5)
    trial.death("P-002", 6)
    trial.advance_to(7)
    (alert,) = trial.alerts(kind="boundary_reached")
    trial.acknowledge(alert, "chair")
    trial.acknowledge(alert, "safety")
    (status,) = [one for one in trial.statuses() if one.alert.id == alert.id]
    assert status.missing_people == ("member",)
    end(trial, "member", hours(8))
    (status,) = [one for one in trial.statuses() if one.alert.id == alert.id]
    assert status.missing_people == ()
