"""Facts that people enter beside the feeds: the last one stands, and no state shows too early."""

import json
from contextlib import nullcontext
from datetime import timedelta

import pytest

from services.acts import adjudication, append_fact, determination
from services.cli.main import main
from services.runtime.clock import now_utc
from services.simulator.trial import simulate_trial
from services.store import journal, records
from tests.helpers.installation import STUDY, Installation
from tests.helpers.people import sign_in, write_password_file
from tests.helpers.rival_lease import hold_lease

pytestmark = pytest.mark.slow


@pytest.fixture
def installation(tmp_path, monkeypatch):
    monkeypatch.setenv("AEGIS_DATA", str(tmp_path))
    monkeypatch.setenv("AEGIS_STUDY", str(STUDY))
    study_installation = Installation(tmp_path, clock="wall")
    study_installation.fill(simulate_trial(2, seed=5, days=6))
    sign_in(tmp_path, "lee", db=study_installation.db)
    yield study_installation
    study_installation.db.close()


@pytest.fixture
def aegis(tmp_path, capsys):
    password = write_password_file(tmp_path)

    def run_command(*words):
        capsys.readouterr()
        signed = password if words[0] in ("adjudicate", "determine") else ()
        assert main([*words, *signed]) == 0
        return capsys.readouterr().out

    return run_command


@pytest.fixture
def clock(monkeypatch):
    started_at = now_utc()

    def show(minutes):
        for module in (adjudication, determination, append_fact):
            monkeypatch.setattr(module, "now_utc", lambda: started_at + timedelta(minutes=minutes))

    return show


def live_records(installation):
    with installation.db.read() as conn:
        return [one for one in records.load_latest_episodes(conn) if not one.retracted]


def a_record(installation):
    return live_records(installation)[0]


def test_beside_a_running_service_an_adjudication_is_known_and_no_state_is_told(
    installation, aegis
):
    record = a_record(installation)
    with hold_lease(installation.db, "a service", None, renews=True):
        output = aegis("adjudicate", record.id, "reject", "--reason", "diluted")
    subject = f"{record.content.participant} {record.content.term}"
    assert output == f"known: reject {subject}; a running service grades it\n"
    installation.settle()
    assert a_record(installation).content.state == "rejected"


def test_the_last_adjudication_stands_when_the_clock_was_set_back_before_it(
    installation, aegis, clock
):
    record = a_record(installation).id
    for minutes, verdict, state in (
        (9, "confirm", "confirmed"),
        (1, "reject", "rejected"),
        (2, "confirm", "confirmed"),
    ):
        clock(minutes)
        assert f": {state}," in aegis("adjudicate", record, verdict, "--reason", "seen")
    assert installation.find_mismatches() == []


@pytest.mark.parametrize("is_served", [False, True])
def test_who_says_the_same_twice_enters_one_decision(installation, aegis, tmp_path, is_served):
    record = a_record(installation).id
    lease = hold_lease(installation.db, "a service", None, renews=True)
    with lease if is_served else nullcontext():
        aegis("adjudicate", record, "confirm", "--reason", "seen")
        output = aegis("adjudicate", record, "confirm", "--reason", "seen")
        assert output.startswith("lee has said so on ")
        sign_in(tmp_path, "kim", db=installation.db)
        aegis("adjudicate", record, "confirm", "--reason", "seen")
        aegis("adjudicate", record, "confirm", "--reason", "seen twice")
    with installation.db.read() as conn:
        decisions = [one.fact.body for one in journal.load_facts_of_kind(conn, "adjudication")]
    assert sorted((one.by, one.reason) for one in decisions) == [
        ("kim", "seen"),
        ("kim", "seen twice"),
        ("lee", "seen"),
    ]


@pytest.mark.usefixtures("installation")
def test_the_last_answer_of_the_dsmb_stands_when_the_clock_was_set_back_before_it(aegis, clock):
    rule = "BLINA-HSCT.S1"
    for minutes, answer in ((9, "pause"), (1, "continue"), (2, "amend")):
        clock(minutes)
        aegis("determine", rule, answer, "--reason", "discussed")
        output = [json.loads(line) for line in aegis("rules", "status", "--json").splitlines()]
        assert next(one["determination"] for one in output if one["rule"] == rule) == answer


def test_what_was_signed_of_somebody_who_is_merged_since_is_earlier_too(installation, aegis, clock):
    record = a_record(installation)
    survivor = next(one for one in ("P-002", "P-001") if one != record.content.participant)
    clock(9)
    aegis("adjudicate", record.id, "confirm", "--reason", "seen")
    merge = {"kind": "merge", "gone": record.content.participant, "survivor": survivor}
    subject = {"observed_at": record.content.onset_at.isoformat(), "body": merge}
    for item in (record.content.participant, survivor):
        installation.accept([json.dumps({"subject": item, **subject}).encode()])
    installation.settle()
    clock(1)
    moved_facts = next(
        one
        for one in live_records(installation)
        if (one.content.criterion, one.content.onset_at)
        == (record.content.criterion, record.content.onset_at)
    )
    assert moved_facts.content.participant == survivor
    aegis("adjudicate", moved_facts.id, "reject", "--reason", "diluted")
    with installation.db.read() as conn:
        adjudications = [one.fact.body for one in journal.load_facts_of_kind(conn, "adjudication")]
    assert [one.verdict for one in sorted(adjudications, key=lambda item: item.signed_at)] == [
        "confirm",
        "reject",
    ]
