"""The same facts give the same records, however they come."""

from random import Random

import pytest

from services.ingest import parked_items
from services.simulator.trial import simulate_trial
from tests.helpers.installation import Installation, messages_of

pytestmark = pytest.mark.slow

TRIAL = simulate_trial(3, seed=5, days=8)  # with a merge, corrections, late results and a CRS


@pytest.fixture(scope="module")
def in_order(tmp_path_factory):
    """The records of a feed as it was sent, message by message."""
    installation = Installation(tmp_path_factory.mktemp("in-order"))
    installation.enrol(TRIAL)
    installation.accept(messages_of(TRIAL), at_once=1)
    installation.settle()
    assert installation.find_mismatches() == []
    return installation.canonical()


def test_the_trial_has_something_to_say(in_order):
    assert len(in_order) > 5
    assert any("astct-2019.crs" in line for line in in_order)


@pytest.mark.parametrize("seed", range(4))
def test_shuffled_duplicated_and_batched_otherwise(seed, in_order, tmp_path):
    rng = Random(seed)
    messages = messages_of(TRIAL)
    messages += rng.sample(messages, len(messages) // 3)
    rng.shuffle(messages)
    installation = Installation(tmp_path)
    installation.enrol(TRIAL)
    while messages:
        count = rng.choice((1, 7, 40, 200))
        installation.accept(messages[:count], at_once=rng.choice((1, 3, 64)))
        messages = messages[count:]
        if rng.random() < 0.7:
            installation.settle()
    installation.settle()
    assert installation.canonical() == in_order
    assert installation.find_mismatches() == []


def test_enrolled_only_after_the_feed_has_come(in_order, tmp_path):
    installation = Installation(tmp_path)
    installation.accept(messages_of(TRIAL))
    installation.settle()
    assert installation.canonical() == []
    installation.enrol(TRIAL)
    parked_items.retry_parked(installation.intake, "test", None)
    installation.settle()
    assert installation.canonical() == in_order
    assert installation.find_mismatches() == []
