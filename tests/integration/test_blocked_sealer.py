"""A lock that the sealer meets is waited for: no failed seal is logged, and the rest is sealed."""

import io
import json
import sqlite3
import threading
from contextlib import contextmanager

import psycopg
import pytest
from sqlalchemy.exc import OperationalError

from services.runtime import log
from services.store import journal, leases, participants, schema, seal_worker, session
from services.store.held_lease import HeldLease
from services.store.participants import Participant
from services.store.seal_worker import SealWorker
from services.store.session import Database, is_blocked
from tests.helpers.fact_notes import HOUR_ZERO
from tests.helpers.store import arrival, registered_keys


@pytest.fixture
def log_events():
    stream = io.StringIO()
    log.configure_logging(as_json=True, stream=stream)
    return lambda: [json.loads(line)["event"] for line in stream.getvalue().splitlines()]


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.server)])
def url(request, tmp_path, monkeypatch):
    monkeypatch.setattr(session, "BUSY_TIMEOUT_S", 0.1)
    monkeypatch.setitem(session._LIMITS, "lock_timeout", "100ms")  # noqa: SLF001
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/db/aegis.db"
    return request.getfixturevalue("postgres").url


@pytest.fixture
def worker(url, tmp_path):
    db = Database.open(url)
    schema.upgrade(db)
    keys = registered_keys(db, tmp_path / "keys")
    with db.write() as conn:
        participants.add_participants(conn, [Participant("P-001", "T", "S1")], HOUR_ZERO)
    yield SealWorker(HeldLease(db, "sealer", "sealer", lambda: HOUR_ZERO), keys)
    db.close()


@contextmanager
def hold_lock(url):
    """Hold, as another process would, the lock that a seal needs."""
    if url.startswith("sqlite"):
        connection = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
        connection.execute("BEGIN IMMEDIATE")
    else:
        connection = psycopg.connect(url.replace("+psycopg", ""))
        connection.execute("LOCK TABLE lease IN ACCESS EXCLUSIVE MODE")
    try:
        yield
    finally:
        connection.close()


def count_unsealed(worker):
    db = worker._lease.db  # noqa: SLF001
    with db.read() as conn:
        query = (
            "SELECT count(*) FROM audit WHERE place <> 'audit_seal'"
            " AND id > coalesce((SELECT max(upto) FROM audit_seal), 0)"
        )
        return conn.exec_driver_sql(query).scalar_one()


def seal_rounds(worker, count=3):
    for _ in range(count):  # on a server what one round has seen settles in the next
        worker.seal()


def test_what_a_lock_kept_back_is_sealed_in_a_later_round_and_nothing_is_said(
    worker, url, log_events
):
    seal_rounds(worker)
    _append(worker)
    waiting_count = count_unsealed(worker)
    assert waiting_count
    with hold_lock(url):
        seal_rounds(worker)
        assert count_unsealed(worker) == waiting_count
    seal_rounds(worker)
    assert count_unsealed(worker) == 0
    assert log_events() == []


@pytest.fixture
def blocked_worker(worker, url, monkeypatch):
    """A sealer that meets a lock, and the seconds of its clock, which a test moves."""
    now_s = [0.0]
    with hold_lock(url):
        monkeypatch.setattr(seal_worker.time, "monotonic", lambda: now_s[0])
        yield worker, now_s
        monkeypatch.undo()


@pytest.mark.parametrize(("minutes", "expected"), [(0.9, 0), (1, 1), (1.9, 1), (3, 2)])
def test_a_long_wait_is_said_once_a_minute(blocked_worker, log_events, minutes, expected):
    worker, now_s = blocked_worker
    for now_s[0] in (0.0, 60.0 * min(minutes, 1.5), 60.0 * minutes):
        worker.seal()
    assert log_events() == ["seal_waits"] * expected


def test_the_end_does_not_wait_for_a_lock_that_stays(worker, url, log_events):
    stop = threading.Event()
    stop.set()
    with hold_lock(url):
        thread = threading.Thread(target=worker.run, args=(stop,))
        thread.start()
        thread.join(10)
        assert not thread.is_alive()
    assert log_events() == []


@pytest.mark.parametrize("holder", ["sealer", "one that has ended"])
def test_the_end_leaves_no_row_without_a_seal(worker, holder):
    lease = HeldLease(worker._lease.db, "sealer", holder, lambda: HOUR_ZERO)  # noqa: SLF001
    with lease.db.write() as conn:
        assert lease.take(conn)
    lease.expire()
    _append(worker)
    stop = threading.Event()
    stop.set()
    worker.run(stop)
    assert count_unsealed(worker) == 0
    with lease.db.read() as conn:  # who comes next need not wait
        assert not leases.is_held(conn, ["sealer"], HOUR_ZERO)


def test_another_failure_is_still_logged(worker, log_events, monkeypatch):
    def fail(*_args):
        raise OperationalError("", {}, ConnectionError("nobody answers"))

    monkeypatch.setattr(seal_worker, "seal_new_rows", fail)
    worker.seal()
    assert log_events() == ["seal_failed"]


def _sqlite_error(code):
    error = sqlite3.OperationalError("said")
    error.sqlite_errorcode = code
    return error


def _server_error(state):
    return psycopg.errors.lookup(state)("said")


@pytest.mark.parametrize(
    ("cause", "expected"),
    [
        (_sqlite_error(sqlite3.SQLITE_BUSY), True),
        (_sqlite_error(sqlite3.SQLITE_BUSY_SNAPSHOT), True),
        (_sqlite_error(sqlite3.SQLITE_LOCKED), True),
        (_sqlite_error(sqlite3.SQLITE_FULL), False),
        (_sqlite_error(sqlite3.SQLITE_READONLY), False),
        (_server_error("55P03"), True),  # lock not available
        (_server_error("40P01"), True),  # deadlock
        (_server_error("40001"), True),  # serialization failure
        (_server_error("57014"), False),  # the statement took too long
        (_server_error("42501"), False),  # no right
        (ConnectionError("nobody answers"), False),
    ],
)
def test_a_lock_is_told_from_another_failure(cause, expected):
    assert is_blocked(cause) == expected
    assert is_blocked(OperationalError("", {}, cause)) == expected


def _append(worker):
    with worker._lease.db.write() as conn:  # noqa: SLF001
        journal.append_arrivals(conn, worker._keys, [arrival("late", HOUR_ZERO)])  # noqa: SLF001
