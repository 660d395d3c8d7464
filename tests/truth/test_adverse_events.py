"""Worst grades of adverse events in a window from hour 0 to hour 100, and their proportions."""

import pytest

from services.safety_rules.domain.endpoints.adverse_events import (
    WorstGrade,
    find_worst_grades,
    tabulate_terms,
)
from services.safety_rules.domain.facts.anchors import WindowPeriod
from services.vocabulary.episode import EpisodeState, Span
from services.vocabulary.grade import Grade
from tests.helpers.dosing_course import record
from tests.helpers.fact_notes import hours

NAUSEA = "ctcae-5.0.nausea"
WINDOW = {"P-001": (WindowPeriod(hours(0), hours(100)),)}

# grades with their hours, and the worst that counts
TABLE = {
    "inside the window": ("2@10", "2"),
    "worse, then better": ("1@10 3@20 2@30", "3"),
    "as the window begins": ("2@0", "2"),
    "just before it begins": ("2@-0.1", ""),
    "just before it ends": ("2@99.9", "2"),
    "as it ends": ("2@100", ""),
    "worse just before it ends": ("2@10 3@99.9", "3"),
    "worse as it ends": ("2@10 3@100", "2"),
    "an incomplete grade": ("1-3@10", "1-3"),
    "perhaps none": ("0-3@10", ""),
}


@pytest.mark.parametrize(("grades", "worst"), TABLE.values(), ids=TABLE)
def test_the_worst_grade_in_the_window_counts(grades, worst):
    found = find_worst_grades([record(NAUSEA, grades)], WINDOW, lambda _criterion: True)
    assert "; ".join(str(one.span) for one in found) == worst


@pytest.mark.parametrize(
    "fields",
    [
        {"state": EpisodeState.REJECTED},
        {"before_exposure": True},
        {"possible": True},
        {"linked_to": "astct-2019.crs"},
    ],
    ids=str,
)
def test_some_records_do_not_count(fields):
    assert not find_worst_grades([record(NAUSEA, "3@10", **fields)], WINDOW, lambda _: True)


def test_only_terms_that_are_asked_for_and_participants_with_a_window_count():
    records = [record(NAUSEA, "3@10")]
    assert not find_worst_grades(records, WINDOW, lambda criterion: criterion != NAUSEA)
    assert not find_worst_grades(records, {}, lambda _criterion: True)


# the span of the only event among four participants; severe ones, and severe at most
SEVERITY = {"2": (2, 2, 0, 0), "2 to 3": (2, 3, 0, 1), "3": (3, 3, 1, 1), "5": (5, 5, 1, 1)}


@pytest.mark.parametrize(
    ("at_least", "at_most", "severe", "severe_at_most"), SEVERITY.values(), ids=SEVERITY
)
def test_severe_is_grade_3_or_worse(at_least, at_most, severe, severe_at_most):
    worst = [WorstGrade("P-001", "Nausea", Span(Grade(at_least), Grade(at_most)))]
    for row in tabulate_terms(worst, 4, "Any"):
        assert (row.any_grade.count, row.any_grade.of) == (1, 4)
        assert (row.severe.count, row.severe_at_most) == (severe, severe_at_most)
