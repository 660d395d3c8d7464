"""Backup and restore of PostgreSQL, by its own programs, with the rights of the new server."""

import json
import stat

import psycopg
import pytest

from services.acts.intake import make_intake
from services.cli.main import main
from services.cli.shared.open_study import open_in
from services.cli.shared.records_table import write_canonical_lines
from services.ingest.enrolment import import_participants
from services.ingest.intake import Submission
from services.runtime.clock import now_utc
from services.runtime.store_settings import read_store_settings
from services.safety_rules.workers.journal_worker import JournalWorker
from services.simulator.trial import simulate_trial, write_participants_csv
from services.store import records
from services.store.held_lease import HeldLease
from services.store.seal_chain import SettledIds
from services.store.seal_worker import seal_new_rows
from services.store.session import Database
from tests.helpers.installation import STUDY

pytestmark = [pytest.mark.server, pytest.mark.slow]


@pytest.fixture
def new_url(postgres):
    """Return the address of an empty database on the same server."""
    name = f"{postgres.url.rpartition('/')[2]}_restored"
    address = postgres.url.replace("+psycopg", "")
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'")
    yield f"{postgres.url.rpartition('/')[0]}/{name}"
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def backup(postgres, tmp_path, monkeypatch, capsys):
    """Return the backup of a database with messages and facts."""
    monkeypatch.setenv("AEGIS_DATABASE_URL", postgres.url)
    monkeypatch.setenv("AEGIS_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("AEGIS_STUDY", str(STUDY))
    assert main(["migrate"]) == 0
    trial = simulate_trial(2, seed=5, days=2)
    context = open_in(read_store_settings(clock="message"))
    intake = make_intake(context)
    import_participants(intake, write_participants_csv(trial).encode(), "test")
    intake.accept([Submission(body, "file") for body in trial.messages])
    worker = JournalWorker(context.db, context.study.rules, "test", now_utc, by_message=True)
    assert worker.settle()
    lease = HeldLease(context.db, "sealer", "test", now_utc)
    settled_ids = SettledIds()
    for _ in range(3):  # rows are settled once those who wrote before have ended
        seal_new_rows(lease, context.keys, settled_ids)
    context.db.close()
    assert main(["backup", str(tmp_path / "backup")]) == 0, capsys.readouterr().err
    return tmp_path / "backup"


def read_records(url):
    """Return the records in the database at *url*, as canonical lines."""
    db = Database.open(url)
    with db.read() as conn:
        lines = write_canonical_lines(records.load_latest_episodes(conn))
    db.close()
    return lines


@pytest.fixture
def elsewhere(new_url, backup, tmp_path, monkeypatch):
    """Let commands find the empty database, and no keys."""
    monkeypatch.setenv("AEGIS_DATABASE_URL", new_url)
    monkeypatch.setenv("AEGIS_DATA", str(tmp_path / "restored"))
    return backup


def test_it_is_restored_with_its_keys_and_proven(elsewhere, postgres, new_url, capsys):
    assert {stat.S_IMODE(file.stat().st_mode) for file in elsewhere.rglob("*.*")} == {0o600}
    assert (elsewhere / "db" / "aegis.dump").is_file()
    capsys.readouterr()
    assert main(["restore", str(elsewhere)]) == 0, capsys.readouterr().err
    said = capsys.readouterr().out
    assert "Now run `aegis migrate`, then `aegis verify`" in said
    head = json.loads((elsewhere / "backup.json").read_text())["head"]
    for words in (["migrate"], ["verify", "--anchor", head], ["replay"]):
        assert main(words) == 0, capsys.readouterr()
    said = said + capsys.readouterr().out
    assert "verified: nothing found" in said
    assert "the same history" in said
    assert read_records(new_url) == read_records(postgres.url) != []
    context = open_in(read_store_settings(), service="ingest")  # whose rights are granted anew
    try:
        with context.db.read() as conn:
            (message_count,) = conn.exec_driver_sql("SELECT count(*) FROM raw_message").one()
    finally:
        context.db.close()
    assert message_count
    assert f": {message_count} messages, " in said


def test_the_login_for_backups_may_read_all_that_it_takes_and_not_restore(
    backup, postgres, tmp_path, monkeypatch, capsys
):
    monkeypatch.setenv("AEGIS_DATABASE_URL", postgres.login_url("backup"))
    capsys.readouterr()
    second_folder = tmp_path / "second"
    assert main(["backup", str(second_folder)]) == 0, capsys.readouterr().err
    first, second = (
        json.loads((folder / "backup.json").read_text()) for folder in (backup, second_folder)
    )
    assert first["keys"] == second["keys"]
    assert first["study"] == second["study"] == ["BLINA-HSCT"]
    assert (second_folder / "db" / "aegis.dump").stat().st_size > 10_000
    assert main(["verify"]) == 0, capsys.readouterr()
    capsys.readouterr()
    assert main(["parked", "retry"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("aegis parked: the login in AEGIS_DATABASE_URL ")
    assert "may not do this (permission denied for table " in line
    assert "aegis_owner" in line


def test_a_database_with_tables_is_refused(backup, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("AEGIS_DATA", str(tmp_path / "restored"))
    assert main(["restore", str(backup)]) == 2
    assert "is not empty: make another with createdb" in capsys.readouterr().err
    assert not (tmp_path / "restored").exists()


def test_a_dump_is_not_restored_into_a_folder(backup, tmp_path, monkeypatch, capsys):
    monkeypatch.delenv("AEGIS_DATABASE_URL")
    assert main(["restore", str(backup), "--data", str(tmp_path / "restored")]) == 2
    assert "this backup is of PostgreSQL" in capsys.readouterr().err


@pytest.mark.usefixtures("backup")
def test_without_the_programs_it_says_what_to_install(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert main(["backup", str(tmp_path / "second")]) == 2
    assert "pg_dump is not installed here" in capsys.readouterr().err
    assert not (tmp_path / "second" / "backup.json").exists()


def test_what_the_program_says_is_passed_on(elsewhere, tmp_path, monkeypatch, capsys):
    url = f"{read_store_settings().database_url}_not_there"
    monkeypatch.setenv("AEGIS_DATABASE_URL", url)
    for words in (["backup", str(tmp_path / "second")], ["restore", str(elsewhere)]):
        assert main(words) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert "_not_there" in line
        assert "does not exist" in line
