"""Rules of person-time in a protocol's file: recomputed, explained, and all that is refused."""

import json

import pytest

from services.cli.main import main
from services.runtime.file_error import UntrustedFileError
from services.safety_rules.adapters.study_rules import load_rules
from tests.helpers.person_time import write_person_time_study


@pytest.fixture
def study(tmp_path):
    return write_person_time_study(tmp_path)


def spoil(study, text_to_replace, replacement):
    file = study / "protocol.yaml"
    head, mark, tail = file.read_text().partition("  - id: BLINA-HSCT.T1")
    assert text_to_replace in tail
    file.write_text(head + mark + tail.replace(text_to_replace, replacement, 1))
    return study


def test_the_tables_are_those_that_the_methods_give(study):
    designs = load_rules(study).study.designs
    assert designs["BLINA-HSCT.T1"].boundary_text.startswith("3@104.828 4@514.194 5@941.031")
    assert 0.0999 < designs["BLINA-HSCT.T1"].attained_alpha <= 0.1
    assert designs["BLINA-HSCT.T2"].boundary_text.startswith("2@0.194488 3@0.503964")
    assert 0.0499 < designs["BLINA-HSCT.T2"].attained_alpha <= 0.05


@pytest.mark.parametrize(
    ("text_to_replace", "replacement", "problem"),
    [
        ("104.828}", "104.829}", "the file says 3@104.829 4@514.194"),
        ("104.828}", "104.827}", "gives 3@104.828 4@514.194"),
        ("planned: 4245.65", "planned: 4000", "planned 4000 gives"),
        ("alpha: 0.10", "alpha: 0.11", "alpha 0.11, planned 4245.65 gives"),
        ("window_days: 100", "window_days: 0", "must be greater than 0"),
        ("{events: 3, person_days: 104.828}", "{events: 3}", "exactly one of person_days and"),
        ("{events: 3, person_days: 104.828}", "{events: 3, person_days: 1, expected_events: 1}",
         "exactly one of person_days and expected_events"),
        ("{events: 3, person_days: 104.828}", "{events: 3, expected_events: 1}",
         "must be in person_days, as pending.curve is uniform"),
        ("{events: 4, person_days: 514.194}", "{events: 3, person_days: 514.194}",
         "is not above 3"),
        ("{events: 4, person_days: 514.194}", "{events: 4, person_days: 104}",
         "ends at 104, not above 104.828"),
        ("{events: 3, person_days: 105, answer: continue}",
         "{events: 3, person_days: 105, answer: stop}",
         "3 events by 105 is 'continue', not 'stop'"),
        ("{events: 3, person_days: 105, answer: continue}",
         "{events: 47, person_days: 105, answer: stop}", "47 events by 105 cannot be"),
        ("{events: 3, person_days: 105, answer: continue}",
         "{events: 3, person_days: 5000, answer: continue}", "3 events by 5000 cannot be"),
        ("{events: 3, person_days: 105, answer: continue}",
         "{events: 4, person_days: 105, answer: stop}", "need one on each side of the boundary"),
        ("{events: 3, person_days: 105, answer: continue}", "{events: 3, of: 5, answer: continue}",
         "worked_examples and method must both be of person-time"),
        ("policy: person_time", "policy: linear", "pending.policy person_time goes with a method"),
        ("curve: uniform", "curve: {exponential: {mean_days: 5}}",
         "must be in expected_events, as pending.curve is not uniform"),
        ("method: gamma-poisson", "method: beta-binomial", "there is no such key"),
        ("prior: [1.86897, 1150]", "prior: [1.86897, 0]", "prior must be above 0"),
        ("prior: [1.86897, 1150]", "delta: 0.2", "prior is missing"),
        ("prior: [1.86897, 1150]", "prior: [1.86897, 1150]\n      p1: 0.1",
         "p1 must be above p0 = 0.15"),
        ("looks: every_event", "looks: [2000, 1000]", "looks must rise, from above 0"),
        ("looks: every_event", "looks: [1000, 5000]", "looks must rise, from above 0"),
        ("min_events: 2", "min_events: 9", "min_events must be from 1 to 6, not 9"),
        ("min_events: 2", "min_events: 0", "must be greater than or equal to 1"),
        ("delayed_start: 0.1", "delayed_start: 3.3", "delayed_start must be from 0 to"),
        ("[100, 0.05]", "[100, 0.01]", "risk must rise, above 0 and below 1, not fall to 0.01"),
        ("[183, 0.08]]", "[183, 0.09]]", "is 0.08, but the curve gives 0.0900 by day 183"),
        ("risk: [[30, 0.02], [100, 0.05], [183, 0.08]]", "hazard: [[30, 0.001], [183, 0]]",
         "hazard must be above 0 events per day"),
        ("risk: [[30, 0.02], [100, 0.05], [183, 0.08]]", "hazard: [[30, -0.001]]",
         "hazard must be above 0 events per day"),
    ],
)  # fmt: skip
def test_what_disagrees_is_refused_in_one_line(study, text_to_replace, replacement, problem):
    with pytest.raises(UntrustedFileError) as refusal:
        load_rules(spoil(study, text_to_replace, replacement))
    assert problem in str(refusal.value)


def test_a_rule_of_participants_has_no_curve_of_hazards(tmp_path):
    study = write_person_time_study(tmp_path)
    file = study / "protocol.yaml"
    file.write_text(file.read_text().replace("curve: uniform", "curve: {hazard: [[1, 0.1]]}", 1))
    with pytest.raises(UntrustedFileError, match="hazard goes with the policy person_time"):
        load_rules(study)


def test_looks_of_participants_are_whole(study):
    file = study / "protocol.yaml"
    text = file.read_text()
    file.write_text(text.replace("looks: every_participant", "looks: [2.5, 40]", 1))
    with pytest.raises(UntrustedFileError, match="looks must be whole numbers of participants"):
        load_rules(study)


def test_a_table_of_the_protocols_own_may_not_exceed_alpha(study):
    spoil(study, "method: gamma-poisson", "method: poisson-table")
    spoil(study, "      prior: [1.86897, 1150]\n", "")
    load_rules(study)
    spoil(study, "alpha: 0.10", "alpha: 0.09")
    with pytest.raises(UntrustedFileError, match=r"type I error 0\.10000, above alpha 0\.09"):
        load_rules(study)


def test_whole_looks_are_kept_as_any_other(study):
    spoil(study, "looks: every_event", "looks: [1000, 2000, 4245.65]")
    with pytest.raises(UntrustedFileError, match="the file says 3@104"):
        load_rules(study)


def test_the_study_step_decides_and_reads_back_a_rule_of_person_time(study, capsys):
    facts = "tests/golden/stopping/facts.ndjson"
    line = ["assess", facts, "--study", str(study), "--as-of", "2026-04-15T00:00Z"]
    assert main([*line, "--json"]) in {0, 1}
    decisions = {one["rule"]: one for one in json.loads(capsys.readouterr().out)["decisions"]}
    decision = decisions["BLINA-HSCT.T1"]
    assert decision["person_time"]["unit"] == "person_days"
    assert decision["ess"] > 100
    assert decisions["BLINA-HSCT.T2"]["ess"] < 1
    assert main(line) in {0, 1}
    text = capsys.readouterr().out
    assert "of the planned 4245.65 person-days" in text
    assert "of the planned 3.2 expected events" in text


def test_check_names_both_rules(study, capsys):
    assert main(["protocol", "check", str(study), "--json"]) == 0
    rules = {row["rule"]: row for row in json.loads(capsys.readouterr().out)["rules"]}
    assert rules["BLINA-HSCT.T1"]["attained_alpha"] == pytest.approx(0.1, abs=1e-5)
    assert rules["BLINA-HSCT.T2"]["examples"] == 3


def test_explain_says_person_time(study, tmp_path, capsys):
    pdf = tmp_path / "rules.pdf"
    assert main(["protocol", "explain", str(study), "--pdf", str(pdf)]) == 0
    text = capsys.readouterr().out
    for words in (
        "constant, 1.625 events in 1000 person-days",
        "p0 0.15 within 100 days",
        "gamma-poisson, prior 1.86897, 1150, planned 4245.65 person-days of at most 46",
        "3 up to 104.828, 4 up to 514.194",
        "3 by 104.828 person-days: stop; 3 by 105 person-days: continue",
        "of a cumulative risk of 2 % by day 30, 5 % by day 100, 8 % by day 183",
        "at every event from 0.1 expected events on",
        "0.15 (p0)  1             0.1000",
        "0.35       2.651",
    ):
        assert words in " ".join(text.split()) or words in text, words
    assert pdf.read_bytes().startswith(b"%PDF")
