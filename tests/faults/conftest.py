"""Lives of the distributed service on real servers."""

from contextlib import contextmanager
from itertools import count

import pytest

from services.simulator.trial import simulate_trial

pytest.register_assert_rewrite("tests.faults.lives", "tests.helpers.distributed_service")

from tests.faults.answers import Answers  # noqa: E402 (what they assert is to be explained)
from tests.faults.lives import Life  # noqa: E402
from tests.faults.summary import Summary  # noqa: E402


@pytest.fixture
def summary(record_property):
    return Summary(record_property)


@pytest.fixture(scope="session")
def trial():
    """A small trial, of which every run takes a part."""
    return simulate_trial(3, seed=7, days=5)


@pytest.fixture(scope="session")
def answers(trial, tmp_path_factory):
    return Answers(trial, tmp_path_factory.mktemp("embedded"))


@pytest.fixture
def start_life(answers, postgres, kafka, summary, tmp_path):
    """Begin a life on an empty database and empty topics."""
    number = count()

    @contextmanager
    def begin_life(reference=answers, **settings):
        folder = tmp_path / f"life-{next(number)}"
        with Life(folder, reference, (postgres, kafka), summary, **settings) as life:
            yield life

    return begin_life
