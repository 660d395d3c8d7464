"""The trail of acts as a person and a program read it, and as a file for somebody else."""

import csv
import json

import pytest

from services.cli.main import main
from services.runtime.clock import now_utc
from services.store import acts, alerts
from services.store.audit_anchor import find_head, find_unsealed_tail
from services.vocabulary.act import Act, ActKind, Meaning
from services.vocabulary.person import Actor, Role, SignedBy
from tests.helpers.people import sign_in
from tests.helpers.timeline import FOLDER, Timeline

pytestmark = pytest.mark.slow

KIM = Actor("kim", "Kim Lee, MD", Role.SAFETY_OFFICER, SignedBy.PASSWORD)
ADA = Actor("ada", "Ada Roth", Role.DSMB_CHAIR)
HOSTILE = "=HYPERLINK(1) \x1b[2J <b>"


@pytest.fixture
def folder(tmp_path):
    trial = Timeline(tmp_path)
    trial.treat("P-001", "P-002")
    trial.potassium("6.5", hour=1)
    trial.advance_to(3)
    trial.rules.settle()
    with trial.db.write() as conn:
        for number, (actor, kind, participant, reason) in enumerate(
            [
                (KIM, ActKind.ADJUDICATE, "P-001", HOSTILE),
                (ADA, ActKind.DETERMINE, "", "discussed"),
                (KIM, ActKind.DISCARD_PARKED, "", "of another trial"),
            ]
        ):
            act = Act(
                f"x{number}", now_utc(), actor, kind, f"t{number}", reason, participant,
                "0" * 64, Meaning.REVIEW, "suspected", "confirm",
            )  # fmt: skip
            acts.append_act(conn, act)
    trial.close()
    return tmp_path


@pytest.fixture
def audit(folder, capsys):
    def run_command(*words, code=0):
        capsys.readouterr()
        assert main(["audit", "--data", str(folder), "--study", str(FOLDER), *words]) == code
        return capsys.readouterr().out

    return run_command


@pytest.mark.parametrize(
    ("words", "people"),
    [
        ((), ["kim", "ada", "kim"]),
        (("--participant", "P-001"), ["kim"]),
        (("--participant", "P-002"), []),
        (("--person", "ada"), ["ada"]),
        (("--since", "2999-01-01T00:00Z"), []),
        (("--since", "2026-01-01T00:00Z", "--person", "kim"), ["kim", "kim"]),
    ],
)
@pytest.mark.part11("4.2.3")
def test_acts_are_found_by_what_they_are_about_and_by_whom(audit, words, people):
    lines = [json.loads(line) for line in audit("--json", *words).splitlines()]
    assert [one["person"] for one in lines if one["person"] != "machine"] == people


@pytest.mark.part11("11.10(b)", "11.10(e)", "4.2.2")
def test_a_line_of_the_trail_says_who_what_when_and_why(audit):
    (line,) = [json.loads(one) for one in audit("--json", "--participant", "P-001").splitlines()]
    wanted = {
        "person": "kim",
        "name": "Kim Lee, MD",
        "role": "safety_officer",
        "act": "adjudicate",
        "about": "t0",
        "old": "suspected",
        "new": "confirm",
        "reason": HOSTILE,
        "signed": True,
        "signed_by": "password",
        "meaning": "reviewed",
    }
    assert {name: line[name] for name in wanted} == wanted
    assert line["at"].endswith("Z")


def test_the_table_shows_no_control_character(audit):
    table = audit()
    assert "\x1b" not in table
    assert "Kim Lee, MD, safety officer" in table
    assert audit("--person", "nobody") == "no acts\n"


@pytest.mark.parametrize("suffix", ["csv", "jsonl"])
@pytest.mark.part11("11.10(b)")
def test_an_export_names_the_head_of_the_chain_in_every_row(audit, tmp_path, suffix):
    file = tmp_path / f"trail.{suffix}"
    output = audit("--export", str(file), "--person", "kim")
    text = file.read_text()
    if suffix == "csv":
        rows = list(csv.DictReader(text.splitlines()))
        assert rows[0]["reason"].startswith("'=HYPERLINK")
    else:
        rows = [json.loads(line) for line in text.splitlines()]
        assert rows[0]["reason"] == HOSTILE
    assert "\x1b" not in text
    (head,) = {row["chain_head"] for row in rows}
    assert output.splitlines()[-1] == (head or "none")
    assert [row["person"] for row in rows] == ["kim", "kim"]


def test_an_export_is_csv_or_json_lines(audit, tmp_path):
    assert audit("--export", str(tmp_path / "trail.xlsx"), code=2) == ""


@pytest.mark.part11("11.10(e)")
def test_a_command_that_writes_seals_what_it_wrote(folder, capsys):
    trial = Timeline(folder)
    with trial.db.read() as conn:
        (alert, *_) = alerts.load_alerts(conn)
        assert find_head(conn) is None
    sign_in(folder, "ann", db=trial.db)
    words = ["ack", alert.id, "--version", str(alert.version)]
    assert main(["alerts", *words, "--data", str(folder), "--study", str(FOLDER)]) == 0
    capsys.readouterr()
    with trial.db.read() as conn:
        assert find_unsealed_tail(conn).count == 0
        assert find_head(conn)
    trial.close()
