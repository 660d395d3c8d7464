"""Files of a study on PostgreSQL: processes take, and views show, what was activated last."""

import shutil
from contextlib import contextmanager
from pathlib import Path

import pytest

from services.ingest.mllp_client import send_messages
from tests.helpers.distributed_service import ROLES, STUDY, Workers, wait_until
from tests.helpers.hl7_messages import labs, obx
from tests.helpers.intake import people

pytestmark = [pytest.mark.server, pytest.mark.slow]

PERSON = "P-001,north,NMRN,MR,QX4711,2026-01-01T10:00,,female,1970,70.5,2025-12-20T09:00"
REASON = ("--reason", "amendment 2")
TAKEN_S = 60


@pytest.fixture
def study(tmp_path):
    return Path(shutil.copytree(STUDY, tmp_path / "study"))


@contextmanager
def open_workers(folder, database, kafka, study, **settings):
    database.server.make_logins(database.name)
    workers = Workers(folder, database, kafka, 9, AEGIS_STUDY=str(study), **settings)
    (folder / "people.csv").write_bytes(people(PERSON))
    workers.command("migrate")
    workers.command("participants", "import", str(folder / "people.csv"))
    try:
        yield workers
    finally:
        workers.end()


def change(study, old, new, file):
    """Write *new* for *old* in a file of *study*."""
    text = (study / file).read_text()
    assert old in text
    (study / file).write_text(text.replace(old, new))


def test_the_view_shows_the_protocol_that_runs_again(tmp_path, postgres, study):
    with open_workers(tmp_path, postgres, "", study) as workers:
        earlier = shutil.copytree(study, tmp_path / "earlier")
        query = "SELECT version FROM watch.study"
        assert postgres.query(query) == [("1",)]
        change(study, 'version: "1"', 'version: "2"', "protocol.yaml")
        workers.command("study", "activate", str(study), *REASON)
        assert postgres.query(query) == [("2",)]
        workers.command("study", "activate", str(earlier), *REASON)
        assert postgres.query(query) == [("1",)]
        postgres.query("DELETE FROM study_activation RETURNING id")
        assert postgres.query(query) == [("2",)]  # of an earlier release: what was kept last


def test_each_process_takes_what_was_activated(tmp_path, postgres, kafka, study):
    rests = {"AEGIS_SWEEP_EVERY_S": "600", "AEGIS_LEFT_BEHIND_S": "600"}  # Kafka alone wakes
    with open_workers(tmp_path, postgres, kafka.servers, study, **rests) as workers:
        workers.start(*ROLES)
        processes = {name: workers[name].process.pid for name in ROLES}

        def send(number, sender, day):
            result = obx("0.49" if day == 1 else "0.7", observed_at=f"2026010{day}120000+0000")
            raw = labs(result, control_id=str(number), sender=sender)
            try:
                (answer,) = send_messages("127.0.0.1", workers.mllp, [raw])
            except OSError:
                return ""
            return answer.code

        def wait_for_versions(count):
            wait_until(
                lambda: len(postgres.query("SELECT 1 FROM episode")) >= count,
                TAKEN_S,
                lambda: workers["rules"].read_log()[-6000:],
            )

        assert send(1, "EPIC|NORTH", 1) == "AA"
        wait_for_versions(1)
        assert send(2, "EPIC|SOUTH", 2) == "AR"
        change(study, '["EPIC|NORTH"]', '["EPIC|NORTH", "EPIC|SOUTH"]', "sites.yaml")
        change(study, 'version: "1"', 'version: "2"', "protocol.yaml")
        workers.command("study", "activate", str(study), *REASON)
        for name in ROLES:
            workers[name].wait_for("study_taken", TAKEN_S)
        count = len(postgres.query("SELECT 1 FROM episode"))
        wait_until(lambda: send(3, "EPIC|SOUTH", 2) == "AA", TAKEN_S, workers["ingest"].read_log)
        wait_for_versions(count + 1)
        assert {name: workers[name].process.pid for name in ROLES} == processes
        assert not [name for name in ROLES if "Traceback" in workers[name].read_log()]
        assert set(workers.stop().values()) == {0}
