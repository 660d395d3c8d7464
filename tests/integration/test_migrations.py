"""An older database becomes a newer one while people work; what cannot be is left as it was."""

import os
import subprocess
import sys
import threading
import uuid
from collections import Counter
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from sqlalchemy.exc import DBAPIError

from services.cli.main import main
from services.safety_rules.adapters.study_rules import load_rules
from services.store import integrity, participant_order, records, schema, states
from services.store.revisions import find_head
from services.store.session import Database
from services.store.vault import Keys, Purpose
from tests.helpers import first_release
from tests.helpers.installation import STUDY

ROOT = Path(__file__).parent.parent.parent
NUMBERED_TABLES = {"raw_message", "fact", "parked"}  # test_numbers_of_sites.py says how they change
HASHED_VERSION, FIRST_EDITION = (
    "f38a85eaa2b8bad2",
    "7cd5bfb3dc47dd6f",
)  # the same rules of the trial


@contextmanager
def made_on(server, options=""):
    """An empty database on *server*: its URL."""
    name = f"test_{uuid.uuid4().hex}"
    admin = psycopg.connect(server.url("postgres").replace("+psycopg", ""), autocommit=True)
    with admin:
        admin.execute(f"CREATE DATABASE {name} {options}")
        yield server.url(name)
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


DATABASES = ["sqlite", pytest.param("postgres", marks=pytest.mark.server)]


@contextmanager
def restore_release(request, folder, monkeypatch, revision):
    """A database as code of *revision* left it: its URL; commands find it."""
    monkeypatch.setenv("AEGIS_DATA", str(folder))
    monkeypatch.setenv("AEGIS_STUDY", str(STUDY))
    first_release.keys_in(folder / "keys")
    if request.param == "sqlite":
        (folder / "db").mkdir()
        url = f"sqlite:///{folder}/db/aegis.db"
        first_release.restore(url, revision)
        yield url
        return
    with made_on(request.getfixturevalue("postgres_server")) as url:
        monkeypatch.setenv("AEGIS_DATABASE_URL", url)
        first_release.restore(url, revision)
        yield url


@pytest.fixture(params=DATABASES)
def previous(request, tmp_path, monkeypatch):
    """A database as the first release left it: its URL; commands find it."""
    with restore_release(request, tmp_path, monkeypatch, "0001") as url:
        yield url


@pytest.fixture(params=DATABASES)
def hashed_database(request, tmp_path, monkeypatch):
    """A database of the time when a version of the rules was a hash of source text: its URL."""
    with restore_release(request, tmp_path, monkeypatch, "0003") as url:
        yield url


def aegis(*words, **settings):
    """Run a command in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "services.cli.main", *words],
        cwd=ROOT,
        env={**os.environ, **settings},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def state_of(url):
    """Revision and the rows of every table, to compare."""
    engine = sa.create_engine(url)
    results = sa.MetaData()
    with engine.connect() as connection:
        results.reflect(connection)
        rows = {
            name: connection.execute(sa.select(table)).fetchall()
            for name, table in results.tables.items()
        }
    engine.dispose()
    return {name: sorted(map(repr, some)) for name, some in rows.items()}


def test_everything_is_there_after_it_and_again_is_no_change(previous, tmp_path, capsys):
    earlier = state_of(previous)
    assert main(["migrate"]) == 0
    assert f"at revision {find_head()}" in capsys.readouterr().out
    db = Database.open(previous)
    with db.read() as conn:
        schema.check_tables(conn)
        assert participant_order.find_families(conn, ["P-003"]) == [first_release.FAMILY]
        assert not list(integrity.find_faults(lambda: conn, Keys.load(tmp_path / "keys")))
    db.close()
    later = state_of(previous)
    changed_tables = {"alembic_version", "participant", "audit", "protocol_version"}
    changed_tables |= NUMBERED_TABLES
    kept_tables = set(earlier) - changed_tables
    assert {name: later[name] for name in kept_tables} == {
        name: earlier[name] for name in kept_tables
    }
    assert main(["migrate"]) == 0
    assert state_of(previous) == later


def test_what_was_graded_then_is_graded_anew_when_somebody_asks(previous, capsys):
    assert main(["migrate"]) == 0
    main(["verify"])
    assert "4 participants were graded by other rules" in capsys.readouterr().out
    assert main(["refold", "--reason", "upgrade"]) == 0
    capsys.readouterr()
    assert main(["verify"]) == 0, capsys.readouterr().out
    assert main(["replay"]) == 0
    db = Database.open(previous)
    with db.read() as conn:
        assert records.load_episode_versions(conn)
    db.close()


def watched_rows(engine):
    """The rows of the views about facts and people."""
    with engine.connect() as connection:
        return {
            view: Counter(map(repr, connection.exec_driver_sql(f"SELECT * FROM watch.{view}")))  # noqa: S608
            for view in ("standing_fact", "survivor", "person", "record", "sign", "drug_mark")
        }


@pytest.mark.server
@pytest.mark.parametrize("revision", ["0001", "0003", "0010"])
def test_what_views_worked_out_is_what_is_written_for_them(revision, postgres_server, tmp_path):
    first_release.keys_in(tmp_path / "keys")
    config = Config()
    config.set_main_option("script_location", str(ROOT / "migrations"))
    config.set_main_option("path_separator", "os")
    config.attributes["identity_key"] = Keys.load(tmp_path / "keys").get_key(Purpose.IDENTITY)
    with made_on(postgres_server, "TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'") as url:
        first_release.restore(url, revision)
        engine = sa.create_engine(url)
        rows = []
        for target in ("0020", "head"):
            with engine.begin() as connection:
                config.attributes["connection"] = connection
                command.upgrade(config, target)
            rows.append(watched_rows(engine))
        with engine.connect() as connection:
            faults = list(integrity.find_faults(lambda: connection, Keys.load(tmp_path / "keys")))
        engine.dispose()
    assert rows[0]["standing_fact"]
    assert rows[0] == rows[1]
    assert not faults


def versions_in(url):
    """The versions of the rules that states and records name."""
    db = Database.open(url)
    with db.read() as conn:
        results = {state.rules_version for state in states.load_states(conn)}
        results |= {one.rules_version for one in records.load_episode_versions(conn)}
    db.close()
    return results


def test_what_a_hash_of_source_text_named_is_of_the_first_edition(
    hashed_database, tmp_path, capsys
):
    earlier = state_of(hashed_database)
    assert main(["migrate"]) == 0
    assert versions_in(hashed_database) == {FIRST_EDITION}
    db = Database.open(hashed_database)
    with db.read() as conn:
        assert not list(integrity.find_faults(lambda: conn, Keys.load(tmp_path / "keys")))
    db.close()
    later = state_of(hashed_database)
    written_rows = set(earlier) - {"alembic_version", "audit", "protocol_version"} - NUMBERED_TABLES
    assert {name: later[name] for name in written_rows} == {
        name: earlier[name] for name in written_rows
    }
    assert main(["migrate"]) == 0
    assert state_of(hashed_database) == later
    capsys.readouterr()


@pytest.mark.usefixtures("hashed_database")
def test_it_is_proven_and_not_graded_anew(capsys):
    if load_rules(STUDY).rules.version != FIRST_EDITION:
        pytest.skip("edition, criteria or protocol have changed since")
    assert main(["migrate"]) == 0
    assert main(["verify"]) == 0, capsys.readouterr().out
    assert "graded by other rules" not in capsys.readouterr().out
    assert main(["replay"]) == 0, capsys.readouterr().out
    assert main(["refold"]) == 0
    assert "every record is of the rules that run" in capsys.readouterr().out


def test_a_service_that_still_runs_may_write_the_old_name_after_it(hashed_database):
    assert main(["migrate"]) == 0
    engine = sa.create_engine(hashed_database)
    with engine.begin() as connection:
        names = "SELECT DISTINCT rules_version FROM participant_state"
        assert set(connection.exec_driver_sql(names).scalars()) == {HASHED_VERSION}
    engine.dispose()
    db = Database.open(hashed_database)
    with db.read() as conn:
        assert not states.load_states_of_other_rules(conn, FIRST_EDITION)
        assert states.count_states_of_other_rules(conn, HASHED_VERSION, "") == 2
    db.close()


def test_the_newest_tables_are_those_of_the_code(tmp_path):
    db = Database.open(f"sqlite:///{tmp_path}/new.db")
    schema.upgrade(db)
    with db.read() as conn:
        schema.check_tables(conn)
    db.close()


@pytest.mark.server
def test_the_newest_tables_are_those_of_the_code_on_postgresql(postgres):
    db = Database.open(postgres.url)
    with db.read() as conn:
        schema.check_tables(conn)
    db.close()


class LiveService:
    """Somebody who goes on writing and reading as the first release does, until told to stop."""

    def __init__(self, url):
        self.url = url
        self.written_rows, self.seen_rows = [], []
        self.error = None
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._go_on, args=(does,))
            for does in (self._write, self._read_rows)
        ]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        self.go_on()
        return self

    def __exit__(self, *_failed):
        self._stop.set()
        for thread in self._threads:
            thread.join(60)

    def go_on(self, changes=5):
        """Return once it has done more."""
        expected = len(self.written_rows) + changes, len(self.seen_rows) + changes
        deadline = threading.Event()
        for _ in range(1200):
            if self.error or (
                len(self.written_rows) >= expected[0] and len(self.seen_rows) >= expected[1]
            ):
                break
            deadline.wait(0.05)
        assert not self.error, self.error
        assert len(self.written_rows) >= expected[0]

    def _go_on(self, does):
        engine = sa.create_engine(self.url, connect_args=_patient(self.url))
        try:
            while not self._stop.wait(0.02):  # SQLite lets whoever waits try again now and then
                with engine.begin() as connection:
                    does(connection)
        except DBAPIError as error:
            self.error = error
        finally:
            engine.dispose()

    def _write(self, connection):
        """A message and a fact of it, in the order in which that release wrote them."""
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("PRAGMA busy_timeout = 20000")
        number = len(self.written_rows)
        seq = connection.execute(
            sa.text(
                "UPDATE participant SET last_seq = last_seq + 1 WHERE subject = 'P-001'"
                " RETURNING last_seq"
            )
        ).scalar()
        connection.execute(
            sa.text(
                "INSERT INTO fact (subject, seq, id, message, received_at, observed_at, kind,"
                " payload) VALUES ('P-001', :seq, :id, 'm', '2026-06-01T00:00:00.000000Z',"
                " '2026-06-01T00:00:00.000000Z', 'observation', '{}')"
            ),
            {"seq": seq, "id": f"f-{number}"},
        )
        self.written_rows.append(seq)

    def _read_rows(self, connection):
        query = "SELECT count(*), max(last_seq) FROM participant"
        self.seen_rows.append(connection.execute(sa.text(query)).one())


def _patient(url):
    return {"timeout": 20} if url.startswith("sqlite") else {}


def test_readers_and_writers_go_on_meanwhile(previous):
    with LiveService(previous) as live_service:
        steps = aegis("migrate")
        assert steps.returncode == 0, steps.stderr
        live_service.go_on()
    assert live_service.error is None
    assert live_service.written_rows == sorted(set(live_service.written_rows))
    db = Database.open(previous)
    with db.read() as conn:
        assert schema.find_revisions(conn) == (find_head(),)
        counts = conn.exec_driver_sql("SELECT count(*) FROM fact WHERE message = 'm'").scalar()
    db.close()
    assert counts == len(live_service.written_rows)


@pytest.mark.server
@pytest.mark.parametrize("previous", ["postgres"], indirect=True)
def test_one_that_is_blocked_gives_up_and_leaves_all_as_it_was(previous):
    earlier = state_of(previous)
    engine = sa.create_engine(previous)
    with engine.begin() as blocker:
        blocker.exec_driver_sql("SELECT count(*) FROM participant")  # and never commits
        steps = aegis("migrate", AEGIS_DATABASE_URL=previous)
        assert steps.returncode == 2
        assert "another transaction holds a lock" in steps.stderr
        assert "run `aegis migrate` again" in steps.stderr
        assert "Traceback" not in steps.stderr
    engine.dispose()
    assert state_of(previous) == earlier
    second_run = aegis("migrate", AEGIS_DATABASE_URL=previous)
    assert second_run.returncode == 0, second_run.stderr


@pytest.mark.server
@pytest.mark.parametrize("previous", ["postgres"], indirect=True)
def test_two_at_once_wait_for_each_other(previous):
    command = [sys.executable, "-m", "services.cli.main", "migrate"]
    migrations = [
        subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, "AEGIS_DATABASE_URL": previous},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for _ in range(2)
    ]
    for item in migrations:
        text, _ = item.communicate(timeout=120)
        assert item.returncode == 0, text


def test_a_database_that_was_not_migrated_or_is_newer_starts_no_service(previous):
    steps = aegis("run", "rules")
    assert steps.returncode == 2
    if not previous.startswith("sqlite"):
        assert "at revision 0001" in steps.stderr
        assert "run `aegis migrate`" in steps.stderr
    assert main(["migrate"]) == 0
    engine = sa.create_engine(previous)
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    engine.dispose()
    for words in (("run",), ("migrate",)):
        steps = aegis(*words)
        assert steps.returncode == 2
        assert "revision 9999, which this version of Aegis does not know" in steps.stderr
        assert "Traceback" not in steps.stderr


@pytest.mark.server
def test_a_database_that_sorts_by_a_language_is_refused(postgres_server, tmp_path):
    other_item = (
        "TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'de' LC_COLLATE 'C' LC_CTYPE 'C'"
    )
    with made_on(postgres_server, other_item) as url:
        steps = aegis("migrate", AEGIS_DATABASE_URL=url, AEGIS_DATA=str(tmp_path))
        assert steps.returncode == 2
        assert "the database sorts text by de" in steps.stderr
        assert "createdb --template=template0 --locale=C" in steps.stderr


def test_without_its_keys_a_database_is_not_opened(previous, tmp_path):
    (tmp_path / "keys").rename(tmp_path / "elsewhere")
    for words in (("migrate",), ("run",)):
        steps = aegis(*words)
        assert steps.returncode == 2
        if not (previous.startswith("postgres") and words == ("run",)):
            assert f"no keys in {tmp_path / 'keys'}" in steps.stderr
            assert "AEGIS_KEYS" in steps.stderr
    assert not (tmp_path / "keys").exists()
