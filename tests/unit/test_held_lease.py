"""A lease goes to whoever can know that its holder is dead, whatever the clocks say."""

import time
from datetime import timedelta

import pytest

from services.store import held_lease, leases
from services.store.held_lease import FOR_S, HeldLease
from tests.helpers.fact_notes import HOUR_ZERO
from tests.helpers.store import new_database


@pytest.fixture
def passes(monkeypatch):
    """Let seconds pass by the clock that does not jump."""
    now_s = [1000.0]
    monkeypatch.setattr(held_lease.time, "monotonic", lambda: now_s[0])

    def passes(seconds):
        now_s[0] += seconds

    return passes


def test_a_lease_from_the_future_is_taken_when_nobody_has_renewed_it_for_its_length(
    passes, tmp_path
):
    db, _ = new_database(tmp_path)
    fast_lease = HeldLease(db, "relay", "a", lambda: HOUR_ZERO + timedelta(hours=1))
    other_lease = HeldLease(db, "relay", "b", lambda: HOUR_ZERO)
    assert fast_lease.hold()
    for _ in range(3):
        assert not other_lease.hold()
        passes(FOR_S / 3)
    assert not other_lease.hold()
    passes(0.1)
    assert other_lease.hold()


def test_a_lease_that_is_renewed_stays_with_its_holder_whose_clock_is_ahead(passes, tmp_path):
    db, _ = new_database(tmp_path)
    clock = [HOUR_ZERO + timedelta(hours=1)]
    fast_lease = HeldLease(db, "relay", "a", lambda: clock[0])
    other_lease = HeldLease(db, "relay", "b", lambda: HOUR_ZERO)
    for _ in range(10):
        assert fast_lease.hold()
        assert not other_lease.hold()
        passes(FOR_S / 2)
        clock[0] += timedelta(seconds=FOR_S / 2)


def test_a_lease_that_is_over_is_taken_at_once(tmp_path):
    db, _ = new_database(tmp_path)
    assert HeldLease(db, "relay", "a", lambda: HOUR_ZERO).hold()
    later = HeldLease(db, "relay", "b", lambda: HOUR_ZERO + timedelta(seconds=FOR_S))
    assert later.hold()


def test_a_lease_is_kept_while_something_takes_long(passes, monkeypatch, tmp_path):
    monkeypatch.setattr(held_lease, "RENEW_S", 0.02)
    db, _ = new_database(tmp_path)
    clock = [HOUR_ZERO]
    own_lease, other_lease = (HeldLease(db, "alerts", name, lambda: clock[0]) for name in "ab")
    assert own_lease.hold()

    def read_expiry():
        with db.read() as conn:
            return leases.find_lease_end(conn, "alerts")

    def takes_long():
        leases = []
        for _ in range(5):
            expiry = read_expiry()
            clock[0] += timedelta(seconds=FOR_S / 2)  # first: it is written when a renewal is due
            passes(FOR_S / 2)
            while read_expiry() == expiry:
                time.sleep(0.01)
            leases.append(other_lease.hold())
        return leases

    assert own_lease.run_while_held(takes_long) == [False] * 5
