"""Plugin of pytest: the lines that each test runs, as contexts of coverage, and how long it takes.

A context is the id of a test. What a file runs while it is collected, or in a fixture that its
tests share, has the file for its context.
"""

import json
import os
from pathlib import Path

import pytest
from coverage import Coverage

_durations_s: dict[str, float | None] = {}


def _switch_context(test_id):
    Coverage.current().switch_context(test_id)


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector):
    """Collect under the context of the file."""
    _switch_context(collector.nodeid.partition("::")[0])
    return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item):
    """Run a test under its own context."""
    _switch_context(item.nodeid)
    return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(fixturedef):
    """Set up what several tests share under the context of their file."""
    if fixturedef.scope == "function":
        return (yield)
    test_id = os.environ["PYTEST_CURRENT_TEST"].rpartition(" ")[0]
    _switch_context(test_id.partition("::")[0])
    try:
        return (yield)
    finally:
        _switch_context(test_id)


def pytest_runtest_logreport(report):
    """Add the time of set-up, call or tear-down to the test's; one that failed has None."""
    before = _durations_s.get(report.nodeid, 0.0)
    failed = report.failed or before is None
    _durations_s[report.nodeid] = None if failed else before + report.duration


def pytest_sessionfinish():
    """Write the durations where the caller wants them."""
    Path(os.environ["AEGIS_TEST_DURATIONS"]).write_text(json.dumps(_durations_s))
