"""Lines that fail are found by halves, in bounded work."""

import pytest

from services.ingest import failing_lines
from services.ingest.failing_lines import park_failing_lines
from services.ingest.line_places import list_places, name_line


class Trials:
    """A message whose lines of *failing_numbers* fail; counts what was tried."""

    def __init__(self, count, failing_numbers):
        self.places = [name_line(number) for number in range(1, count + 1)]
        self.failing_places = {name_line(number) for number in failing_numbers}
        self.tried_groups = []

    def attempt(self, places):
        self.tried_groups.append(places)
        return ValueError() if self.failing_places.intersection(places) else None

    def park(self):
        return [item.path for item in park_failing_lines(self.places, self.attempt)]


@pytest.mark.parametrize(
    ("count", "failing_numbers"),
    [
        (0, ()),
        (1, ()),
        (1, (1,)),
        (2, (1,)),
        (2, (2,)),
        (3, (1, 3)),
        (7, (3,)),
        (7, range(1, 8)),
        (90, range(1, 91)),
        (5000, (1,)),
        (5000, (4999,)),
    ],
)
def test_only_the_lines_that_fail_are_parked(count, failing_numbers):
    trials = Trials(count, failing_numbers)
    assert trials.park() == [name_line(number) for number in failing_numbers]


def test_lines_that_fail_only_together_are_no_failing_lines():
    assert (
        park_failing_lines(
            ["line 1", "line 2"], lambda places: ValueError() if len(places) > 1 else None
        )
        == []
    )


def test_when_too_many_fail_the_rest_of_their_groups_is_parked_untried(monkeypatch):
    monkeypatch.setattr(failing_lines, "_MOST_LINES_TRIED", 1000)
    trials = Trials(64, range(1, 65))
    assert trials.park() == trials.places
    assert len(trials.tried_groups) < 20


def test_a_group_that_does_not_fail_is_stored_however_much_was_tried(monkeypatch):
    monkeypatch.setattr(failing_lines, "_MOST_LINES_TRIED", 0)
    trials = Trials(64, (1,))
    assert trials.park() == trials.places[:32]


def test_blank_lines_have_numbers_and_no_places():
    assert list_places(b"\n{}\n  \r\n{}") == ["line 2", "line 4"]
