"""Commands beside another command or a service: nothing is left ungraded, nothing false is said."""

import subprocess
import sys

import pytest

from services.cli.main import main
from services.store import journal
from services.store.session import Database
from tests.helpers.hl7_messages import labs, obx
from tests.helpers.installation import STUDY
from tests.helpers.intake import people
from tests.helpers.rival_lease import hold_lease

pytestmark = pytest.mark.slow

PERSON = "P-001,north,NMRN,MR,QX4711,2026-01-01T10:00,,female,1970,70.5,2025-12-20T09:00"


@pytest.fixture
def data(tmp_path, monkeypatch):
    monkeypatch.setenv("AEGIS_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("AEGIS_STUDY", str(STUDY))
    file = tmp_path / "people.csv"
    file.write_bytes(people(PERSON))
    assert main(["participants", "import", str(file)]) == 0
    (tmp_path / "a.hl7").write_bytes(labs(obx("0.49"), sender="EPIC|NORTH"))
    db = Database.open(f"sqlite:///{tmp_path}/data/db/aegis.db")
    yield db
    db.close()


def ingest(tmp_path, capsys):
    """The lines that `aegis ingest` prints after its summary."""
    capsys.readouterr()
    assert main(["ingest", str(tmp_path / "a.hl7")]) == 0
    return capsys.readouterr().out.splitlines()[1:]


def count_ungraded(db):
    with db.read() as conn:
        return journal.count_unhandled(conn)


def test_beside_another_command_it_waits_for_its_turn(data, tmp_path, capsys):
    with hold_lease(data, "command 1 on here", 1.0):
        assert ingest(tmp_path, capsys) == []
    assert count_ungraded(data) == 0


def test_a_command_that_was_killed_holds_nobody_up_for_long(data, tmp_path, capsys):
    with hold_lease(data, "command 1 on here", None, for_s=2.5):
        assert ingest(tmp_path, capsys) == []
        assert count_ungraded(data) == 0


def test_a_service_that_renews_its_lease_grades(data, tmp_path, capsys):
    with hold_lease(data, "a service", None, renews=True):
        assert ingest(tmp_path, capsys) == ["a running service grades them"]
    assert count_ungraded(data) == 1


def test_a_service_that_was_killed_grades_nothing(data, tmp_path, capsys):
    with hold_lease(data, "a service", None, for_s=2.5):
        assert ingest(tmp_path, capsys) == []
        assert count_ungraded(data) == 0


def test_commands_that_begin_a_data_folder_together_make_one(tmp_path):
    (tmp_path / "a.hl7").write_bytes(labs(obx("0.49"), sender="EPIC|NORTH"))
    command = [sys.executable, "-m", "services.cli.main", "ingest", str(tmp_path / "a.hl7")]
    options = ["--data", str(tmp_path / "data"), "--study", str(STUDY)]
    processes = [
        subprocess.Popen([*command, *options], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        for _ in range(3)
    ]
    outputs = [process.communicate(timeout=120)[0].decode() for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0], outputs
    assert main(["verify", *options]) == 0
