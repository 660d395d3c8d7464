"""From facts to the safety officer: recommendations about the dose, the liver, the protocol."""

import pytest
from msgspec.structs import replace

from services.cli.main import main
from services.vocabulary.clinical_fact import Action, Administration
from services.vocabulary.identity_change import Merge
from services.vocabulary.judgement import Assessment
from tests.helpers.fact_notes import fact, hours, lab, quantity
from tests.helpers.timeline import FOLDER, Timeline, list_reasons

pytestmark = pytest.mark.slow

OFFICER = "safety-officer"
TREMOR = "ctcae-5.0.tremor"


@pytest.fixture
def trial(tmp_path):
    timeline = Timeline(tmp_path, advises=True)
    timeline.treat("P-001")
    premedicate(timeline, -1.5)
    timeline.say(infusion(Action.RATE, "8", -1))
    timeline.advance_to(0)
    yield timeline
    timeline.close()


def infusion(action, rate, instant):
    dose = None if rate is None else quantity(rate, "ug/d")
    return fact(Administration("blinatumomab", action, dose), instant)


def premedicate(trial, instant):
    dose = Administration("dexamethasone", Action.DOSE, quantity("20", "mg"), scheduled=True)
    trial.say(fact(dose, instant))


def alt(trial, value, instant, status="F"):
    trial.clock_time = max(trial.clock_time, hours(instant))
    result = lab("alt", value, instant, "U/L", uln="40", series=f"alt|{instant}")
    trial.say(replace(result, reported_at=trial.clock_time, status=type(result.status)(status)))


def tremor(trial, grade, instant):
    trial.say(fact(Assessment(TREMOR, grade, "a clinician"), instant))


def doses(trial, kind="dose"):
    return [one for one in trial.alerts() if one.kind == kind]


def about_doses(posts):
    return [post for post in posts if "recommended" in post.subject]


def test_a_result_above_its_multiple_is_told_and_taken_back_when_it_is_corrected(trial):
    alt(trial, "201", 2)
    (post,) = about_doses(trial.advance_to(2))
    assert list_reasons([post]) == [f"{OFFICER}: first"]
    assert "P-001: recommended: interrupt blinatumomab" in post.subject
    alt(trial, "30", 2, "C")
    (post,) = about_doses(trial.advance_to(3))
    assert post.subject.startswith("Retracted: ")
    assert [alert.retracted for alert in doses(trial)] == [True]
    alt(trial, "205", 2, "C")
    (post,) = about_doses(trial.advance_to(4))
    assert post.reason == "returned after retraction"
    assert len(doses(trial)) == 1


def test_an_earlier_result_that_comes_late_takes_nothing_back(trial):
    alt(trial, "201", 6)
    trial.advance_to(6)
    alt(trial, "300", 4)
    assert about_doses(trial.advance_to(7)) == []
    (alert,) = doses(trial)
    assert not alert.retracted
    assert any("ALT 300 U/L" in sentence for sentence in alert.detail.because)


def test_neurotoxicity_that_lasts_is_told_again_when_it_has_to_be_discontinued(trial):
    premedicate(trial, 46.5)
    trial.say(infusion(Action.RATE, "16", 47))
    tremor(trial, 3, 60)
    (post,) = about_doses(trial.advance_to(60))
    assert "recommended: withhold blinatumomab" in post.subject
    trial.say(infusion(Action.STOP, None, 61))
    tremor(trial, 2, 230)
    (post,) = about_doses(trial.advance_to(230))
    assert post.reason == "grade rose"
    assert "recommended: discontinue blinatumomab" in post.subject
    assert "not back to grade 1 within 7 days" in post.body
    assert len(doses(trial)) == 1


def test_silence_is_looked_at_when_the_time_is_over(trial):
    premedicate(trial, 46.5)
    trial.say(infusion(Action.RATE, "16", 47))
    tremor(trial, 3, 60)
    trial.advance_to(60)
    trial.advance_to(227)
    assert doses(trial)[0].detail.may_be == ""
    trial.advance_to(229)
    assert doses(trial)[0].detail.may_be == "discontinue blinatumomab"


def test_premedication_is_missed_only_when_it_could_have_been_charted(trial):
    trial.say(infusion(Action.STOP, None, 10), infusion(Action.START, "8", 20))
    assert trial.advance_to(23.9) == []
    (post,) = trial.advance_to(24)
    text = "P-001: protocol deviation: dexamethasone missing before a restart after 10 hours"
    assert text in post.subject
    premedicate(trial, 19.5)
    (post,) = trial.advance_to(25)
    assert post.subject.startswith(f"Retracted: [BLINA-HSCT] {text}")


def test_hys_law_suspected_is_told_again_once_it_is_met(trial):
    alt(trial, "130", 2)
    trial.say(lab("bilirubin", "2.5", 2, "mg/dL", uln="1.0"))
    (post,) = [post for post in trial.advance_to(2) if "Hy's law" in post.subject]
    assert "Hy's law suspected" in post.subject
    trial.say(lab("alp", "90", 5, "U/L", uln="120"))
    (post,) = [post for post in trial.advance_to(5) if "Hy's law" in post.subject]
    assert (post.reason, len(doses(trial, "hys_law"))) == ("grade rose", 1)
    assert "its biochemical criteria are met" in post.subject


def test_who_turns_out_to_be_another_participant_takes_the_recommendation_along(trial):
    trial.treat("P-002")
    alt(trial, "201", 2)
    trial.advance_to(8)
    pair = [fact(Merge("P-001", "P-002"), 9, subject=name) for name in ("P-001", "P-002")]
    trial.say(*pair)
    posts = about_doses(trial.advance_to(9))
    assert sorted(post.subject.partition("P-00")[2][0] for post in posts) == ["1", "2"]
    assert {alert.participant: alert.retracted for alert in doses(trial)} == {
        "P-001": True,
        "P-002": False,
    }
    back = [fact(Merge("P-001", "P-002", True), 10, subject=n) for n in ("P-001", "P-002")]
    trial.say(*back)
    trial.advance_to(10)
    assert {alert.participant: alert.retracted for alert in doses(trial)} == {
        "P-001": False,
        "P-002": True,
    }


def test_the_command_shows_what_the_alert_says_and_what_was_known_then(
    trial, capsys, monkeypatch, tmp_path
):
    monkeypatch.setenv("AEGIS_DATA", str(tmp_path))
    monkeypatch.setenv("AEGIS_STUDY", str(FOLDER))
    alt(trial, "201", 2)
    trial.advance_to(3)
    capsys.readouterr()
    assert main(["dose", "--participant", "P-001", "--as-of", "2026-03-01T11:00Z"]) == 0
    output = capsys.readouterr().out.splitlines()
    assert output[0] == "P-001: interrupt blinatumomab  [dose liver]"
    assert output[2] == "    because: ALT 201 U/L (ULN 40), more than 5 x ULN on treatment day 1"
    assert main(["dose", "--as-of", "2026-03-01T09:00Z"]) == 0
    assert capsys.readouterr().out.startswith("nothing is recommended\n")
    assert main(["dose", "--participant", "P-999"]) == 2
    assert "nobody is called P-999" in capsys.readouterr().err
