"""The store keeps the same promises on SQLite and on PostgreSQL."""

import threading
import time
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest
from sqlalchemy import func, select

from services.runtime import topic_names
from services.store import (
    alerts,
    api_keys,
    audit,
    audit_anchor,
    journal,
    leases,
    outbox,
    parking,
    participant_advice,
    participant_order,
    participant_queries,
    participants,
    positions,
    records,
    schema,
    seal_worker,
    states,
    tables,
    timers,
)
from services.store.held_lease import HeldLease
from services.store.integrity import find_faults
from services.store.participant_queries import QueriesRow
from services.store.participants import Participant
from services.store.positions import PositionTracker
from services.store.seal_chain import SettledIds, check_chain
from services.store.session import Database, DatabaseError
from services.store.states import StateRow
from services.vocabulary.data_query import Query, QueryPeriod
from services.vocabulary.identity_change import Merge
from services.vocabulary.recommendation import Advice, AdviceKind, AdvicePeriod
from tests.helpers.fact_notes import HOUR_ZERO, fact, hours
from tests.helpers.store import (
    ALERT,
    DELIVERY,
    EPISODE,
    STANDING,
    arrival,
    fill,
    message,
    parked_row,
    registered_keys,
)

PEOPLE = ("P-001", "P-002", "P-003")


class Store:
    """A migrated database and its keys."""

    def __init__(self, url, folder):
        self.db = Database.open(url, has_relay=True)
        schema.upgrade(self.db)
        self.keys = registered_keys(self.db, folder / "keys")

    def enrol(self, *people):
        with self.db.write() as conn:
            participants.add_participants(
                conn, [Participant(p, "T", "S1") for p in people], HOUR_ZERO
            )

    def append(self, *arrivals):
        with self.db.write() as conn:
            journal.append_arrivals(conn, self.keys, arrivals)

    def seal(self, settled_ids):
        seal_worker.seal_new_rows(
            HeldLease(self.db, "sealer", "sealer", lambda: HOUR_ZERO), self.keys, settled_ids
        )

    def sealed_upto(self):
        with self.db.read() as conn:
            return conn.exec_driver_sql("SELECT max(upto) FROM audit_seal").scalar() or 0

    def list_known(self, subject):
        with self.db.read() as conn:
            return [(k.seq, k.received_at) for k in journal.load_facts_between(conn, subject, 0)]


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.server)])
def store(request, tmp_path):
    """A store of each kind, empty."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path}/data/aegis.db"
    else:
        url = request.getfixturevalue("postgres").url
    opened_store = Store(url, tmp_path)
    yield opened_store
    opened_store.db.close()


def merge(name, merged_name, survivor, observed_at=HOUR_ZERO, **fields):
    """A message that makes *merged_name* and *survivor* one person, in both journals."""
    facts = tuple(
        fact(Merge(merged_name, survivor, **fields), observed_at, name=f"{name}-{who}", subject=who)
        for who in sorted((merged_name, survivor))
    )
    return journal.Arrival(message(name, observed_at), facts)


@pytest.mark.part11("11.10(a)")
def test_what_is_written_in_every_table_is_in_order(store):
    with store.db.write() as conn:
        fill(conn, store.keys)
    with store.db.read() as conn:
        assert list(find_faults(lambda: conn, store.keys)) == []


def test_the_schema_is_what_the_code_says(store):
    with store.db.write() as conn:
        schema.check_tables(conn)


def test_facts_are_numbered_without_a_gap_and_known_in_that_order(store):
    store.enrol(*PEOPLE)
    store.append(
        arrival("m1", HOUR_ZERO, ("P-001", "P-002", "P-001")), arrival("m2", HOUR_ZERO, ("P-001",))
    )
    store.append(arrival("m3", HOUR_ZERO - timedelta(hours=5), ("P-001", "P-003")))
    microsecond = timedelta(microseconds=1)
    assert store.list_known("P-001") == [
        (1, HOUR_ZERO),
        (2, HOUR_ZERO),
        (3, HOUR_ZERO + microsecond),
        (4, HOUR_ZERO + 2 * microsecond),
    ]
    assert store.list_known("P-002") == [(1, HOUR_ZERO)]
    assert store.list_known("P-003") == [
        (1, HOUR_ZERO + 2 * microsecond)
    ]  # as the message about both


def test_the_merged_share_one_order_of_knowing_from_then_on(store):
    store.enrol(*PEOPLE)
    store.append(arrival("m1", hours(5), ("P-001",)))
    store.append(merge("m2", "P-002", "P-001", hours(1)))
    store.append(arrival("m3", hours(2), ("P-002",)), arrival("m4", hours(2), ("P-003",)))
    microsecond = timedelta(microseconds=1)
    assert [at for _, at in store.list_known("P-001")] == [hours(5), hours(5) + microsecond]
    assert [at for _, at in store.list_known("P-002")] == [
        hours(5) + microsecond,
        hours(5) + 2 * microsecond,
    ]
    assert [at for _, at in store.list_known("P-003")] == [hours(2)]


@pytest.mark.parametrize("is_undone", [False, True])
def test_a_family_is_all_whom_merges_name_together(store, is_undone):
    store.enrol("P-004", *PEOPLE)
    store.append(merge("m1", "P-003", "P-002", undone=is_undone))
    store.append(merge("m2", "P-002", "P-004"))
    with store.db.read() as conn:
        families = participant_order.find_families(conn, ["P-003", "P-001"])
        assert families == [("P-001",), ("P-002", "P-003", "P-004")]
        assert list(find_faults(lambda: conn, store.keys)) == []


def test_what_comes_after_time_was_told_is_known_later(store):
    store.enrol(*PEOPLE)
    store.append(arrival("m1", HOUR_ZERO, ("P-001",)))
    with store.db.write() as conn:
        assert participant_order.record_told_until(conn, [("P-001", 1, hours(30))])
    store.append(arrival("m2", hours(1), ("P-001",)), arrival("m3", hours(1), ("P-002",)))
    assert store.list_known("P-001")[-1][1] == hours(30) + timedelta(microseconds=1)
    assert store.list_known("P-002")[-1][1] == hours(1)


def test_time_is_told_to_all_of_them_or_to_none(store):
    store.enrol(*PEOPLE)
    store.append(arrival("m1", HOUR_ZERO, ("P-001", "P-002")))
    with store.db.write() as conn:
        assert participant_order.record_told_until(conn, [])
        told_so = [("P-002", 1, hours(30)), ("P-001", 1, hours(31))]
        assert participant_order.record_told_until(conn, told_so)
        assert not participant_order.record_told_until(
            conn, [*told_so[:1], ("P-001", 2, hours(30))]
        )


@pytest.mark.parametrize("count", [0, 1, 500, 501, 1200])
def test_any_number_of_participants_is_read_at_once(store, count):
    people = [f"P-{number:04d}" for number in range(count)]
    store.enrol(*people)
    with store.db.read() as conn:
        assert list(states.load_states_of(conn, people)) == people
        assert participant_order.find_families(conn, people) == [(one,) for one in people]
        assert records.load_standings(conn, people) == []
        assert alerts.load_alerts(conn, participants=people) == []
        assert journal.find_known_fact_ids(conn, people) == frozenset()
    with store.db.write() as conn:
        assert list(participant_order.lock_participants(conn, reversed(people))) == people


def test_time_is_not_told_to_who_has_not_heard_all(store):
    store.enrol(*PEOPLE)
    store.append(arrival("m1", HOUR_ZERO, ("P-001",)))
    with store.db.write() as conn:
        assert not participant_order.record_told_until(conn, [("P-001", 0, hours(30))])


def test_who_has_moved_has_a_new_fact_or_a_step(store):
    tracker = PositionTracker()

    def find_moved():
        with store.db.read() as conn:
            return tracker.find_moved(conn, "T")

    def step(subject, folded_through):
        with store.db.write() as conn:
            state = states.load_state(conn, subject)
            assert states.advance(conn, state, replace(state, folded_through=folded_through))

    store.enrol(*PEOPLE)
    assert find_moved() == set()
    store.append(arrival("m1", HOUR_ZERO, ("P-001", "P-003")))
    assert find_moved() == {"P-001", "P-003"}
    assert tracker.last_received_at == HOUR_ZERO
    step("P-003", 1)
    assert find_moved() == {"P-003"}
    step("P-002", 0)  # by a timer, say: nothing was stored about the participant
    assert find_moved() == {"P-002"}
    store.append(arrival("m2", HOUR_ZERO, ("P-002",)))  # at the instant of the fact before
    step("P-002", 1)
    step("P-001", 1)
    assert find_moved() == {"P-001", "P-002"}
    store.append(arrival("m3", hours(-2), ("P-001",)))  # by another process, later than it says
    assert find_moved() == {"P-001"}
    assert find_moved() == set()
    with store.db.read() as conn:
        assert positions.list_positions(conn, "ANOTHER") == {
            "steps 1 P-001",
            "steps 2 P-002",
            "steps 1 P-003",
        }


def test_of_two_steps_from_one_state_the_second_is_refused(store):
    old_state = StateRow("P-001")
    for _ in range(2):
        with store.db.write() as conn:
            assert states.advance(
                conn, old_state, replace(old_state, folded_through=old_state.folded_through + 1)
            )
            second_state = replace(old_state, folded_through=99)
            assert not states.advance_all(
                conn, [(old_state, second_state), (StateRow("P-002"), second_state)]
            )
            conn.rollback()
        with store.db.write() as conn:
            assert states.advance(
                conn, old_state, replace(old_state, folded_through=old_state.folded_through + 1)
            )
        with store.db.read() as conn:
            current_state = states.load_state(conn, "P-001")
        assert (current_state.version, current_state.folded_through) == (
            old_state.version + 1,
            old_state.folded_through + 1,
        )
        old_state = current_state


def test_many_states_advance_together(store):
    many_states = [StateRow(f"P-{number:03d}") for number in range(60)]
    for version in (1, 2):
        with store.db.write() as conn:
            assert states.advance_all(
                conn, [(one, replace(one, folded_through=7)) for one in many_states]
            )
        with store.db.read() as conn:
            many_states = states.load_states(conn)
        assert {(one.version, one.folded_through) for one in many_states} == {(version, 7)}


def test_a_lease_has_one_holder(store):
    with store.db.write() as conn:
        assert leases.acquire_lease(conn, "relay", "one", HOUR_ZERO, 6)
        assert not leases.acquire_lease(conn, "relay", "other", HOUR_ZERO + timedelta(seconds=5), 6)
        assert leases.acquire_lease(conn, "relay", "other", HOUR_ZERO + timedelta(seconds=7), 6)
        assert not leases.acquire_lease(conn, "relay", "one", HOUR_ZERO + timedelta(seconds=8), 6)


def test_advice_is_current_until_its_participant_has_more_facts_or_time_changes_it(store):
    store.enrol(*PEOPLE)
    store.append(arrival("m1", hours(1), ("P-001",)), arrival("m2", hours(2), ("P-002",)))
    advice = (Advice("P-001", AdviceKind.DOSE, "crs", 3, "withhold", hours(1)),)
    with store.db.write() as conn:
        for subject in ("P-001", "P-002"):
            state = StateRow(subject, 1, rules_version="rules-1", digest="d")
            assert states.advance(conn, StateRow(subject), state)
        no_advice, some_advice = AdvicePeriod(hours(3), ()), AdvicePeriod(hours(1), advice)
        participant_advice.replace_advice(conn, {"P-002": no_advice})
        participant_advice.replace_advice(conn, {"P-002": some_advice, "P-001": some_advice})
        participant_advice.replace_advice(conn, {"P-002": no_advice})
        timers.set_timers(conn, {"P-002": {timers.ADVICE: hours(5), "standing": hours(3)}})

    def find_current(instant, version="rules-1", study="T"):
        with store.db.read() as conn:
            return participant_advice.load_current_advice(conn, study, version, instant)

    assert find_current(hours(1)) == {"P-001": advice}
    assert find_current(hours(3) - timedelta(microseconds=1)) == {"P-001": advice}
    assert find_current(hours(3)) == {"P-001": advice, "P-002": ()}
    assert find_current(hours(4)) == {"P-001": advice, "P-002": ()}
    assert find_current(hours(5)) == {"P-001": advice}
    assert find_current(hours(4), "rules-2") == find_current(hours(4), study="U") == {}
    store.append(arrival("m3", hours(6), ("P-001",)))
    assert find_current(hours(9)) == {}


def test_queries_are_current_until_their_participant_has_more_facts_or_their_time_is_over(store):
    store.enrol(*PEOPLE)
    store.append(arrival("m1", hours(1), ("P-001",)), arrival("m2", hours(2), ("P-002",)))
    tick = timedelta(microseconds=1)
    asked = (Query("two dates", ("f1",), "P-001"),)
    periods = (QueryPeriod(hours(1), hours(3), ()), QueryPeriod(hours(3), hours(7), asked))

    def find_outdated(before=None, version="rules-1"):
        with store.db.read() as conn:
            return participant_queries.find_outdated_subjects(conn, "T", version, before)

    def find_current(instant, version="rules-1", study="T"):
        with store.db.read() as conn:
            return participant_queries.load_current_queries(conn, study, version, instant)

    assert find_outdated() == []  # nobody is folded
    with store.db.write() as conn:
        for subject in ("P-001", "P-002"):
            state = StateRow(subject, 1, rules_version="rules-1", digest="d")
            assert states.advance(conn, StateRow(subject), state)
    assert find_outdated() == ["P-001", "P-002"]
    assert find_outdated(hours(2)) == ["P-001"]
    assert find_outdated(version="rules-2") == []
    with store.db.write() as conn:
        row = QueriesRow("P-001", 1, "rules-1", periods)
        participant_queries.replace_queries(conn, [replace(row, periods=())])
        participant_queries.replace_queries(conn, [row, QueriesRow("P-002", 1, "rules-0", ())])
        participant_queries.replace_queries(conn, [row])  # the trail has no change that is none
    with store.db.read() as conn:
        assert participant_queries.load_queries(conn, ["P-001", "P-003"]) == {"P-001": row}
        assert not list(find_faults(lambda: conn, store.keys))
    assert find_outdated() == ["P-002"]
    assert find_current(hours(1)) == find_current(hours(3) - tick) == {"P-001": ()}
    assert find_current(hours(3)) == find_current(hours(7) - tick) == {"P-001": asked}
    assert find_current(hours(0)) == find_current(hours(7)) == {}
    assert find_current(hours(4), "rules-0") == {"P-002": ()}
    assert find_current(hours(4), study="U") == {}
    store.append(arrival("m3", hours(6), ("P-001",)))
    assert find_current(hours(6)) == {}


def test_timers_are_those_that_were_set_last(store):
    with store.db.write() as conn:
        timers.set_timers(
            conn, {"P-001": {"a": HOUR_ZERO, "b": hours(1)}, "P-002": {"a": hours(2)}}
        )
        timers.set_timers(conn, {"P-001": {"b": hours(3), "c": HOUR_ZERO}})
    with store.db.read() as conn:
        due = [(one.owner, one.purpose) for one in timers.load_due_timers(conn, hours(2))]
        assert due == [("P-001", "c"), ("P-002", "a")]
        assert timers.load_timers(conn, "P-001") == {"b": hours(3), "c": HOUR_ZERO}


def test_every_message_is_announced_once_for_each_participant(store):
    store.enrol(*PEOPLE)
    store.append(
        arrival("m1", HOUR_ZERO, ("P-001", "P-002", "P-001")), arrival("m2", HOUR_ZERO, ("P-001",))
    )
    with store.db.read() as conn:
        rows = outbox.load_announcements(conn, 0, 10)
    assert [(row.topic, row.key) for row in rows] == [
        (topic_names.FACTS, "P-001"),
        (topic_names.FACTS, "P-002"),
        (topic_names.FACTS, "P-001"),
    ]
    with store.db.write() as conn:
        outbox.delete_announcements(conn, [rows[0].id])
    with store.db.read() as conn:
        assert outbox.load_announcements(conn, 0, 10) == rows[1:]
        assert outbox.load_announcements(conn, rows[1].id, 10) == rows[2:]


def test_where_no_relay_is_nothing_is_announced(store):
    quiet = Database.open(store.db.url)
    store.enrol(*PEOPLE)
    with quiet.write() as conn:
        journal.append_arrivals(conn, store.keys, [arrival("m1")])
        outbox.announce(conn, topic_names.STANDINGS, [("T", "{}")])
    with quiet.read() as conn:
        assert outbox.count_announcements(conn) == 0
    quiet.close()


@pytest.mark.parametrize("count", [1, 40])
def test_a_row_that_is_there_is_refused_whatever_the_count(store, count):
    store.enrol("P-001")
    store.append(*(arrival(f"m{number}", HOUR_ZERO, ("P-001",)) for number in range(count)))
    with pytest.raises(DatabaseError) as refusal:
        store.append(*(arrival(f"m{number}", HOUR_ZERO, ("P-001",)) for number in range(count)))
    assert message("m0").sender not in str(refusal.value)  # no value of the row, but its key
    with store.db.read() as conn:
        assert journal.count_facts(conn) == count


def test_bytes_and_instants_are_read_as_they_were_written(store):
    store.append(*(replace(arrival(f"m{n}", hours(n)), facts=()) for n in range(30)))
    with store.db.read() as conn:
        for number in (0, 29):
            row = journal.load_message(conn, store.keys, f"m{number}")
            assert (row.body, row.received_at) == (message(f"m{number}").body, hours(number))


def test_latest_versions_are_found_for_many_at_once(store):
    store.enrol(*PEOPLE)
    with store.db.write() as conn:
        records.append_episodes(conn, [EPISODE, replace(EPISODE, version=2, cause="changed")])
        rows = [records.StandingRow(replace(STANDING, participant=p), HOUR_ZERO, 1) for p in PEOPLE]
        assert [row.version for row in records.append_standings(conn, rows)] == [1, 1, 1]
        assert records.append_standings(conn, rows) == []
        alerts.upsert_alerts(conn, [ALERT, replace(ALERT, id="a2", participant="P-002")])
    with store.db.read() as conn:
        assert [one.version for one in records.load_latest_episodes(conn)] == [2]
        latest_alerts = alerts.load_alerts(conn, participants=["P-002", "P-003"])
        assert [one.id for one in latest_alerts] == ["a2"]


def test_the_trail_says_of_which_alerts_anything_was_written(store):
    acknowledgement = alerts.AcknowledgementRow("k1", "a2", "anna", "seen", HOUR_ZERO, 3)
    deliveries = [
        replace(DELIVERY, id=f"tried-{attempts}", attempts=attempts) for attempts in (2, 3)
    ]
    trail_ids = []
    with store.db.write() as conn:
        alerts.upsert_alerts(conn, [ALERT, replace(ALERT, id="a2")])
        for write in (
            lambda: alerts.upsert_alerts(conn, [replace(ALERT, id="a2", grade=4)]),
            lambda: alerts.add_deliveries(conn, deliveries[:1]),
            lambda: alerts.add_deliveries(conn, deliveries[1:]),
            lambda: alerts.add_deliveries(conn, [replace(DELIVERY, next_attempt_at=None)]),
            lambda: alerts.append_acknowledgement(conn, acknowledgement),
            lambda: alerts.upsert_alerts(conn, [ALERT]),
        ):
            newest_id = audit.find_newest_id(conn)
            write()
            trail_ids.append(alerts.find_alerts_written_since(conn, newest_id, failing_from=3))
    failing = {DELIVERY.alert}
    assert trail_ids == [{"a2"}, set(), failing, failing, {acknowledgement.alert}, set()]


def test_the_trail_is_sealed_while_others_write(store):
    stop, failures = threading.Event(), []

    def write(writer):
        number = 0
        while not stop.is_set():
            try:
                store.append(replace(arrival(f"{writer}-{number}", HOUR_ZERO), facts=()))
            except DatabaseError as error:
                failures.append(error)
            number += 1

    writers = [threading.Thread(target=write, args=(who,)) for who in "abc"]
    for writer in writers:
        writer.start()
    settled_ids = None if store.db.is_sqlite else SettledIds()
    give_up = time.monotonic() + 60
    while (upto := store.sealed_upto()) <= 10 and time.monotonic() < give_up:
        store.seal(settled_ids)
        time.sleep(0.01)  # whoever writes may have its turn: SQLite gives none
    stop.set()
    for writer in writers:
        writer.join()
    with store.db.read() as conn:
        assert list(check_chain(lambda: conn, store.keys)) == []
    assert upto > 10
    assert not failures


def _discard(conn, participant):
    return parking.resolve_parked(
        conn, ["p1"], resolution="discarded", instant=HOUR_ZERO, actor=participant
    )


def _revoke(conn, participant):
    return api_keys.revoke_api_keys(conn, "S1", HOUR_ZERO, actor=participant)


@pytest.mark.parametrize("closes", [_discard, _revoke])
def test_of_two_who_close_the_same_at_once_one_does_and_is_recorded(store, closes):
    with store.db.write() as conn:
        journal.append_arrivals(
            conn, store.keys, [arrival("m1", HOUR_ZERO, (), [parked_row("p1")])]
        )
        api_keys.add_api_key(conn, "key", "S1", HOUR_ZERO, actor="operator")
    counts = []

    def second():
        with store.db.write() as conn:
            counts.append(closes(conn, "second"))

    waits = threading.Thread(target=second)
    with store.db.write() as conn:
        counts.append(closes(conn, "first"))
        waits.start()
        waits.join(0.5)
    waits.join()
    assert counts == [1, 0]
    with store.db.read() as conn:
        assert list(find_faults(lambda: conn, store.keys)) == []


def test_nobody_else_closes_what_is_held(store):
    with store.db.write() as conn:
        journal.append_arrivals(
            conn, store.keys, [arrival("m1", HOUR_ZERO, (), [parked_row("p1")])]
        )
    counts = {}

    def try_other_holder():
        with store.db.write() as conn:
            counts["other"] = _discard(conn, "other")

    waits = threading.Thread(target=try_other_holder)
    with store.db.write() as conn:
        (row,) = parking.load_parked(conn, hold=True)
        waits.start()
        waits.join(0.5)
        counts["holder"] = _discard(conn, "holder")
    waits.join()
    assert (row.resolution, counts) == ("", {"holder": 1, "other": 0})


@pytest.mark.server
def test_a_seal_leaves_out_what_a_transaction_that_runs_may_still_write(postgres, tmp_path):
    store = Store(postgres.url, tmp_path)
    settled_ids = SettledIds()
    with store.db.write() as slow:  # takes its id, and does not commit yet
        journal.append_arrivals(slow, store.keys, [replace(arrival("slow"), facts=())])
        for number in range(5):
            store.append(replace(arrival(f"m{number}"), facts=()))
            store.seal(settled_ids)
    for _ in range(4):
        store.seal(settled_ids)
    with store.db.read() as conn:
        assert list(check_chain(lambda: conn, store.keys)) == []
        covered_rows = conn.exec_driver_sql(
            "SELECT count(*) FROM audit WHERE key = 'slow'"
            " AND id <= (SELECT max(upto) FROM audit_seal)"
        ).scalar()
    assert covered_rows == 1
    store.db.close()


class _PausedConnection:
    """A connection beside which something happens after its first statement."""

    def __init__(self, conn, happens):
        self._conn, self._happens = conn, [happens]

    def __getattr__(self, name):
        def does(*arguments):
            value = getattr(self._conn, name)(*arguments)
            while self._happens:
                self._happens.pop()()
            return value

        return does


def _last_row_about(store, key):
    with store.db.read() as conn:
        return conn.scalar(select(func.max(tables.audit.c.id)).where(tables.audit.c.key == key))


def _settled_in_the_end(store, settled_ids):
    """Return the last settled row after as many looks as it can take."""
    for _ in range(4):
        with store.db.write() as conn:
            upto = settled_ids.observe(conn)
    return upto


@pytest.mark.server
def test_who_begins_while_the_sealer_looks_is_not_taken_for_settled(postgres, tmp_path):
    store = Store(postgres.url, tmp_path)
    settled_ids = SettledIds()
    with ExitStack() as still_open:

        def begin_and_be_overtaken():
            slow = still_open.enter_context(store.db.write())
            journal.append_arrivals(slow, store.keys, [replace(arrival("slow"), facts=())])
            store.append(replace(arrival("fast"), facts=()))

        with store.db.write() as conn:
            settled_ids.observe(_PausedConnection(conn, begin_and_be_overtaken))
        assert _last_row_about(store, "fast") > _settled_in_the_end(store, settled_ids)
    store.db.close()


@pytest.mark.server
def test_who_began_last_and_is_overtaken_is_not_taken_for_settled(postgres, tmp_path):
    store = Store(postgres.url, tmp_path)
    settled_ids = SettledIds()
    with store.db.write() as slow:
        with store.db.write() as fast:
            timers.set_timers(fast, {"somebody": {"wake": HOUR_ZERO}})
            journal.append_arrivals(slow, store.keys, [replace(arrival("slow"), facts=())])
            journal.append_arrivals(fast, store.keys, [replace(arrival("fast"), facts=())])
        assert _last_row_about(store, "fast") > _settled_in_the_end(store, settled_ids)
    store.db.close()


@pytest.mark.server
def test_facts_about_one_participant_from_two_writers_have_no_gap(postgres, tmp_path):
    store = Store(postgres.url, tmp_path)
    store.enrol("P-001", "P-002")
    failures = []

    def write(writer):
        for number in range(30):
            pair = ("P-001", "P-002") if writer == "a" else ("P-002", "P-001")
            try:
                store.append(arrival(f"{writer}-{number}", HOUR_ZERO, pair))
            except DatabaseError as error:
                failures.append(error)

    writers = [threading.Thread(target=write, args=(who,)) for who in "ab"]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert not failures
    for subject in ("P-001", "P-002"):
        known_facts = store.list_known(subject)
        assert [seq for seq, _ in known_facts] == list(range(1, 61))
        assert all(one < other for (_, one), (_, other) in pairwise(known_facts))
    store.db.close()


@pytest.mark.server
def test_who_joins_a_family_while_another_waits_is_held_too(postgres, tmp_path):
    store = Store(postgres.url, tmp_path)
    store.enrol(*PEOPLE)
    store.append(arrival("m0", hours(9), ("P-003",)))
    began, merge_done = threading.Event(), threading.Event()

    def join_later():
        with store.db.write() as conn:
            journal.append_arrivals(conn, store.keys, [merge("m1", "P-003", "P-001", hours(1))])
            began.set()
            merge_done.wait(1)

    joiner = threading.Thread(target=join_later)
    joiner.start()
    began.wait(5)
    store.append(arrival("m2", hours(2), ("P-001",)))  # waits for P-001
    joiner.join()
    last_of_3, last_of_1 = store.list_known("P-003")[-1][1], store.list_known("P-001")[-1][1]
    assert last_of_1 > last_of_3
    store.db.close()


def test_the_head_and_the_tail_of_the_audit_trail(store):
    store.enrol(*PEOPLE)
    with store.db.read() as conn:
        assert audit_anchor.find_head(conn) is None
        begun_at = conn.scalar(select(func.min(tables.audit.c.at)))
        tail = audit_anchor.find_unsealed_tail(conn)
        assert (tail.since, tail.count) == (begun_at, audit.find_newest_id(conn))
    settled_ids = None if store.db.is_sqlite else SettledIds()
    for _ in range(3):  # on a server rows are settled once those who wrote before have ended
        store.seal(settled_ids)
    with store.db.read() as conn:
        head = audit_anchor.find_head(conn)
        assert head.row == store.sealed_upto()
        assert audit_anchor.Anchor.parse(str(head)) == head
        assert audit_anchor.find_anchor_fault(conn, head) is None
        beyond = replace(head, row=head.row + 1000)
        assert "is older than the anchor" in audit_anchor.find_anchor_fault(conn, beyond)
        another = replace(head, hash="0" * 64)
        assert "is another than that" in audit_anchor.find_anchor_fault(conn, another)
        assert audit_anchor.find_unsealed_tail(conn).count <= len(PEOPLE)  # of leases
