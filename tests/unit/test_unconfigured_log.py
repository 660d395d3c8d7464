"""An exception that is logged before anybody configures the log shows no values."""

import subprocess
import sys

import pytest

FAIL = """
from services.runtime.log import make_logger
logger = make_logger("ingest")
def fail(message):
    return int(message)
try:
    fail("PID|1||QX4711")
except ValueError as error:
    logger.{method}
"""


@pytest.mark.parametrize(
    "method", ["error('not_stored', exc_info=error)", "exception('not_stored', exc_info=True)"]
)
def test_a_logged_exception_is_its_type_and_place(method):
    command = [sys.executable, "-c", FAIL.format(method=method)]
    run = subprocess.run(command, check=False, capture_output=True, text=True)
    assert (run.returncode, run.stdout) == (0, "")
    assert "QX4711" not in run.stderr
    assert '"exc_type": "ValueError"' in run.stderr
    assert '"exc_where": "__main__:5"' in run.stderr
