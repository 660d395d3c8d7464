"""``aegis alerts`` and ``aegis determine``, on the data of a trial."""

import json

import pytest

from services.alerts.acknowledgement import find_short_name
from services.alerts.channel_contract import Failure
from services.store.acts import load_acts
from services.store.alerts import load_acknowledgements
from services.vocabulary.act import ActKind
from tests.helpers.people import sign_in, write_password_file
from tests.helpers.timeline import FOLDER, Timeline

pytestmark = pytest.mark.slow


@pytest.fixture
def trial(tmp_path, monkeypatch):
    monkeypatch.setenv("AEGIS_DATA", str(tmp_path))
    monkeypatch.setenv("AEGIS_STUDY", str(FOLDER))
    timeline = Timeline(tmp_path)
    timeline.treat("P-001")
    timeline.potassium("6.5", hour=1)
    timeline.advance_to(1)
    sign_in(tmp_path, "anna", db=timeline.db)
    yield timeline
    timeline.close()


@pytest.fixture
def password(tmp_path):
    return write_password_file(tmp_path)


def test_the_list_shows_what_is_open_until_somebody_has_seen_it(trial, aegis):
    name = find_short_name(*trial.alerts())
    _, output = aegis("alerts", "list")
    (row,) = [line.split() for line in output.out.splitlines() if line.startswith(name)]
    assert row == [name, "1", "participant", "episode", "P-001", "3", "2026-03-01", "09:00", "open"]

    code, output = aegis("alerts", "ack", name.lower(), "--comment", "called")
    assert code == 0
    subject, state_line, steps = output.out.splitlines()
    assert subject.startswith("[BLINA-HSCT] P-001: Hyperkalemia, grade 3, suspected")
    assert state_line == "version 1, grade or events 3"
    assert steps == f"alert {name} acknowledged by anna: seen, not answered"
    assert aegis("alerts", "list")[1].out == "no open alerts\n"
    assert "seen by anna" in aegis("alerts", "list", "--all")[1].out
    with trial.db.read() as conn:
        (row,) = load_acknowledgements(conn)
    assert (row.by, row.comment, row.grade) == ("anna", "called", 3)
    assert trial.advance_to(24 * 30) == []


def test_what_has_changed_since_it_was_shown_is_not_acknowledged(trial, aegis):
    name = find_short_name(*trial.alerts())
    assert "\nversion 1\n" in aegis("alerts", "show", name)[1].out
    trial.potassium("7.5", hour=2)
    trial.advance_to(2)
    code, output = aegis("alerts", "ack", name, "--version", "1")
    assert code != 0
    assert f"alert {name} is not version 1: read it again with `aegis alerts show" in output.err
    with trial.db.read() as conn:
        assert load_acknowledgements(conn) == []
    code, output = aegis("alerts", "ack", name, "--version", "2")
    assert code == 0
    assert "Hyperkalemia, grade 4" in output.out
    assert "version 2, grade or events 4\n" in output.out


def test_what_returned_after_a_retraction_is_open_again_in_the_list(trial, aegis):
    trial.acknowledge(*trial.alerts())
    trial.potassium("4.5", hour=1, status="C")
    trial.advance_to(2)
    assert "retracted" in aegis("alerts", "list", "--all")[1].out
    trial.potassium("6.6", hour=1, status="C")
    trial.advance_to(3)
    assert find_short_name(*trial.alerts()) in aegis("alerts", "list")[1].out


def test_an_alert_shows_what_it_says_and_who_was_told(trial, aegis):
    trial.refuses = {
        "principal-investigator@example.org": Failure("recipient refused (550)", False)
    }
    trial.advance_to(25)
    _, page = aegis("alerts", "show", find_short_name(*trial.alerts()))
    lines = page.out.splitlines()
    assert "Suspected. Hyperkalemia, worst grade 3." in lines
    notices = [" ".join(line.split()) for line in lines if line.startswith("2026-")]
    assert "2026-03-01 09:00 safety safety officer email first sent 1 -" in notices
    assert (
        "2026-03-02 09:00 Principal investigator principal investigator email"
        " not acknowledged in time given up 1 recipient refused (550)"
    ) in notices


@pytest.mark.usefixtures("trial")
def test_an_alert_that_is_not_there_is_said(aegis):
    code, output = aegis("alerts", "ack", "ZZZZZ")
    assert code != 0
    assert "no alerts are called ZZZZZ" in output.err


def test_an_answer_says_that_the_rules_alerts_were_seen(trial, aegis, password):
    trial.treat("P-002")
    trial.death("P-001", 5)
    trial.death("P-002", 6)
    trial.advance_to(7)
    rule = "BLINA-HSCT.S4"
    (alert,) = trial.alerts(about=rule, kind="boundary_reached")
    code, output = aegis("determine", rule, "pause", "--reason", "two deaths", *password)
    assert (code, output.out) == (0, f"{rule}: pause, on 2 events, by anna\n")
    with trial.db.read() as conn:
        (seen_rows,) = load_acknowledgements(conn, [alert.id])
    assert (seen_rows.by, seen_rows.comment) == ("anna", "pause: two deaths")
    late = trial.advance_to(24 * 30)
    assert not [post for post in late if rule in post.subject]


def test_an_answer_says_that_a_boundary_at_upper_grades_was_seen(trial, aegis, password):
    trial.treat("P-002", "P-003", "P-004")
    trial.advance_to(1.5)  # the result of P-001 corrects the one that is known already
    for name in ("P-001", "P-002", "P-003", "P-004"):
        trial.potassium(">5.8", name=name, hour=1)
    trial.advance_to(2)
    (alert,) = trial.alerts(kind="boundary_reached_at_upper_grades")
    aegis("determine", alert.about, "pause", "--reason", "results are asked for", *password)
    with trial.db.read() as conn:
        assert len(load_acknowledgements(conn, [alert.id])) == 1


def find_line(aegis, key, value, *command):
    """Return the line of *command* in JSON that has *value* under *key*."""
    lines = map(json.loads, aegis(*command, "--json")[1].out.splitlines())
    return next(line for line in lines if line[key] == value)


def count_signed(trial, kind):
    with trial.db.read() as conn:
        return [act.kind for act in load_acts(conn)].count(kind)


@pytest.mark.part11("11.70")
@pytest.mark.parametrize("digits", [8, 64])
def test_a_record_that_changed_since_it_was_seen_is_shown_again(trial, aegis, password, digits):
    (alert,) = trial.alerts()
    record = find_line(aegis, "id", alert.about, "records")
    trial.potassium("7.5", hour=2)
    trial.advance_to(2)
    signature = ["adjudicate", record["id"], "confirm", "--reason", "ECG", *password, "--seen"]
    code, output = aegis(*signature, record["hash"][:digits])
    assert (code, "has changed since it was shown" in output.err) == (2, True)
    now = find_line(aegis, "id", record["id"], "records")["hash"]
    assert now != record["hash"]
    table, digest = output.out.split("\n\n")
    assert ("Hyperkalemia" in table, digest) == (True, f"hash {now}\n")
    assert count_signed(trial, ActKind.ADJUDICATE) == 0
    assert aegis(*signature, now[:digits].upper())[0] == 0
    assert count_signed(trial, ActKind.ADJUDICATE) == 1


@pytest.mark.part11("11.70")
def test_a_decision_that_changed_since_it_was_seen_is_shown_again(trial, aegis, password):
    trial.treat("P-002")
    trial.advance_to(2)
    rule = "BLINA-HSCT.S4"
    seen_hash = find_line(aegis, "rule", rule, "rules", "status")["hash"]
    trial.death("P-001", 5)
    trial.advance_to(6)
    answer = ["determine", rule, "continue", "--reason", "discussed", *password, "--seen"]
    code, output = aegis(*answer, seen_hash[:12])
    assert (code, f"the decision of {rule} has changed" in output.err) == (2, True)
    now = find_line(aegis, "rule", rule, "rules", "status")["hash"]
    table, digest = output.out.split("\n\n")
    assert (rule in table, digest) == (True, f"hash {now}\n")
    assert count_signed(trial, ActKind.DETERMINE) == 0
    assert aegis(*answer, now)[0] == 0
    assert count_signed(trial, ActKind.DETERMINE) == 1


@pytest.mark.parametrize("digits", ["", "0a4c9e1", "0" * 65, "not a hash"])
def test_a_hash_that_cannot_be_one_is_refused(aegis, digits):
    with pytest.raises(SystemExit) as exit_error:
        aegis("determine", "BLINA-HSCT.S1", "stop", "--reason", "x", "--seen", digits)
    assert exit_error.value.code == 2


@pytest.mark.usefixtures("trial")
def test_a_rule_without_a_decision_cannot_be_answered(aegis, password):
    code, output = aegis("determine", "BLINA-HSCT.S9", "stop", "--reason", "x", *password)
    assert code != 0
    assert "no decision of BLINA-HSCT.S9 to answer; there are: BLINA-HSCT.S1" in output.err
