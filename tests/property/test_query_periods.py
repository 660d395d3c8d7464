"""The periods of data queries say at any instant what is asked then."""

from datetime import timedelta
from random import Random

import pytest

from tests.helpers.fact_notes import hours
from tests.helpers.random_trials import trial
from tests.property.test_order_independence import fold_messages

TICK = timedelta(microseconds=1)
FEW_SEEDS, ALL_SEEDS = (1, 7, 18), range(30)
SEEDS = [
    *FEW_SEEDS,
    *(pytest.param(seed, marks=pytest.mark.slow) for seed in ALL_SEEDS if seed not in FEW_SEEDS),
]


def list_folds(seed):
    facts = trial(seed)
    for family in fold_messages(facts, [(one.subject, [one]) for one in facts]):
        yield from (fold for member in family.members if (fold := family.find_fold(member)))


@pytest.mark.parametrize("seed", SEEDS)
def test_a_period_holds_from_its_first_instant_to_the_last_before_the_next(seed):
    chance = Random(seed)
    for fold in list_folds(seed):
        since = hours(chance.randrange(-200, 1500))
        periods = fold.list_query_periods(since)
        assert [one.since for one in periods] == [since, *(one.until for one in periods[:-1])]
        for one in periods:
            end = one.until or one.since + timedelta(days=4000)
            later = one.since + chance.random() * (end - one.since)
            for instant in {one.since, min(one.since + TICK, end - TICK), later, end - TICK}:
                assert tuple(fold.list_queries(instant)) == one.queries


def test_some_queries_come_by_time_alone():
    counts = [
        len({one.queries for one in fold.list_query_periods(hours(0))})
        for seed in FEW_SEEDS
        for fold in list_folds(seed)
    ]
    assert max(counts) > 1
