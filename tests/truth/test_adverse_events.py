"""Adverse events in a window: the records that count, and the rows that they make."""

from dataclasses import replace
from datetime import timedelta

import pytest

from services.safety_rules.domain.endpoints.adverse_events import (
    WorstGrade,
    find_worst_grades,
    tabulate_terms,
)
from services.safety_rules.domain.facts.anchors import WindowPeriod
from services.vocabulary.episode import Change, EpisodeState, Span
from services.vocabulary.grade import Grade
from tests.helpers.fact_notes import hours
from tests.helpers.store import CONTENT

INSTANT = timedelta(microseconds=1)
START, END = hours(-24), hours(48)
WINDOWS = {"P-001": [WindowPeriod(START, END)]}


def read_span(text):
    """``3``, or ``2-4``."""
    low, _, high = text.partition("-")
    return Span(Grade(int(low)), Grade(int(high or low)))


def make_record(*grades, onset_at=START, **changes_of_content):
    """A record of anemia, with one grade after another: each with its instant, or at the onset."""
    pairs = [one if isinstance(one, tuple) else (onset_at, one) for one in grades]
    history = tuple(Change(at, read_span(text), "") for at, text in pairs)
    return replace(CONTENT, onset_at=onset_at, history=history, **changes_of_content)


def describe_worst(*records, counts=lambda _: True):
    worst = find_worst_grades(records, WINDOWS, counts)
    return [f"{one.participant} {one.term} {one.span}" for one in worst]


ONE_RECORD = {  # a record; is it counted?
    "made by the machine": (make_record("3"), True),
    "confirmed": (make_record("3", state=EpisodeState.CONFIRMED), True),
    "rejected": (make_record("3", state=EpisodeState.REJECTED), False),
    "before the first dose": (make_record("3", before_exposure=True), False),
    "perhaps none at all": (make_record("3", possible=True), False),
    "part of a syndrome": (make_record("3", linked_to="astct-2019.crs"), False),
    "just before the window": (make_record("3", onset_at=START - INSTANT), False),
    "at the last instant of the window": (make_record("3", onset_at=END - INSTANT), True),
    "at the end of the window": (make_record("3", onset_at=END), False),
    "of somebody without a window": (make_record("3", participant="P-002"), False),
}


@pytest.mark.parametrize(("record", "is_counted"), ONE_RECORD.values(), ids=ONE_RECORD)
def test_a_record_counts_when_it_is_certain_began_inside_the_window_and_stands_alone(
    record, is_counted
):
    assert describe_worst(record) == (["P-001 Anemia 3"] if is_counted else [])


def test_a_criterion_that_is_not_counted_has_no_row():
    assert describe_worst(make_record("3"), counts=lambda name: name != CONTENT.criterion) == []


WORST = {  # records of one participant and term; the worst grade
    "rises": ([make_record("1", (hours(1), "3"))], "3"),
    "falls": ([make_record("3", (hours(1), "1"))], "3"),
    "rises in the window": ([make_record("3", (END - INSTANT, "4"))], "4"),
    "rises at its end": ([make_record("3", (END, "4"))], "3"),
    "one end after the other": ([make_record("1-4", (hours(1), "2"))], "2-4"),
    "two records": ([make_record("2"), make_record("1-3", onset_at=hours(5))], "2-3"),
}


@pytest.mark.parametrize(("records", "worst"), WORST.values(), ids=WORST)
def test_the_worst_grade_is_that_of_each_end_inside_the_window(records, worst):
    assert describe_worst(*records) == [f"P-001 Anemia {worst}"]


def test_a_grade_that_may_be_none_has_no_row():
    assert describe_worst(make_record("0-3")) == []


def test_rows_stand_by_frequency_then_by_severity_then_by_name():
    grades = """
        P-1 Anemia 3; P-1 Fatigue 1; P-1 Nausea 1; P-1 Rash 2; P-2 Anemia 2-3; P-2 Fatigue 2;
        P-3 Anemia 5; P-3 Fatigue 4; P-3 Nausea 2; P-4 Headache 2-4; P-5 Cough 3
    """
    worst = [
        WorstGrade(who, term, read_span(text))
        for who, term, text in (words.split() for words in grades.split(";"))
    ]
    rows = tabulate_terms(worst, 10, "Any")
    assert [
        (row.term, row.by_grade, row.any_grade.count, row.severe.count, row.severe_at_most)
        for row in rows
    ] == [
        ("Any", (0, 2, 2, 0, 1), 5, 3, 5),
        ("Anemia", (0, 1, 1, 0, 1), 3, 2, 3),
        ("Fatigue", (1, 1, 0, 1, 0), 3, 1, 1),
        ("Nausea", (1, 1, 0, 0, 0), 2, 0, 0),
        ("Cough", (0, 0, 1, 0, 0), 1, 1, 1),
        ("Headache", (0, 1, 0, 0, 0), 1, 0, 1),
        ("Rash", (0, 1, 0, 0, 0), 1, 0, 0),
    ]
