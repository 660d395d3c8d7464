"""``aegis verify`` of a database that others write to: no false finding, and none is missed."""

import json
import shutil
import threading
import time
from dataclasses import replace

import pytest
import sqlalchemy as sa

from services.acts.intake import make_intake
from services.cli.main import main
from services.cli.process.background import Background
from services.cli.process.roles.parts import ProcessSettings
from services.cli.process.service import Service
from services.cli.shared.open_study import open_in
from services.ingest.enrolment import import_participants
from services.ingest.intake import Submission
from services.runtime.settings import (
    AlertSettings,
    HttpSettings,
    IngestSettings,
    KafkaSettings,
)
from services.runtime.store_settings import read_store_settings
from services.simulator.trial import simulate_trial, write_participants_csv
from services.store import journal
from services.store.snapshots import Snapshots
from tests.helpers.hl7_messages import labs, obx
from tests.helpers.installation import STUDY, Installation, messages_of


@pytest.fixture
def study(tmp_path, monkeypatch):
    """Commands find the trial's study, with data in a folder of this test."""
    monkeypatch.setenv("AEGIS_DATA", str(tmp_path))
    monkeypatch.setenv("AEGIS_STUDY", str(STUDY))
    monkeypatch.setenv("AEGIS_CLOCK", "message")
    return tmp_path


@pytest.mark.server
@pytest.mark.slow
@pytest.mark.usefixtures("study")
@pytest.mark.part11("11.10(a)", "4.3.4")
def test_it_finds_nothing_while_a_trial_is_fed_and_graded(postgres, monkeypatch, capsys):
    monkeypatch.setenv("AEGIS_DATABASE_URL", postgres.url)
    assert main(["migrate"]) == 0
    context = open_in(read_store_settings())
    settings = ProcessSettings(
        IngestSettings(mllp_port=0), HttpSettings(http_port=0), AlertSettings(smtp_port=1)
    )
    service = Background(Service(context, replace(settings, kafka=KafkaSettings(kafka=""))))
    service.start()
    trial = simulate_trial(4, seed=11, days=9)
    intake = make_intake(context)
    import_participants(intake, write_participants_csv(trial).encode(), "test")
    feed_ended = threading.Event()

    def feed():
        try:
            for body in messages_of(trial):
                form = "facts" if body.startswith(b"{") else "hl7v2"
                intake.accept([Submission(body, "file", form=form)])
        finally:
            feed_ended.set()

    feed_thread = threading.Thread(target=feed)
    feed_thread.start()
    try:
        looks = 0
        while not feed_ended.is_set() or looks < 2:
            capsys.readouterr()
            code = main(["verify"])
            assert code == 0, capsys.readouterr().out
            looks += 1
        feed_thread.join()
    finally:
        service.stop()
        context.db.close()
    assert looks >= 2
    assert main(["verify"]) == 0
    assert main(["replay"]) == 0


@pytest.fixture
def graded_study(study):
    """A small trial, fed and graded."""
    installation = Installation(study)
    installation.fill(simulate_trial(2, seed=5, days=2))
    yield installation
    installation.db.close()


def change(installation, sql):
    """Change a row without a trace, as no service does."""
    engine = sa.create_engine(installation.db.url)
    with engine.begin() as connection:
        connection.exec_driver_sql(sql)
    engine.dispose()


@pytest.mark.parametrize(
    ("sql", "text"),
    [
        ("DELETE FROM fact WHERE subject = 'P-001' AND seq = 3", "fact P-001: has gaps"),
        ("UPDATE standing SET payload = replace(payload, 'P-001', 'P-001 ')", "is not what was"),
        ("UPDATE raw_message SET body = x'00' WHERE source = 'file'", "is not what was received"),
        (
            "DELETE FROM fact WHERE message IN (SELECT id FROM raw_message WHERE source = 'file')",
            "it was accepted, and nothing of it is a fact or parked",
        ),
        ("DELETE FROM decision", "the last decision is not what the standings say"),
    ],
)
@pytest.mark.part11("11.10(a)")
def test_each_thing_that_is_wrong_is_said_and_counted(graded_study, capsys, sql, text):
    assert main(["verify"]) == 0, capsys.readouterr().out
    change(graded_study, sql)
    assert main(["verify"]) == 1
    output = capsys.readouterr().out
    assert text in output
    assert "findings" in output.splitlines()[-1]


QUIET = (
    rb"MSH|^~\&|EPIC|NORTH|AEGIS|TRIAL|20260301090000-0500||ADT^A31|quiet|P|2.5.1" + b"\r"
    b"EVN||20260301090000-0500\rPID|1||%s^^^NMRN^MR\r"
)


def test_a_message_that_says_nothing_or_nothing_new_is_no_finding(graded_study, capsys):
    line = {
        "id": "own-1",
        "subject": "P-001",
        "observed_at": "2026-03-01T08:00:00Z",
        "body": {"kind": "observation", "measure": "alt", "value": {"value": "30", "unit": "U/L"}},
    }
    encoded_line = json.dumps(line).encode()
    graded_study.accept([QUIET % b"QX4711", encoded_line, encoded_line + b"\n"])
    graded_study.settle()
    with graded_study.db.read() as conn:
        counts = conn.exec_driver_sql(
            "SELECT count(*) FROM raw_message WHERE id NOT IN (SELECT message FROM fact)"
            " AND id NOT IN (SELECT message FROM parked)"
        ).scalar()
    assert counts >= 2
    assert main(["verify"]) == 0, capsys.readouterr().out


FROM_NORTH = "SELECT id FROM raw_message WHERE source = 'file' AND sender = 'EPIC|NORTH'"
LOSE_FROM_NORTH = (
    "DELETE FROM fact WHERE message IN"
    " (SELECT id FROM raw_message WHERE source = 'file' AND sender = 'EPIC|NORTH')"
)


def edit_study(study, *changes):
    """The study's files with *changes* (before, after) in its sites."""
    folder = study / "edited"
    shutil.copytree(STUDY, folder)
    sites = (folder / "sites.yaml").read_text()
    for earlier, later in changes:
        assert earlier in sites
        sites = sites.replace(earlier, later)
    (folder / "sites.yaml").write_text(sites)
    return str(folder)


EDITS = {
    "the sender is renamed": ("EPIC|NORTH", "EPIC2|NORTH"),
    "the authority is renamed": ("NMRN", "NORTHMRN"),
}


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
def test_an_edit_of_the_sites_makes_no_finding_and_hides_none(
    graded_study, study, capsys, monkeypatch, edit
):
    with graded_study.db.read() as conn:
        message_ids = set(conn.exec_driver_sql(FROM_NORTH).scalars())
    assert message_ids
    graded_study.accept([QUIET % b"NOBODY"])
    assert main(["verify"]) == 0, capsys.readouterr().out
    monkeypatch.setenv("AEGIS_STUDY", edit_study(study, edit))
    assert main(["verify"]) == 0, capsys.readouterr().out
    change(graded_study, LOSE_FROM_NORTH)
    capsys.readouterr()
    assert main(["verify"]) == 1
    lost_facts = [
        one for one in capsys.readouterr().out.splitlines() if "nothing of it is a" in one
    ]
    assert {one.removeprefix("raw_message ").partition(":")[0] for one in lost_facts} == message_ids


def test_no_state_is_held_for_longer_than_it_may(graded_study):
    with Snapshots(graded_study.db, longest_s=0.05) as look:
        first = look()
        assert look() is first
        earlier = journal.count_facts(first)
        graded_study.accept([labs(obx("0.4"), sender="EPIC|NORTH", control_id="later")])
        deadline = time.monotonic() + 10
        while look() is first and time.monotonic() < deadline:
            time.sleep(0.01)
        assert journal.count_facts(look()) >= earlier
        assert look() is not first
