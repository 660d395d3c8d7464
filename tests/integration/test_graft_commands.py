"""GVHD and engraftment as they are entered and shown: facts, records, queries, endpoints."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from services.cli.main import main
from tests.helpers.people import sign_in, write_password_file

pytestmark = pytest.mark.slow

STUDY = Path(__file__).parents[2] / "studies" / "blina-hsct"
PEOPLE = """\
participant,site,authority,identifier,transplant_at,enrolled_at
P-1,north,NMRN,1,2026-01-01T12:00:00-05:00,2026-01-20T12:00:00-05:00
P-2,west,WMRN,2,2026-01-01T12:00:00-08:00,2026-01-20T12:00:00-08:00
"""


def count(participant, measure, day, value, unit="10*9/L"):
    instant = datetime(2026, 1, 1, 20, tzinfo=UTC) + timedelta(days=day)
    body = {"kind": "observation", "measure": measure, "value": {"value": value, "unit": unit}}
    return {"subject": participant, "observed_at": instant.isoformat(), "body": body}


FACTS = [
    *(count("P-1", "neutrophils", day, "0.1") for day in range(1, 14)),
    *(count("P-1", "neutrophils", day, "0.8") for day in range(14, 18)),
    *(count("P-1", "platelets", day, "9") for day in range(1, 10)),
    *(count("P-1", "platelets", day, "40") for day in range(10, 25)),
    *(count("P-2", "neutrophils", day, "0.1") for day in range(1, 32)),
    count("P-1", "bilirubin", 79, "4.1", "mg/dL"),
    {
        "subject": "P-1",
        "observed_at": "2026-03-12T20:00:00Z",
        "body": {"kind": "administration", "drug": "blinatumomab", "action": "start"},
    },
]


@pytest.fixture
def data(tmp_path, capsys):
    """A folder with two participants with a graft, of whom one was treated on day 70."""
    (tmp_path / "people.csv").write_text(PEOPLE)
    (tmp_path / "facts.ndjson").write_text("\n".join(map(json.dumps, FACTS)))
    where = ["--data", str(tmp_path / "var"), "--study", str(STUDY)]
    assert main(["participants", "import", str(tmp_path / "people.csv"), *where]) == 0
    assert main(["ingest", str(tmp_path / "facts.ndjson"), *where]) == 0
    sign_in(tmp_path / "var", "dr")
    transfusion = "facts add transfusion --participant P-1 --at 2026-01-12T20:00Z"
    assert main([*transfusion.split(), "--product", "platelet", *where]) == 0
    capsys.readouterr()
    return where


def password(data):
    return write_password_file(Path(data[1]))


def add_signs(data, words, time="2026-03-22T12:00Z"):
    command = f"facts add gvhd-signs --participant P-1 --at {time} {words}"
    return main([*command.split(), *data])


def test_signs_become_a_record_an_endpoint_and_a_query(data, capsys):
    assert add_signs(data, "--rash-percent 30 --upper-gi none") == 0
    assert main(["records", *data, "--participant", "P-1", "--json"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()[1:]]
    (content,) = [r["content"] for r in lines if r["content"]["criterion"].startswith("magic")]
    assert content["worst"] == {"at_least": 3, "at_most": 4}
    assert content["history"][0]["missing"] == ["stool volume"]
    assert main(["endpoints", "--json", "--endpoint", "agvhd-3-4", *data]) == 0
    report = json.loads(capsys.readouterr().out)
    assert [curve["events"] for curve in report["curves"]] == [1, 1]


def test_another_cause_of_the_bilirubin_is_a_clinicians_word(data, capsys):
    words = "--rash-percent 30 --upper-gi none --stool-ml-per-day 100 --other-cause liver"
    assert add_signs(data, words) == 0
    assert main(["endpoints", "--json", "--endpoint", "agvhd-2-4", *data]) == 0
    report = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert [curve["events"] for curve in report["curves"]] == [0, 0]
    assert report["curves"][0]["never_assessed"] == []


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        ("--rash-percent 130", "130 is no percentage of the body surface"),
        ("--bullae", "bullae need the extent of the rash"),
    ],
)
def test_signs_that_cannot_be_are_refused(data, capsys, words, problem):
    assert add_signs(data, words) == 2
    assert problem in capsys.readouterr().err


def test_a_rejected_record_is_no_event(data, capsys):
    assert add_signs(data, "--rash-percent 60 --upper-gi none --stool-ml-per-day 0") == 0
    assert main(["records", *data, "--json"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()[1:]]
    (record,) = [r for r in lines if r["content"]["criterion"] == "magic-2016.acute-gvhd"]
    assert (
        main(
            ["adjudicate", record["id"], "reject", "--reason", "drug rash", *data, *password(data)]
        )
        == 0
    )
    capsys.readouterr()
    assert main(["endpoints", "--json", "--endpoint", "agvhd-2-4", *data]) == 0
    curve = json.loads(capsys.readouterr().out)["curves"][0]
    assert (curve["events"], curve["possible"], curve["never_assessed"]) == (0, [], [])


def test_engraftment_is_shown_and_a_failure_proposed(data, capsys):
    assert main(["endpoints", *data]) == 0
    output = capsys.readouterr().out
    assert "Engraftment of 2 with a graft, treated or not" in output
    assert "1 recovered (median day 14, 14 to 14), 1 not recovered" in output
    failure = "no neutrophil recovery by day 30, below 0.5 x 10*9/L on day 31"
    assert f"? P-2: primary failure proposed: {failure}" in output
    assert main(["queries", *data]) == 0
    assert f"P-2: primary failure of the graft? {failure}" in capsys.readouterr().out
    assert main(["endpoints", "--engraftment", *data]) == 0
    rows = capsys.readouterr().out.splitlines()
    assert rows[2].split("  ")[0] == "P-1"
    assert "day 14" in rows[2]
    assert "day 18" in rows[2]  # seven days after the transfusion on day 11
    assert main(["endpoints", "--json", *data]) == 0
    first, second = json.loads(capsys.readouterr().out)["engraftment"]
    assert (first["neutrophils"]["day"], first["neutrophils"]["at_latest"]) == (14, 14)
    assert (second["graft"], second["neutrophils"]["state"]) == (
        "primary failure proposed",
        "not recovered",
    )


def test_a_clinician_declares_the_failure(data, capsys):
    command = "facts add graft-status --participant P-2 --at 2026-02-05T12:00Z --status failed"
    assert main([*command.split(), "--note", "chimerism 2 %", *data]) == 0
    capsys.readouterr()
    assert main(["queries", *data]) == 0
    assert "graft?" not in capsys.readouterr().out
    assert main(["endpoints", *data]) == 0
    assert "! P-2: the graft failed: dr, day 35: chimerism 2 %" in capsys.readouterr().out
