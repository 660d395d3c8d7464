"""What every test leaves as it was."""

import pytest
import structlog


@pytest.fixture(autouse=True)
def _logs_as_they_were():
    """A command sets up the logs of its process; the next test has a standard error of its own."""
    yield
    structlog.reset_defaults()
