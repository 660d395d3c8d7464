"""A worker that rests hears of what was committed; what it does not hear of, it finds later."""

import threading
import time

import pytest

from services.relay.worker import Relay
from services.runtime.clock import now_utc
from services.runtime.topic_names import STANDINGS
from services.store import outbox
from services.store.alerts import AcknowledgementRow, append_acknowledgement, upsert_alerts
from services.store.held_lease import HeldLease
from services.store.journal import append_arrivals, count_unhandled
from services.store.participants import Participant, add_participants
from services.store.session import Database
from services.store.wakeups import ALERTS_CHANGED, FACTS_CHANGED, OUTBOX_CHANGED, make_wakeups
from tests.helpers.fact_notes import HOUR_ZERO
from tests.helpers.store import ALERT, arrival, new_database, registered_keys
from tests.helpers.timeline import Timeline

LONG_S = 20.0
SOON_S = 5.0  # on a machine that does much else


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.server)])
def db(request, tmp_path):
    if request.param == "sqlite":
        new_database(tmp_path)
        url = f"sqlite:///{tmp_path}/data/aegis.db"
    else:
        url = request.getfixturevalue("postgres").url
    db = Database.open(url, has_relay=True)
    yield db
    db.close()


@pytest.fixture
def stop():
    return threading.Event()


@pytest.fixture
def wakeups(db, stop):
    """Wake-ups that already listen."""
    wakeups = make_wakeups(db, OUTBOX_CHANGED)
    wakeups.rest(stop, 0.0)
    yield wakeups
    wakeups.close()


def time_rest(wakeups, stop, longest_s):
    began_s = time.monotonic()
    wakeups.rest(stop, longest_s)
    return time.monotonic() - began_s


def announce(db):
    with db.write() as conn:
        outbox.announce_hint(conn, ["P-1"])


def test_a_commit_before_the_rest_ends_it_at_once(db, wakeups, stop):
    announce(db)
    assert time_rest(wakeups, stop, LONG_S) < SOON_S


def test_a_commit_during_the_rest_ends_it(db, wakeups, stop):
    timer = threading.Timer(0.3, announce, [db])
    timer.start()
    assert 0.2 < time_rest(wakeups, stop, LONG_S) < SOON_S
    timer.join()


def test_without_a_commit_the_rest_is_as_long_as_it_may_be(wakeups, stop):
    assert 0.6 <= time_rest(wakeups, stop, 0.6) < SOON_S


def test_what_was_rolled_back_wakes_nobody(db, wakeups, stop):
    with db.write() as conn:
        outbox.announce_hint(conn, ["P-1"])
        conn.rollback()
    assert time_rest(wakeups, stop, 0.6) >= 0.6


def test_one_notification_ends_one_rest(db, wakeups, stop):
    announce(db)
    wakeups.rest(stop, LONG_S)
    assert time_rest(wakeups, stop, 0.6) >= 0.6


def test_a_stop_ends_the_rest(wakeups, stop):
    timer = threading.Timer(0.3, stop.set)
    timer.start()
    assert time_rest(wakeups, stop, LONG_S) < SOON_S
    timer.join()


def test_the_first_rest_ends_at_once_as_nobody_listened_before(db, stop):
    wakeups = make_wakeups(db, OUTBOX_CHANGED)
    assert time_rest(wakeups, stop, LONG_S) < SOON_S
    wakeups.close()


@pytest.mark.server
def test_what_was_announced_while_nobody_could_listen_is_found_at_the_next_rest(
    postgres, server_db, stop
):
    wakeups = make_wakeups(server_db, OUTBOX_CHANGED)
    wakeups.rest(stop, 0.0)
    _end_others(postgres)
    announce(server_db)
    wakeups.rest(stop, 0.1)  # finds its connection ended
    assert time_rest(wakeups, stop, LONG_S) < SOON_S
    assert time_rest(wakeups, stop, 0.3) >= 0.3
    wakeups.close()


@pytest.mark.server
def test_a_connection_that_the_server_ended_is_replaced_before_it_is_used(postgres, server_db):
    lease = HeldLease(server_db, "relay", "a", now_utc)
    assert lease.hold()
    _end_others(postgres)
    lease.release()  # an error would leave it
    assert HeldLease(server_db, "relay", "b", now_utc).hold()


@pytest.mark.server
def test_alerts_and_acknowledgements_wake_who_sends_notices(server_db, stop):
    wakeups = make_wakeups(server_db, ALERTS_CHANGED)
    wakeups.rest(stop, 0.0)
    row = AcknowledgementRow("k1", ALERT.id, "dr-west", "", HOUR_ZERO, 4)
    for write, arguments in ((upsert_alerts, [ALERT]), (append_acknowledgement, row)):
        with server_db.write() as conn:
            write(conn, arguments)
        assert time_rest(wakeups, stop, LONG_S) < SOON_S
        with server_db.write() as conn:
            write(conn, arguments)  # as it is already
        assert time_rest(wakeups, stop, 0.5) >= 0.5
    wakeups.close()


@pytest.mark.server
@pytest.mark.parametrize(("has_relay", "channel"), [(False, FACTS_CHANGED), (True, OUTBOX_CHANGED)])
def test_facts_wake_the_relay_or_the_rules_where_there_is_none(
    postgres, tmp_path, stop, has_relay, channel
):
    db = Database.open(postgres.url, has_relay=has_relay)
    keys = registered_keys(db, tmp_path / "keys")
    wakeups = make_wakeups(db, channel)
    wakeups.rest(stop, 0.0)
    with db.write() as conn:
        append_arrivals(conn, keys, [arrival("m1", subjects=())])
    assert time_rest(wakeups, stop, 0.5) >= 0.5
    with db.write() as conn:
        add_participants(conn, [Participant("P-001", "T", "S1")], HOUR_ZERO)
        append_arrivals(conn, keys, [arrival("m2", subjects=("P-001",))])
    assert time_rest(wakeups, stop, LONG_S) < SOON_S
    wakeups.close()
    db.close()


def test_rules_that_rest_hear_of_a_fact_of_their_file(tmp_path, stop):
    trial = Timeline(tmp_path)
    trial.treat("P-001")
    thread = threading.Thread(target=trial.rules.run, args=(stop, LONG_S))
    thread.start()
    try:
        wait_until_folded(trial)
        time.sleep(0.5)
        trial.death("P-001", 1)
        wait_until_folded(trial)
    finally:
        stop.set()
        thread.join()
        trial.close()


def wait_until_folded(trial):
    ends_at_s = time.monotonic() + SOON_S
    while True:
        with trial.db.read() as conn:
            if not count_unhandled(conn):
                return
        assert time.monotonic() < ends_at_s
        time.sleep(0.05)


class _Producer:
    """A producer whose records all are acknowledged at once, and counted."""

    def __init__(self):
        self.sent = threading.Semaphore(0)

    def send(self, *_record, **_content):
        self.sent.release()
        return self

    def get(self, _timeout_s):
        """Return: the record is acknowledged."""

    def flush(self, _limit_s):
        pass

    def close(self, timeout):
        pass


@pytest.fixture
def server_db(postgres):
    db = Database.open(postgres.url, has_relay=True)
    yield db
    db.close()


@pytest.fixture
def start_relay(server_db, stop, capsys):
    """Start a relay that rests for so many seconds; return its producer, once it rests."""
    db = server_db
    threads = []

    def start_relay(idle_s):
        producer = _Producer()
        relay = Relay(db, lambda: producer, "BLINA-HSCT", "a", now_utc)
        threads.append(threading.Thread(target=relay.run, args=(stop, idle_s)))
        threads[0].start()
        announce(db)
        assert producer.sent.acquire(timeout=SOON_S)
        return producer

    yield start_relay
    stop.set()
    threads[0].join()
    assert "relay_failed" not in capsys.readouterr().err


@pytest.mark.server
def test_a_relay_that_rests_hears_of_an_announcement(server_db, start_relay):
    producer = start_relay(LONG_S)
    for _ in range(3):
        time.sleep(0.5)
        announce(server_db)
        assert producer.sent.acquire(timeout=SOON_S)


@pytest.mark.server
@pytest.mark.parametrize("are_cut", [False, True])
def test_a_relay_finds_an_announcement_of_which_no_notification_came(
    postgres, start_relay, are_cut
):
    producer = start_relay(0.5)
    time.sleep(0.7)
    if are_cut:
        _end_others(postgres)
    postgres.query(
        "INSERT INTO outbox (topic, key, payload, at) VALUES (%s, 'BLINA-HSCT', '{}',"
        " '2026-01-01T00:00:00.000000Z')",
        STANDINGS,
    )
    assert producer.sent.acquire(timeout=SOON_S)


def _end_others(postgres):
    postgres.query(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
