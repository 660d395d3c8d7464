"""A table at the end of a run: what each fault did, and its outcome.

Tests may run in several processes: each says what it counted in its report.
"""

from collections import Counter, defaultdict

_COLUMNS = ("runs", "starts", "kills", "stops", "facts", "lost", "twice", "mails_again", "seconds")
_PROPERTY = "fault"


class Summary:
    """Counts runs in the report of the test that makes them."""

    def __init__(self, record_property):
        self.record_property = record_property

    def add(self, fault, *totals, **counts):
        """Count one run of *fault*."""
        entry = Counter(runs=1, **counts)
        for item in totals:
            entry.update(item)
        self.record_property(_PROPERTY, [fault, dict(entry)])


class Table:
    """A plugin of pytest that sums the counts of all reports."""

    def __init__(self):
        self.subject = defaultdict(Counter)

    def pytest_runtest_logreport(self, report):
        if report.when == "teardown":  # the last one of a test
            for name, value in report.user_properties:
                if name == _PROPERTY:
                    fault, entry = value
                    self.subject[fault].update(entry)

    def pytest_terminal_summary(self, terminalreporter):
        if self.subject:
            terminalreporter.section("faults")
            for line in self.lines():
                terminalreporter.write_line(line)

    def lines(self):
        width = max(len(fault) for fault in [*self.subject, "fault"])
        yield f"{'fault':{width}}" + "".join(f"{name.replace('_', ' '):>12}" for name in _COLUMNS)
        total = sum(self.subject.values(), Counter())
        for fault, counts in [*sorted(self.subject.items()), ("total", total)]:
            yield f"{fault:{width}}" + "".join(f"{counts[name]:>12.0f}" for name in _COLUMNS)
