"""Days and windows in the site's own calendar."""

from datetime import UTC, datetime, timedelta

import pytest

from services.safety_rules.domain.facts.anchors import Anchors, find_anchors, find_window_periods
from services.vocabulary.clinical_fact import (
    Action,
    Administration,
    Death,
    Enrolment,
    Relapse,
    Transplant,
    Withdrawal,
)
from services.vocabulary.protocol import Window, WindowEdge
from tests.helpers.fact_notes import fact, hours
from tests.helpers.protocols import PROTOCOL


def utc(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


# graft at 21:30 in New York on 1 March is already 2 March in UTC
GRAFT = utc("2026-03-02T02:30")
NEW_YORK = Anchors(site="north", timezone="America/New_York", graft_at=GRAFT)

DAYS = [
    ("2026-03-02T02:30", 0),
    ("2026-03-02T04:59", 0),
    ("2026-03-02T05:00", 1),  # midnight in New York
    ("2026-03-01T04:59", -1),
    ("2026-06-10T03:59", 100),  # summer time: midnight is at 04:00 UTC
    ("2026-06-10T04:00", 101),
]


@pytest.mark.parametrize(("instant", "day"), DAYS)
def test_transplant_day(instant, day):
    assert NEW_YORK.find_transplant_day(utc(instant)) == day


def test_day_100_is_inside_its_window_and_day_101_is_not():
    window = Window(WindowEdge("transplant"), WindowEdge("transplant", 100))
    (stretch,) = find_window_periods(window, NEW_YORK)
    assert GRAFT in stretch
    assert utc("2026-06-10T03:59") in stretch
    assert utc("2026-06-10T04:00") not in stretch


@pytest.mark.parametrize(
    ("microseconds", "is_inside"),
    [(-1, False), (0, True), (1, True)],
    ids=["before", "at", "after"],
)
def test_a_window_begins_with_its_first_instant(microseconds, is_inside):
    (stretch,) = find_window_periods(
        Window(WindowEdge("transplant", 1), WindowEdge("transplant", 100)), NEW_YORK
    )
    begins = utc("2026-03-02T05:00")
    assert (begins + timedelta(microseconds=microseconds) in stretch) is is_inside


@pytest.mark.parametrize(
    ("microseconds", "is_inside"),
    [(-1, True), (0, False), (1, False)],
    ids=["before", "at", "after"],
)
def test_a_window_ends_before_the_first_instant_of_the_day_after_its_last(microseconds, is_inside):
    (stretch,) = find_window_periods(
        Window(WindowEdge("transplant"), WindowEdge("transplant", 100)), NEW_YORK
    )
    window_end = utc("2026-06-10T04:00")
    assert (window_end + timedelta(microseconds=microseconds) in stretch) is is_inside


@pytest.mark.parametrize(
    ("hour", "count"), [(-1, 0), (0, 0), (1, 1)], ids=["before", "at", "after"]
)
def test_a_window_whose_end_is_not_after_its_start_lies_nowhere(hour, count):
    anchors = Anchors(courses=(hours(0),), enrolled_at=hours(hour))
    window = Window(WindowEdge("first_infusion"), WindowEdge("enrolment"))
    assert len(find_window_periods(window, anchors)) == count


def test_a_window_without_its_anchor_lies_nowhere():
    assert (
        find_window_periods(
            Window(WindowEdge("first_infusion"), WindowEdge("transplant", 100)), NEW_YORK
        )
        == ()
    )


def test_treatment_day_one_is_the_first_dose_and_there_is_none_before():
    anchors = Anchors(courses=(utc("2026-05-10T14:00"),))
    assert anchors.find_treatment_day(utc("2026-05-10T23:00")) == 1
    assert anchors.find_treatment_day(utc("2026-05-11T01:00")) == 2
    assert anchors.find_treatment_day(utc("2026-05-09T23:00")) is None


def test_before_any_dose_there_is_no_treatment_day_and_before_a_graft_no_transplant_day():
    assert Anchors().find_treatment_day(GRAFT) is None
    assert Anchors().find_transplant_day(GRAFT) is None


@pytest.mark.parametrize("names", ["ab", "ba"])
def test_of_two_reports_of_one_transplant_the_later_names_the_donor(names):
    reports = [
        fact(Transplant(donor), 0, name=name, reported_hour=hour)
        for name, donor, hour in zip(names, ("cord", "haploidentical"), (5, 6), strict=True)
    ]
    for arrivals in (reports, reports[::-1]):
        assert find_anchors(arrivals, PROTOCOL).donor == "haploidentical"


def blina(day, action):
    return fact(Administration("blinatumomab", action), day * 24, name=f"{day}{action}")


def test_a_pause_does_not_begin_a_course_but_two_months_do():
    drug = [
        blina(0, Action.START),
        blina(3, Action.STOP),
        blina(5, Action.START),
        blina(7, Action.STOP),
        blina(60, Action.START),
    ]
    anchors = find_anchors(drug, PROTOCOL)
    assert [(at - anchors.courses[0]) / timedelta(days=1) for at in anchors.courses] == [0, 60]


GAP_S = PROTOCOL.course_gap.total_seconds()


@pytest.mark.parametrize(
    ("pause_s", "count"), [(GAP_S - 1, 1), (GAP_S, 1), (GAP_S + 1, 2)], ids=["less", "at", "more"]
)
@pytest.mark.parametrize("action", [Action.START, Action.DOSE])
def test_a_course_begins_after_a_pause_longer_than_the_gap(action, pause_s, count):
    first_start, stop = blina(0, Action.START), blina(3, Action.STOP)
    next_start = fact(
        Administration("blinatumomab", action), stop.observed_at + timedelta(seconds=pause_s)
    )
    assert len(find_anchors([first_start, stop, next_start], PROTOCOL).courses) == count


def test_a_rate_tells_of_an_infusion_whose_start_was_lost():
    administrations = [blina(-1, Action.STOP), blina(3, Action.RATE), blina(7, Action.RATE)]
    (course,) = find_anchors([*administrations, blina(9, Action.STOP)], PROTOCOL).courses
    assert course == administrations[1].observed_at


def test_the_earliest_of_several_and_a_cause_from_any():
    facts = [
        fact(Enrolment("north"), 1),
        fact(Transplant("haploidentical"), 2),
        fact(Transplant("cord", number=2), 900),
        fact(Relapse(), 50),
        fact(Withdrawal(), 60),
        fact(Withdrawal(), 70),
        fact(Relapse(), 40),
        fact(Death(), 100),
        fact(Death("ctcae-5.0.sepsis"), 101),
    ]
    for order in (facts, facts[::-1]):
        anchors = find_anchors(order, PROTOCOL)
        assert anchors.timezone == "America/New_York"
        assert anchors.donor == "haploidentical"
        assert anchors.relapsed_at == hours(40)
        assert anchors.withdrawn_at == hours(60)
        assert (anchors.died_at, anchors.death_cause) == (hours(100), "ctcae-5.0.sepsis")
        assert anchors.second_graft_at == hours(900)
