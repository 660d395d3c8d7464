"""Stored data queries are what folding the journal gives, or are not used."""

from datetime import timedelta
from threading import Event

import pytest
from msgspec.structs import replace

from services.safety_rules.application.fold_participants import FoldRequest
from services.safety_rules.application.store_queries import store_queries
from services.safety_rules.reports import advice_now
from services.safety_rules.reports.verify import find_all_mismatches
from services.store.participant_queries import load_current_queries, load_queries
from services.store.participants import find_last_received
from services.vocabulary.clinical_fact import Action, Administration, Death, Movement, Transplant
from services.vocabulary.identity_change import Merge
from tests.helpers.fact_notes import fact, hours, lab
from tests.helpers.timeline import STUDY, Timeline

pytestmark = pytest.mark.slow

TICK = timedelta(microseconds=1)
REQUEST = FoldRequest(hours(0))
PRESSOR = Administration("norepinephrine", Action.START)


@pytest.fixture
def trial(tmp_path):
    timeline = Timeline(tmp_path)
    timeline.treat("P-001", "P-002")
    timeline.advance_to(0)
    assert timeline.rules.store_queries()
    yield timeline
    timeline.close()


def find_current(trial, as_of=None):
    with trial.db.read() as conn:
        version = trial.rules.rules.version
        return load_current_queries(conn, STUDY, version, as_of or trial.clock_time)


def list_queries(trial, as_of=None):
    with trial.db.read() as conn:
        rules = trial.rules.rules
        return list(advice_now.list_queries(conn, rules, as_of or trial.clock_time))


def list_folded(trial, monkeypatch, as_of=None):
    with monkeypatch.context() as patch:
        patch.setattr(advice_now, "load_current_queries", lambda *_: {})
        return list_queries(trial, as_of)


def list_stored(trial, monkeypatch, as_of=None):
    """Return the queries, when nobody has to be folded for them."""
    with monkeypatch.context() as patch:
        patch.delattr(advice_now.journal, "load_facts_as_of")
        return list_queries(trial, as_of)


def store_all(trial):
    while store_queries(trial.db, trial.rules.rules, trial.rules.cache, REQUEST, rebuilt=1):
        pass


CHANGES = {
    "nothing": [],
    "an impossible number": [lab("sodium", "1400", 2, "mmol/L", lln="135", uln="145")],
    "a pressor without an end": [fact(PRESSOR, 2)],
    "a discharge on a pressor": [fact(PRESSOR, 2), fact(Movement("discharge"), 3)],
    "a pressor that is dated ahead": [fact(PRESSOR, 30)],
    "a death on a pressor": [fact(PRESSOR, 2), fact(Death(), 120)],
    "a death soon after the pressor": [fact(PRESSOR, 2), fact(Death(), 60)],
    "two dates of a transplant": [fact(Transplant("haploidentical"), -77 * 24)],
    "a merge": [
        fact(PRESSOR, 2),
        *(fact(Merge("P-001", "P-002"), 3, subject=who, name=who) for who in ("P-001", "P-002")),
    ],
}


@pytest.mark.parametrize("facts", CHANGES.values(), ids=CHANGES)
def test_the_stored_queries_are_those_of_a_fold_at_any_time_after(trial, monkeypatch, facts):
    for one in facts:
        trial.say(replace(one, reported_at=hours(3)))
    trial.clock_time = hours(4)
    trial.rules.step()
    store_all(trial)
    with trial.db.read() as conn:
        known_at = find_last_received(conn, STUDY)
    for instant in (known_at, *map(hours, (30, 74, 74.1, 102, 102.1, 500))):
        as_of = max(instant, known_at)
        assert list_stored(trial, monkeypatch, as_of) == list_folded(trial, monkeypatch, as_of)
    with trial.db.read() as conn:
        assert list(find_all_mismatches(conn, trial.rules.rules, history=True)) == []


def test_a_support_lapses_at_its_instant_without_a_fact(trial, monkeypatch):
    trial.say(fact(PRESSOR, 2))
    trial.advance_to(4)
    store_all(trial)
    lapse = hours(2) + trial.rules.rules.protocol.bedside.support_stays
    counts = []
    for instant in (lapse - TICK, lapse, lapse + TICK):
        queries = list_stored(trial, monkeypatch, instant)
        assert queries == list_folded(trial, monkeypatch, instant)
        counts.append(sum("no charted end" in one.problem for one in queries))
    assert counts == [0, 0, 1]


def test_a_newer_fact_makes_the_queries_of_its_participant_old(trial, monkeypatch):
    trial.say(lab("sodium", "1400", 2, "mmol/L", lln="135", uln="145"))
    assert find_current(trial).keys() == {"P-002"}
    assert list_queries(trial) == list_folded(trial, monkeypatch)
    trial.advance_to(2)
    assert find_current(trial).keys() == {"P-002"}
    store_all(trial)
    assert find_current(trial).keys() == {"P-001", "P-002"}
    assert find_current(trial, trial.clock_time - TICK).keys() == {"P-002"}
    assert any("1400" in query.problem for query in list_stored(trial, monkeypatch))


@pytest.mark.parametrize(
    "change", ["rules_version = 'other'", "folded_through = folded_through - 1"]
)
def test_queries_of_other_rules_or_fewer_facts_are_not_used_and_stored_anew(trial, change):
    with trial.db.write() as conn:
        conn.exec_driver_sql(f"UPDATE participant_queries SET {change} WHERE subject = 'P-001'")  # noqa: S608 - fixed words
    assert find_current(trial).keys() == {"P-002"}
    store_all(trial)
    assert find_current(trial).keys() == {"P-001", "P-002"}


def test_who_cannot_be_folded_waits(trial):
    trial.say(lab("sodium", "1400", 2, "mmol/L", lln="135", uln="145"))
    trial.advance_to(2)
    with trial.db.write() as conn:
        conn.exec_driver_sql("UPDATE participant_state SET quarantined_seq = 9")
    store_all(trial)
    assert find_current(trial).keys() == {"P-002"}


def test_the_worker_looks_again_a_minute_after_none_was_left(trial):
    assert not trial.rules.store_queries()
    trial.say(lab("sodium", "1400", 0, "mmol/L", lln="135", uln="145"))
    trial.rules.step()
    trial.clock_time = hours(0) + timedelta(minutes=1) - TICK
    assert not trial.rules.store_queries()
    trial.clock_time += TICK
    assert trial.rules.store_queries()
    assert find_current(trial).keys() == {"P-001", "P-002"}


def test_a_worker_that_is_asked_to_end_stores_what_it_has_at_hand(trial):
    trial.say(lab("sodium", "1400", 2, "mmol/L", lln="135", uln="145"))
    trial.rules.step()
    assert find_current(trial).keys() == {"P-002"}
    stop = Event()
    stop.set()
    trial.rules.run(stop)
    assert find_current(trial).keys() == {"P-001", "P-002"}


def test_those_of_whom_something_has_just_come_may_wait(trial):
    trial.say(lab("sodium", "1400", 2, "mmol/L", lln="135", uln="145"))
    trial.advance_to(2)
    rules, cache = trial.rules.rules, trial.rules.cache
    assert not store_queries(trial.db, rules, cache, REQUEST, rebuilt=1, received_before=hours(2))
    assert store_queries(
        trial.db, rules, cache, REQUEST, rebuilt=1, received_before=hours(2) + TICK
    )


def test_no_history_is_rebuilt_beyond_what_is_asked_for(trial):
    trial.say(lab("sodium", "1400", 2, "mmol/L", lln="135", uln="145"))
    trial.advance_to(2)
    empty_cache = trial.rules.cache.make_empty()
    assert not store_queries(trial.db, trial.rules.rules, empty_cache, REQUEST, rebuilt=0)
    assert store_queries(trial.db, trial.rules.rules, empty_cache, REQUEST, rebuilt=1)


def test_verify_tells_of_queries_that_are_not_what_the_facts_say(trial):
    with trial.db.write() as conn:
        conn.exec_driver_sql(
            "UPDATE participant_queries SET payload = '[]' WHERE subject = 'P-001'"
        )
    with trial.db.read() as conn:
        assert load_queries(conn, ["P-001"])["P-001"].periods == ()
        mismatches = list(find_all_mismatches(conn, trial.rules.rules, history=False))
    assert [(one.participant, one.problem) for one in mismatches] == [
        ("P-001", "data queries are not what the facts say")
    ]
