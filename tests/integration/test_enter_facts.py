"""What people enter beside the feeds: the last they say stands, and no state is told too early."""

import json
from datetime import timedelta

import pytest

from services.cli.commands import adjudicate, determine
from services.cli.main import main
from services.cli.shared import enter_facts
from services.runtime.clock import now_utc
from services.simulator.trial import simulate_trial
from services.store import journal, leases, records
from tests.helpers.installation import STUDY, Installation, messages_of

pytestmark = pytest.mark.slow


@pytest.fixture
def installed(tmp_path, monkeypatch):
    monkeypatch.setenv("AEGIS_DATA", str(tmp_path))
    monkeypatch.setenv("AEGIS_STUDY", str(STUDY))
    made = Installation(tmp_path, clock="wall")
    trial = simulate_trial(2, seed=5, days=6)
    made.enrol(trial)
    made.accept(messages_of(trial))
    made.settle()
    yield made
    made.db.close()


@pytest.fixture
def aegis(capsys):
    def run(*words):
        capsys.readouterr()
        assert main(list(words)) == 0
        return capsys.readouterr().out

    return run


@pytest.fixture
def clock(monkeypatch):
    started = now_utc()

    def show(minutes):
        for module in (adjudicate, determine, enter_facts):
            monkeypatch.setattr(module, "now_utc", lambda: started + timedelta(minutes=minutes))

    return show


def live_records(installed):
    with installed.db.read() as conn:
        return [one for one in records.load_latest_episodes(conn) if not one.retracted]


def a_record(installed):
    return live_records(installed)[0]


def test_beside_a_running_service_an_adjudication_is_known_and_no_state_is_told(installed, aegis):
    record = a_record(installed)
    with installed.db.write() as conn:
        assert leases.acquire_lease(conn, "rules", "a service", now_utc(), 600)
    said = aegis("adjudicate", record.id, "reject", "--reason", "diluted")
    about = f"{record.content.participant} {record.content.term}"
    assert said == f"known: reject {about}; a running service grades it\n"
    with installed.db.write() as conn:
        leases.release_lease(conn, "rules", "a service")
    installed.settle()
    assert a_record(installed).content.state == "rejected"


def test_the_last_adjudication_stands_when_the_clock_was_set_back_before_it(
    installed, aegis, clock
):
    record = a_record(installed).id
    for minutes, verdict, state in (
        (9, "confirm", "confirmed"),
        (1, "reject", "rejected"),
        (2, "confirm", "confirmed"),
    ):
        clock(minutes)
        assert f": {state}," in aegis("adjudicate", record, verdict, "--reason", "seen")
    assert installed.find_mismatches() == []


@pytest.mark.usefixtures("installed")
def test_the_last_answer_of_the_dsmb_stands_when_the_clock_was_set_back_before_it(aegis, clock):
    rule = "BLINA-HSCT.S1"
    for minutes, answer in ((9, "pause"), (1, "continue"), (2, "amend")):
        clock(minutes)
        aegis("determine", rule, answer, "--reason", "discussed")
        said = [json.loads(line) for line in aegis("rules", "status", "--json").splitlines()]
        assert next(one["determination"] for one in said if one["rule"] == rule) == answer


def test_what_was_signed_of_somebody_who_is_merged_since_is_earlier_too(installed, aegis, clock):
    record = a_record(installed)
    into = next(one for one in ("P-002", "P-001") if one != record.content.participant)
    clock(9)
    aegis("adjudicate", record.id, "confirm", "--reason", "seen")
    merge = {"kind": "merge", "gone": record.content.participant, "survivor": into}
    about = {"observed_at": record.content.onset_at.isoformat(), "body": merge}
    for one in (record.content.participant, into):
        installed.accept([json.dumps({"subject": one, **about}).encode()])
    installed.settle()
    clock(1)
    moved = next(
        one
        for one in live_records(installed)
        if (one.content.criterion, one.content.onset_at)
        == (record.content.criterion, record.content.onset_at)
    )
    assert moved.content.participant == into
    aegis("adjudicate", moved.id, "reject", "--reason", "diluted")
    with installed.db.read() as conn:
        signed = [one.fact.body for one in journal.load_facts_of_kind(conn, "adjudication")]
    assert [one.verdict for one in sorted(signed, key=lambda one: one.signed_at)] == [
        "confirm",
        "reject",
    ]
