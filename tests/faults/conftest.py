"""Lives of the distributed service on real servers, and a table of what they went through."""

from collections import Counter, defaultdict
from contextlib import contextmanager
from itertools import count

import pytest

from services.simulator.trial import simulate

pytest.register_assert_rewrite("tests.faults.lives", "tests.workers")

from tests.faults.answers import Answers  # noqa: E402 (what they assert is to be explained)
from tests.faults.lives import Life  # noqa: E402

_COLUMNS = ("runs", "starts", "kills", "stops", "facts", "lost", "twice", "mails_again", "seconds")
_SUMMARY = pytest.StashKey()


class Summary:
    """What was done and what came of it, by fault."""

    def __init__(self):
        self.of = defaultdict(Counter)

    def add(self, fault, *counted, **more):
        """Count one run of *fault*."""
        self.of[fault].update(runs=1, **more)
        for one in counted:
            self.of[fault].update(one)

    def lines(self):
        """The table."""
        width = max([len(fault) for fault in self.of] + [5])
        yield f"{'fault':{width}}" + "".join(f"{name.replace('_', ' '):>12}" for name in _COLUMNS)
        total = sum(self.of.values(), Counter())
        for fault, counted in [*sorted(self.of.items()), ("total", total)]:
            yield f"{fault:{width}}" + "".join(f"{counted[name]:>12.0f}" for name in _COLUMNS)


def pytest_configure(config):
    config.stash[_SUMMARY] = Summary()


def pytest_terminal_summary(terminalreporter, config):
    summary = config.stash[_SUMMARY]
    if summary.of:
        terminalreporter.section("faults")
        for line in summary.lines():
            terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def summary(request):
    return request.config.stash[_SUMMARY]


@pytest.fixture(scope="session")
def trial():
    """A small trial, of which every run takes a part."""
    return simulate(3, seed=7, days=5)


@pytest.fixture(scope="session")
def answers(trial, tmp_path_factory):
    return Answers(trial, tmp_path_factory.mktemp("embedded"))


@pytest.fixture
def living(answers, postgres, kafka, summary, tmp_path):
    """Begin a life on an empty database and empty topics."""
    number = count()

    @contextmanager
    def begun(of=answers, **settings):
        folder = tmp_path / f"life-{next(number)}"
        with Life(folder, of, (postgres, kafka), summary, **settings) as life:
            yield life

    return begun
