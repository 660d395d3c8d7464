"""The cache of the rules: its size, the order in which it drops families, and unchanged records."""

import gc
import tracemalloc
from dataclasses import replace
from random import Random

import pytest

from benchmarks.material import Material
from services.runtime import wire
from services.runtime.canonical_json import write_canonical
from services.safety_rules.application.cache import Cache, CachedHistory, CacheUses
from services.safety_rules.application.fold_participants import FoldRequest, fold
from services.safety_rules.domain.participant.linked_participants import LinkedParticipants
from services.safety_rules.domain.participant.received_message import (
    ReceivedMessage,
    group_by_message,
)
from services.safety_rules.domain.participant.record_history import RecordHistory
from services.simulator.trial import simulate_trial
from services.store.journal import Arrival, append_arrivals
from services.store.participants import Participant, add_participants
from services.store.records import load_episode_versions, load_latest_standings
from services.store.states import StateRow
from tests.helpers.fact_notes import HOUR_ZERO, hours
from tests.helpers.random_trials import PEOPLE, RULES, trial
from tests.helpers.store import message, new_database


def make_entry(*names, facts=0, version=1):
    rows = tuple(StateRow(name, version=version) for name in names)
    return CachedHistory(RecordHistory(LinkedParticipants(names, RULES), RULES), rows, facts)


ENTRY_BYTES = make_entry("P-001").size_bytes


def test_who_was_used_least_recently_is_dropped_first():
    cache = Cache(2 * ENTRY_BYTES)
    first, second, third = (make_entry(f"P-00{n}") for n in (1, 2, 3))
    cache.put(first)
    cache.put(second)
    assert cache.get(first.states) is first
    cache.put(third)
    assert cache.get(second.states) is None
    assert cache.get(first.states) is first
    assert cache.get(third.states) is third
    assert cache.take_uses() == CacheUses(hits=3, misses=1, evictions=1)
    assert cache.take_uses() == CacheUses()


def test_the_limit_holds_whatever_is_put():
    limit = 10 * make_entry("P-001", facts=100).size_bytes
    chance, cache = Random(7), Cache(limit)
    for _ in range(500):
        cache.put(make_entry(f"P-{chance.randrange(40):03d}", facts=chance.randrange(200)))
        assert cache.size_bytes <= limit
    assert len(cache) > 1


def test_one_family_is_remembered_even_above_the_limit():
    cache, large = Cache(1), make_entry("P-001", facts=1000)
    cache.put(large)
    assert cache.get(large.states) is large


def test_who_grows_is_counted_once_and_who_is_dropped_not_at_all():
    cache = Cache()
    cache.put(make_entry("P-001", facts=10))
    larger_entry = make_entry("P-001", facts=20, version=2)
    cache.put(larger_entry)
    assert (len(cache), cache.size_bytes) == (1, larger_entry.size_bytes)
    cache.drop(("P-001",))
    cache.drop(("P-001",))
    assert (len(cache), cache.size_bytes) == (0, 0)


def test_who_was_moved_on_by_others_is_not_found():
    cache = Cache()
    cache.put(make_entry("P-001", version=1))
    assert cache.get(make_entry("P-001", version=2).states) is None


def test_an_emptied_cache_remembers_nobody_and_keeps_its_limit():
    cache = Cache(2 * ENTRY_BYTES)
    cache.put(make_entry("P-001"))
    emptied_cache = cache.make_empty()
    assert (len(emptied_cache), emptied_cache.size_bytes) == (0, 0)
    for n in range(5):
        emptied_cache.put(make_entry(f"P-00{n}"))
    assert len(emptied_cache) == 2


def everything_said(folder, cache, seed):
    """Every version of every record, and every standing, when facts are folded a few at a time."""
    db, keys = new_database(folder)
    order = sorted(trial(seed), key=lambda fact: (fact.reported_at, fact.id))
    with db.write() as conn:
        add_participants(conn, [Participant(name, "TRIAL", "north") for name in PEOPLE], HOUR_ZERO)
    for batch in (order[at : at + 8] for at in range(0, len(order), 8)):
        with db.write() as conn:
            for fact in batch:
                append_arrivals(
                    conn, keys, [Arrival(message(f"m-{fact.id}", fact.reported_at), (fact,), ())]
                )
        batch_end = max(one.reported_at for one in batch)
        fold(db, RULES, cache, PEOPLE, FoldRequest(batch_end))
    fold(db, RULES, cache, PEOPLE, FoldRequest(hours(1000)))
    with db.read() as conn:
        versions = sorted(map(write_canonical, load_episode_versions(conn)))
        versions += sorted(
            write_canonical(row.standing) for row in load_latest_standings(conn, "TRIAL")
        )
    db.close()
    return versions


@pytest.mark.parametrize("seed", [2, 5, 11])
def test_records_and_their_history_are_the_same_with_a_tiny_cache_as_with_a_large_one(
    tmp_path, seed
):
    tiny, large = Cache(1), Cache()
    with_large = everything_said(tmp_path / "large", large, seed)
    assert everything_said(tmp_path / "tiny", tiny, seed) == with_large
    assert with_large
    assert tiny.take_uses().misses >= large.take_uses().misses


def test_the_estimate_is_within_half_as_much_again_of_what_a_trial_takes(tmp_path):
    material = Material(tmp_path)
    material.trial = simulate_trial(4, seed=7)
    rules = material.context.study.rules
    first, *other_journals = ([m, list(map(write_entry, k))] for m, k in material.journals.items())
    build_history(rules, *first)  # what all participants have in common is there from now on
    beginnings = [
        (m, lines[:count]) for m, lines in other_journals[:2] for count in (1, 10, 30, 150)
    ]
    for members, lines in [*other_journals, *beginnings]:
        tracemalloc.start()
        gc.collect()
        bytes_before, _ = tracemalloc.get_traced_memory()
        history = build_history(rules, members, lines)
        gc.collect()
        takes = tracemalloc.get_traced_memory()[0] - bytes_before
        tracemalloc.stop()
        assert takes / 1.5 < history.size_bytes < takes * 1.5


def test_who_is_dropped_is_freed_at_once_without_a_collection():
    record_history = RecordHistory(LinkedParticipants(PEOPLE, RULES), RULES)
    for seq, fact in enumerate(trial(seed=5)):
        record_history.receive(ReceivedMessage(HOUR_ZERO, fact.subject, seq, (fact,)))
    record_history.take_changes()
    gc.collect()
    gc.disable()
    try:
        del record_history
        assert gc.collect() == 0
    finally:
        gc.enable()


def write_entry(entry):
    return entry, wire.write_fact(entry.fact)


def build_history(rules, members, lines):
    """The cache entry of a family whose facts were read, as a worker reads them."""
    record_history = RecordHistory(LinkedParticipants(members, rules), rules)
    entries = [replace(one, fact=wire.read_fact(line)) for one, line in lines]
    for received_message in group_by_message(entries):
        record_history.receive(received_message)
    record_history.take_changes()
    return CachedHistory(record_history, tuple(map(StateRow, members)), len(entries))
