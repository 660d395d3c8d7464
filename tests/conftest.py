"""What every test leaves as it was, and the servers that some of them need."""

import pytest
import structlog

from tests.faults.summary import Table


def pytest_configure(config):
    config.pluginmanager.register(Table())


@pytest.fixture(autouse=True)
def _logs_as_they_were():
    """A command sets up the logs of its process; the next test has a standard error of its own."""
    yield
    structlog.reset_defaults()
