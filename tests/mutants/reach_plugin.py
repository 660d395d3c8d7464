"""Plugin of pytest: the lines that each test runs, as contexts of coverage, and how long it takes.

A context is the id of a test. What a file runs while it is collected, or in a fixture that its
tests share, has the file for its context.
"""

import json
import os
from pathlib import Path
from time import process_time

import pytest
from coverage import Coverage

_durations_s: dict[str, float | None] = {}
_failures: set[str] = set()


def _switch_context(test_id):
    Coverage.current().switch_context(test_id)


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector):
    """Collect under the context of the file."""
    _switch_context(collector.nodeid.partition("::")[0])
    return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item):
    """Run a test under its own context; take the time that it computes, whoever else does."""
    _switch_context(item.nodeid)
    start_s = process_time()
    try:
        return (yield)
    finally:
        duration_s = process_time() - start_s
        _durations_s[item.nodeid] = None if item.nodeid in _failures else duration_s


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
    """Remember a test that failed: without any fault in the code, it proves nothing."""
    if report.failed:
        _failures.add(report.nodeid)


def pytest_sessionfinish():
    """Write the durations where the caller wants them."""
    Path(os.environ["AEGIS_TEST_DURATIONS"]).write_text(json.dumps(_durations_s))
