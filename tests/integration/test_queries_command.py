"""``aegis queries``: what a data manager has to look into, as known at any time."""

import json

import pytest

from services.cli.main import main
from services.vocabulary.clinical_fact import Observation, Transplant
from services.vocabulary.identity_change import Merge
from tests.helpers.fact_notes import fact, lab, quantity
from tests.helpers.timeline import FOLDER, Timeline

pytestmark = pytest.mark.slow


@pytest.fixture
def trial(tmp_path, monkeypatch):
    monkeypatch.setenv("AEGIS_DATA", str(tmp_path))
    monkeypatch.setenv("AEGIS_STUDY", str(FOLDER))
    timeline = Timeline(tmp_path)
    timeline.treat("P-001", "P-002")
    timeline.advance_to(0)
    yield timeline
    timeline.close()


@pytest.fixture
def aegis(capsys):
    def run_command(*words):
        capsys.readouterr()
        assert main(["queries", *words]) == 0
        return capsys.readouterr().out.splitlines()

    return run_command


@pytest.mark.usefixtures("trial")
def test_a_trial_without_questions(aegis):
    assert aegis() == ["nothing to look into"]


def test_every_question_names_the_participant_and_the_facts(trial, aegis):
    trial.say(lab("sodium", "1400", 2, "mmol/L", lln="135", uln="145"))
    trial.say(fact(Observation("sbp", quantity("1100 mm[Hg]")), 3, subject="P-002"))
    trial.say(fact(Transplant("haploidentical"), -77 * 24, subject="P-002"))
    trial.advance_to(4)
    results = aegis()
    assert results[-1] == f"{len(results) - 1} queries"
    text = [line.partition(" (")[0] for line in results]
    assert "P-001: sodium of 1400 mmol/L cannot be" in text
    assert "P-002: sbp of 1100 mm[Hg] cannot be" in text
    assert "P-002: transplant 1 has 2 dates" in text
    own_lines = [line for line in aegis("--participant", "P-002") if line.startswith("P-")]
    assert {line[:5] for line in own_lines} == {"P-002"}
    as_json = [json.loads(line) for line in aegis("--participant", "P-002", "--json")]
    assert {one["participant"] for one in as_json} == {"P-002"}


def test_what_was_not_known_then_was_no_question_then(trial, aegis):
    trial.say(lab("sodium", "1400", 2, "mmol/L", lln="135", uln="145"))
    assert aegis("--as-of", "2026-03-01T09:00Z") == ["nothing to look into"]
    assert len(aegis("--as-of", "2026-03-01T11:00Z")) > 1


def test_the_questions_of_who_was_merged_away_are_the_survivors(trial, aegis):
    trial.say(lab("sodium", "1400", 2, "mmol/L", lln="135", uln="145"))
    for name in ("P-001", "P-002"):
        trial.say(fact(Merge("P-001", "P-002"), 3, subject=name))
    results = [line for line in aegis() if line.startswith("P-")]
    assert {line[:5] for line in results} == {"P-002"}
    assert aegis("--participant", "P-001") == aegis("--participant", "P-002")
