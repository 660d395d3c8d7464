"""One `aegis run` on a data folder at a time: the second says who the first is, and ends with 2."""

import errno
import fcntl
import os
import re
import stat
import subprocess
import sys

import pytest

from services.cli.command import CommandError
from services.cli.process.run_lock import hold_run_lock
from services.store.session import Database
from tests.helpers.embedded_service import EmbeddedService


@pytest.fixture
def db(tmp_path):
    return Database.open(f"sqlite:///{tmp_path}/data/db/aegis.db")


def run_in_a_process(db, code):
    """Run Python *code* that may use ``hold_run_lock`` and *db*, and return the process."""
    head = (
        "import os, signal\nfrom services.cli.process.run_lock import hold_run_lock\n"
        "from services.store.session import Database\n"
        f"with hold_run_lock(Database.open({db.url!r})):\n    "
    )
    return subprocess.run([sys.executable, "-c", head + code], check=False, capture_output=True)


def test_the_second_is_told_who_and_since_when(db):
    with (
        hold_run_lock(db),
        pytest.raises(
            CommandError,
            match=rf"^process {os.getpid()} on \S+ runs since \d{{4}}-\d\d-\d\dT\S+\+00:00 on ",
        ),
        hold_run_lock(db),
    ):
        pass


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", "x" * 10_000])
def test_a_holder_that_has_not_written_its_name_keeps_others_out_too(db, content):
    with hold_run_lock(db):
        db.file.with_name("aegis.db-run").write_text(content)
        with pytest.raises(CommandError, match=r"^another process runs on "), hold_run_lock(db):
            pass


@pytest.mark.parametrize("end", ["pass", "os.kill(os.getpid(), signal.SIGKILL)", "os._exit(1)"])
def test_whoever_has_ended_keeps_nobody_out(db, end):
    run_in_a_process(db, end)
    assert db.file.with_name("aegis.db-run").read_text()
    with hold_run_lock(db):
        pass


def test_a_file_system_without_locks_keeps_nobody_out(db, monkeypatch):
    def refuse(*_args):
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", refuse)
    with hold_run_lock(db), hold_run_lock(db):
        pass


def test_the_lock_of_another_database_is_another(db):
    with hold_run_lock(db), hold_run_lock(Database.open(db.url.replace("aegis.db", "other.db"))):
        pass


def test_a_server_has_none(tmp_path):
    server = Database.open("postgresql+psycopg://nobody@127.0.0.1:1/none")
    with hold_run_lock(server), hold_run_lock(server):
        pass
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_the_second_service_ends_and_one_after_a_killed_one_runs(tmp_path):
    service = EmbeddedService(tmp_path / "data")
    service.start()
    first_pid = service.process.pid
    try:
        answer = service.command("run", "--mllp-port=0", "--http-port=0", check=False)
        assert answer.returncode == 2
        (line,) = answer.stderr.splitlines()
        assert re.match(rf"aegis run: process {first_pid} on \S+ runs since ", line)
        assert service.command("verify")  # commands work beside it
    finally:
        service.kill()
    service.start()
    assert service.process.pid != first_pid
    assert service.stop() == 0


@pytest.mark.slow
@pytest.mark.parametrize("is_new", [True, False])
def test_files_are_for_their_owner_alone_whatever_the_umask(tmp_path, is_new):
    data = tmp_path / "data"
    service = EmbeddedService(data)
    usual_umask = os.umask(0)
    try:
        (data / "db").mkdir(parents=True, mode=0o777)
        if not is_new:  # as an earlier version left them
            people = tmp_path / "people.csv"
            people.write_text(
                "participant,site,authority,identifier,enrolled_at\n"
                "P-001,north,NMRN,123,2026-05-20T10:00\n"
            )
            service.command("participants", "import", str(people))
            (data / "db" / "aegis.db").chmod(0o666)
        service.start()
    finally:
        os.umask(usual_umask)
    try:
        modes = {
            file.name: oct(stat.S_IMODE(file.stat().st_mode))
            for file in data.rglob("*")
            if file.is_file()
        }
    finally:
        service.kill()
    assert {"aegis.db", "aegis.db-wal", "aegis.db-shm", "aegis.db-run"} <= modes.keys()
    assert set(modes.values()) == {"0o600"}, modes
