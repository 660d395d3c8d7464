"""``aegis regrade``: what another version of the criteria would change, before anything does."""

import pytest

from services.cli.main import main
from services.safety_rules.adapters.study_rules import load_rules
from services.safety_rules.reports.regrade import preview_regrade
from services.store import records
from services.vocabulary.judgement import Assessment
from tests.helpers.fact_notes import fact, lab
from tests.helpers.timeline import FOLDER, Timeline

pytestmark = pytest.mark.slow


@pytest.fixture
def trial(tmp_path, monkeypatch):
    monkeypatch.setenv("AEGIS_DATA", str(tmp_path))
    monkeypatch.setenv("AEGIS_STUDY", str(FOLDER))
    timeline = Timeline(tmp_path)
    timeline.treat("P-001")
    timeline.say(
        lab("neutrophils", "0.4", 2, "10*9/L", lln="1.8"),
        lab("platelets", "20", 2, "10*9/L", lln="150"),
        lab("potassium", "6.5", 2, "mmol/L", lln="3.5", uln="5.0"),
    )
    timeline.say(fact(Assessment("ctcae-5.0.tremor", 2, "a clinician"), 3))
    timeline.say(fact(Assessment("ctcae-5.0.platelet-count-decreased", 3, "a clinician"), 4))
    timeline.advance_to(5)
    yield timeline
    timeline.close()


def table(folder):
    return {
        line[13:].partition("  ")[0]: line[13:].split("  ")
        for line in folder.splitlines()
        if line.startswith("P-001")
    }


def test_neutrophils_of_0_4_are_grade_4_in_v5_and_3_in_v6(trial, capsys):
    with trial.db.read() as conn:
        earlier = records.load_episode_versions(conn)
    capsys.readouterr()
    assert main(["regrade", "--to", "ctcae-6.0", "--dry-run"]) == 1
    output = capsys.readouterr().out
    row = [cell for cell in table(output)["Neutrophil count decreased"] if cell.strip()]
    assert [cell.strip() for cell in row] == [
        "Neutrophil count decreased",
        "4",
        "3",
        "looser",
        "78",
        "1",
    ]
    assert "Hyperkalemia" not in table(output)
    rule = next(line for line in output.splitlines() if line.startswith("BLINA-HSCT.S3"))
    assert "0 of 1" in rule
    assert rule.endswith("the same")
    assert (
        "2 grades and decisions of clinicians, given under ctcae-5.0, are taken as they are"
        in output
    )
    assert "'platelet-count-decreased' is not in ctcae-6.0" in output
    with trial.db.read() as conn:
        assert records.load_episode_versions(conn) == earlier


def test_a_term_with_another_name_is_the_same_record(trial):
    with trial.db.read() as conn:
        results = preview_regrade(conn, load_rules(FOLDER), "ctcae-6.0")
    # platelets of 20 are grade 4 in v5 (below 25), and 3 in v6 (4 below 10)
    (item,) = [one for one in results.records if one.record.term == "Platelet count decreased"]
    assert (str(item.current_record.worst), str(item.proposed_record.worst), item.difference) == (
        "4",
        "3",
        "looser",
    )
    assert item.proposed_record.term == "Thrombocytopenia"
    assert results.lost_terms == {}


@pytest.mark.usefixtures("trial")
def test_the_same_table_changes_nothing(capsys):
    capsys.readouterr()
    assert main(["regrade", "--to", "ctcae-5.0", "--dry-run"]) == 0
    output = capsys.readouterr().out
    assert "\n0 records would change" in output
    assert "grades and decisions of clinicians" not in output


@pytest.mark.usefixtures("trial")
def test_without_a_dry_run_it_says_that_this_is_a_change_of_the_protocol(capsys):
    assert main(["regrade", "--to", "ctcae-6.0"]) == 2
    output = capsys.readouterr().err
    assert "write `criteria: ctcae-6.0` and a new `version`" in output
    assert "let it be signed" in output
    assert main(["regrade", "--to", "ctcae-5.0"]) == 2
    assert "is graded by ctcae-5.0 already" in capsys.readouterr().err


@pytest.mark.usefixtures("trial")
def test_a_table_that_is_not_there_is_refused_with_those_that_are(capsys):
    assert main(["regrade", "--to", "ctcae-4.0", "--dry-run"]) == 2
    assert "ctcae-5.0, ctcae-6.0" in capsys.readouterr().err
