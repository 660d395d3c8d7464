"""Fixtures of all tests: servers to share, commands, and logs reset after each test."""

import io

import pytest
from hypothesis import settings

from services.cli.main import main
from services.runtime import log
from tests.faults.summary import Table
from tests.helpers.servers import (  # noqa: F401 (fixtures)
    empty_kafka,
    kafka,
    kafka_server,
    postgres,
    postgres_server,
    promtool,
    rscript,
    servers_folder,
)
from tests.helpers.watched_trial import watched_trial  # noqa: F401 (a fixture)

# A busy machine is slow: an example that takes long is no fault.
settings.register_profile("aegis", deadline=None)
settings.load_profile("aegis")


def pytest_configure(config):
    config.pluginmanager.register(Table())


@pytest.fixture(autouse=True)
def _logs_as_they_were():
    """A command sets up the logs of its process; the next test has a standard error of its own."""
    yield
    log.configure_logging(as_json=False)


@pytest.fixture
def log_entries():
    """A stream that gets each entry of the log as one line of JSON."""
    stream = io.StringIO()
    log.configure_logging(as_json=True, stream=stream)
    return stream


@pytest.fixture
def aegis(capsys):
    """Return a function that runs a command, and returns its exit code and its output."""

    def run_command(*words):
        capsys.readouterr()
        code = main(list(words))
        return code, capsys.readouterr()

    return run_command
