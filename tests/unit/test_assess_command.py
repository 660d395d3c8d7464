"""``aegis assess``: a file of facts, graded by the code that the service runs."""

import json
from random import Random

import pytest

from services.cli.main import main
from services.runtime.canonical_json import write_canonical
from services.safety_rules.application.cache import Cache
from services.safety_rules.application.fold_participants import FoldRequest, fold
from services.safety_rules.application.recompute import assess
from services.store.journal import Arrival, append_arrivals
from services.store.participants import Participant, add_participants
from services.store.records import load_latest_episodes, load_latest_standings
from tests.helpers.fact_notes import HOUR_ZERO, hours
from tests.helpers.random_trials import PEOPLE, RULES, trial
from tests.helpers.store import message, new_database

STUDY = "studies/blina-hsct"


def line(observed_hour, reported_hour=None, **body):
    instants = {"observed_at": observed_hour, "reported_at": reported_hour or observed_hour}
    return json.dumps({"subject": "P-101", **instants, "body": body})


def alt(value, observed_hour, reported_hour=None):
    limit = {"value": "40", "unit": "U/L"}
    result = {"measure": "alt", "value": {"value": value, "unit": "U/L"}, "uln": limit}
    return line(observed_hour, reported_hour, kind="observation", **result)


FACTS = [
    line("2026-03-01T08:00:00Z", kind="enrolment", site="S1"),
    line("2026-03-02T08:00:00Z", kind="transplant", donor="haploidentical"),
    alt("30", "2026-05-10T08:00:00+02:00"),
    line("2026-05-11T08:00:00Z", kind="administration", drug="blinatumomab", action="start"),
    alt("250", "2026-05-13T08:00:00Z"),
    alt("900", "2026-05-17T08:00:00Z", "2026-05-18T08:00:00Z"),
]


@pytest.fixture
def run_assess(tmp_path, capsys):
    def run_command(lines, *words):
        file = tmp_path / "facts.ndjson"
        file.write_text("\n".join(lines))
        code = main(["assess", str(file), "--study", STUDY, *words])
        streams = capsys.readouterr()
        return code, streams.out, streams.err

    return run_command


def test_json_holds_records_standings_and_decisions(run_assess):
    code, output, _ = run_assess(FACTS, "--json")
    report = json.loads(output)
    assert code == 0
    assert sorted(report) == ["decisions", "ever_crossed", "queries", "records", "standings"]
    (record,) = report["records"]
    content = record["content"]
    assert content["criterion"] == "ctcae-5.0.alanine-aminotransferase-increased"
    assert content["worst"] == {"at_least": 4, "at_most": 4}
    assert [change["because"] for change in content["history"]] == ["> 5.0 x ULN", "> 20.0 x ULN"]
    assert (content["treatment_day"], content["transplant_day"]) == (3, 72)
    events_by_rule = {one["rule"]: one["event"] for one in report["standings"] if one["event"]}
    assert [event["grade"] for event in events_by_rule.values()] == [4]
    assert {one["rule"] for one in report["decisions"]} == {o["rule"] for o in report["standings"]}


def test_as_of_leaves_out_what_was_reported_later(run_assess):
    _, output, _ = run_assess(FACTS, "--json", "--as-of", "2026-05-17T12:00:00Z")
    (record,) = json.loads(output)["records"]
    assert record["content"]["worst"] == {"at_least": 3, "at_most": 3}


def test_a_table_is_for_reading(run_assess):
    code, output, _ = run_assess(FACTS)
    assert code == 0
    assert "Alanine aminotransferase increased" in output
    assert "Severe non-hematologic adverse event" in output


def test_what_needs_a_person_is_said_of_whom(run_assess):
    _, output, _ = run_assess([*FACTS, FACTS[4].replace("250", "9000000")])
    assert "look into P-101: alt of 9000000 U/L cannot be" in output


@pytest.mark.parametrize(
    ("bad_line", "problem"),
    [
        ("nonsense", "is no JSON object: write one fact to a line"),
        (
            FACTS[0].replace("{", '{"subject": "P-102", ', 1),
            "the key 'subject' comes twice in one object: write it once",
        ),
        (alt("90", "9999-12-31T23:59:00Z"), "observed_at lies after the year 9000"),
        (alt("90", "9001-01-01T00:00:00Z"), "observed_at lies after the year 9000"),
    ],
)
def test_nothing_is_assessed_when_a_line_is_no_fact(run_assess, bad_line, problem):
    code, output, err = run_assess([*FACTS, bad_line])
    assert (code, output) == (2, "")
    assert f"line 7: {problem}" in err


def test_the_last_instant_that_windows_may_begin_at_is_assessed(run_assess):
    last_lines = [
        alt("900", "9000-12-31T23:59:59Z"),
        line("9000-12-31T23:59:59Z", kind="transplant", donor="haploidentical"),
    ]
    assert run_assess([FACTS[0], FACTS[3], *last_lines])[0] == 0


@pytest.mark.parametrize("seed", [2])
def test_a_file_is_assessed_as_the_service_would(tmp_path, seed):
    chance, facts = Random(seed), trial(seed)
    db, keys = new_database(tmp_path)
    order = sorted(facts, key=lambda fact: (fact.reported_at, fact.id))
    with db.write() as conn:
        add_participants(conn, [Participant(name, "TRIAL", "north") for name in PEOPLE], HOUR_ZERO)
        for fact in order:
            append_arrivals(
                conn, keys, [Arrival(message(f"m-{fact.id}", fact.reported_at), (fact,), ())]
            )
    fold(db, RULES, Cache(), PEOPLE, FoldRequest(hours(1000)))
    chance.shuffle(facts)
    assessment = assess(RULES, facts, hours(1000))
    with db.read() as conn:
        episodes = [one for one in load_latest_episodes(conn) if not one.retracted]
        standings = [row.standing for row in load_latest_standings(conn, "TRIAL")]
    db.close()
    assert lines(episodes) == lines(assessment.episodes)
    assert lines(standings) == lines(assessment.standings)


def lines(things):
    return sorted(map(write_canonical, things))


def test_a_name_that_nobody_knows_is_named_and_nothing_is_assessed(run_assess):
    words = {"grade": 2, "by": "dr.a"}
    strange = line("2026-05-18T08:00:00Z", kind="assessment", criterion="Nonsense", **words)
    misspelt = FACTS[2].replace('"alt"', '"altt"')
    code, output, error = run_assess([*FACTS, strange, misspelt])
    assert (code, output) == (2, "")
    assert "2 lines cannot be used" in error
    assert "line 7: no term of the study is called 'Nonsense'" in error
    assert "line 8: no measure is called 'altt'; did you mean 'alt'?" in error
