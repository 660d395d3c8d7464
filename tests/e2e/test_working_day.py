"""A working day at the command line: enrolled, fed, looked at, judged, answered, proved."""

import json
import re

import pytest

from services.cli.main import main
from services.simulator.trial import simulate_trial, write_trial
from services.vocabulary.person import Role
from tests.helpers.people import sign_in

pytestmark = pytest.mark.slow

TRIAL = simulate_trial(3, seed=7, days=8)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("day")
    write_trial(TRIAL, folder / "trial")
    return folder


@pytest.fixture
def aegis(data, capsys, monkeypatch):
    """Run one command on the data; return its exit code, what it prints, and what it complains."""
    monkeypatch.setenv("AEGIS_DATA", str(data / "data"))
    monkeypatch.setenv("AEGIS_CLOCK", "message")

    def run_command(*words):
        code = main([str(word) for word in words])
        output = capsys.readouterr()
        return code, output.out, output.err

    return run_command


def crs_of(aegis):
    _, listing, _ = aegis("records")
    return next(line.split()[-1] for line in listing.splitlines() if "Cytokine release" in line)


def test_1_enrol(aegis, data):
    code, output, _ = aegis("participants", "import", data / "trial" / "participants.csv")
    assert (code, output) == (0, "4 new, 0 changed, 0 lines left out\n")
    _, output, _ = aegis("participants", "list")
    assert len(output.splitlines()) == 5


def test_2_feed(aegis, data):
    code, output, _ = aegis("ingest", data / "trial" / "feed.hl7")
    assert code == 0
    assert re.search(r"\d+ messages, \d+ accepted, \d+ of them duplicates, 0 refused", output)
    second_output = aegis("ingest", data / "trial" / "feed.hl7")[1]
    accepted_count, duplicates = re.search(
        r"(\d+) accepted, (\d+) of them duplicates", second_output
    ).groups()
    assert accepted_count == duplicates != "0"


def test_3_look(aegis):
    code, output, _ = aegis("explain", crs_of(aegis))
    assert code == 0
    assert "Cytokine release syndrome (ASTCT)  (astct-2019.crs)" in output
    assert "temperature" in output
    assert "version 1" in output


def test_4_judge(aegis, data):
    assert aegis("adjudicate", crs_of(aegis), "confirm", "--reason", "seen")[0] == 2  # by whom?
    password = sign_in(data / "data", "lee")
    record = crs_of(aegis)
    code, output, _ = aegis(
        "adjudicate", record, "confirm", "--reason", "seen on the ward", *password
    )
    assert code == 0
    assert "confirmed" in output
    assert "confirm by lee" in aegis("explain", record)[1]
    _, output, _ = aegis(
        "adjudicate", record, "regrade", "--grade=2", "--reason=reviewed", *password
    )
    assert "worst grade 2" in output


def test_5_enter_what_no_feed_carries(aegis):
    words = ("facts", "add", "relapse", "--participant=P-001", "--at=2026-04-02T08:00Z")
    assert aegis(*words)[:2] == (0, "known: relapse\n")
    lines = aegis("facts", "export", "--participant=P-001")[1].splitlines()
    assert sum(json.loads(line)["body"]["kind"] == "relapse" for line in lines) == 1


def test_5_a_finding_is_entered_as_seen(aegis):
    participant = (
        "--participant=P-001",
        "--at=2026-04-02T08:00Z",
        "--criterion=ctcae-5.0.hypokalemia",
    )
    assert aegis("facts", "add", "finding", *participant, "--symptoms=none")[0] == 0
    lines = aegis("facts", "export", "--participant=P-001")[1].splitlines()
    (payload,) = (b for b in (json.loads(line)["body"] for line in lines) if b["kind"] == "finding")
    assert (payload["symptoms"], payload["infarction"], payload["by"]) == ("none", None, "lee")


def test_6_rules_and_the_answer_of_the_dsmb(aegis, data):
    _, output, _ = aegis("rules", "status")
    assert "DRAFT, signed by nobody" in output
    words = ("determine", "BLINA-HSCT.S1", "continue", "--reason=discussed")
    password = sign_in(data / "data", "chair", Role.DSMB_CHAIR)
    code, output, _ = aegis(*words, *password)
    assert code == 0
    assert "BLINA-HSCT.S1: continue" in output
    sign_in(data / "data", "lee")
    state = [json.loads(line) for line in aegis("rules", "status", "--json")[1].splitlines()]
    assert state[0]["determination"] == "continue"


def test_7_as_known_before_anything_was(aegis):
    assert aegis("rules", "status", "--as-of=2020-01-01T00:00Z")[0] == 0
    assert aegis("records", "--as-of=2020-01-01T00:00Z")[1].count("\n") <= 1


def test_8_alerts(aegis):
    _, output, _ = aegis("alerts", "list")
    name = output.splitlines()[1].split()[0]
    assert "Trial safety oversight, not a bedside alarm." in aegis("alerts", "show", name)[1]
    assert aegis("alerts", "ack", name, "--comment=on it")[0] == 0
    assert name not in aegis("alerts", "list")[1]
    assert "seen by lee" in aegis("alerts", "list", "--all")[1]


def test_9_prove(aegis):
    assert aegis("verify")[:1] == (0,)
    assert "replayed: the same history" in aegis("replay")[1]
    assert aegis("retry")[:2] == (0, "0 let in again, 0 quarantined\n")


# what is asked for, and what the answer has to say
WRONG = {
    "no such record": (("explain", "zzz"), "no records begin with zzz"),
    "no such alert": (("alerts", "ack", "ZZZZ"), "no alerts are called ZZZZ"),
    "no such rule": (
        ("determine", "T.S9", "stop", "--reason=x", "--password-file=PASSWORD"),
        "no decision of T.S9",
    ),
    "no such site": (("sites", "key", "moon"), "no site moon"),
    "nobody of that name": (
        ("facts", "add", "relapse", "--participant=P-999", "--at=2026-04-02T08:00Z"),
        "unknown-participant",
    ),
    "a regrade without its grade": (
        ("adjudicate", "a", "regrade", "--reason=x"),
        "regrade needs it",
    ),
    "no file": (("ingest", "nowhere.hl7"), "nowhere.hl7"),
    "no facts": (("assess", "nowhere.ndjson"), "nowhere.ndjson"),
    "no study": (("rules", "status", "--study=nowhere"), "nowhere"),
    "no data": (("records", "--data=nowhere"), "there are no data in nowhere"),
    "a finding that says nothing": (
        ("facts", "add", "finding", "--participant=P-001", "--at=2026-04-02T08:00Z",
         "--criterion=ctcae-5.0.hypokalemia"),
        "say what was seen",
    ),
    "a term of no table": (
        ("facts", "add", "assessment", "--participant=P-001", "--at=2026-04-02T08:00Z",
         "--criterion=ctcae-5.0.trembling", "--grade=2"),
        "ctcae-5.0.trembling is no term",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("words", "expected"), WRONG.values(), ids=WRONG)
def test_what_cannot_be_done_is_said_and_changes_nothing(aegis, data, words, expected):
    earlier = aegis("records", "--canonical")
    password_file = data / "data" / "password.txt"
    code, _, complaint = aegis(*(word.replace("PASSWORD", str(password_file)) for word in words))
    assert code == 2
    assert complaint.startswith(f"aegis {words[0]}: ")
    assert expected in complaint
    assert aegis("records", "--canonical") == earlier


def test_a_setting_that_cannot_be_is_named(aegis, monkeypatch):
    monkeypatch.setenv("AEGIS_MLLP_PORT", "many")
    code, _, complaint = aegis("run")
    assert code == 2
    assert "AEGIS_MLLP_PORT" in complaint
