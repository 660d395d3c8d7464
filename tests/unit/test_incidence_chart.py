"""The chart of an endpoint: its curves, numbers at risk and notes."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from services.charts.incidence import count_known, draw_incidence_chart
from services.vocabulary.endpoint import (
    AdverseEvents,
    CurvePoint,
    EndpointCurve,
    EndpointReport,
    Estimate,
    Landmark,
    NotAtRisk,
)

CURVE = EndpointCurve(
    id="nrm",
    title="Non-relapse mortality",
    kind="incidence",
    clock="transplant",
    participants=6,
    events=2,
    competing={"relapse": 1},
    points=(
        CurvePoint(75, 6, 1, 0, Estimate(1 / 6, 0.01, 0.5)),
        CurvePoint(80, 5, 0, 1, Estimate(1 / 6, 0.01, 0.5)),
        CurvePoint(90, 3, 1, 0, Estimate(0.39, 0.05, 0.8)),
    ),
    others={"relapse": ((75, 0.0), (80, 1 / 6), (90, 1 / 6))},
    landmarks=(Landmark(100, 2, 2, Estimate(0.39, 0.05, 0.8)), Landmark(730, 0, 2, None)),
    not_at_risk=(NotAtRisk("P-007", "relapse before entry", 60),),
    possible=(),
    never_assessed=(),
    few_at_risk=((90, 3),),
    spans=((60, 75), (61, 80), (62, 90), (62, 120), (62, 120), (70, 85)),
)
REPORT = EndpointReport(
    study="TRIAL",
    as_of=datetime(2026, 5, 2, tzinfo=UTC),
    data_to=datetime(2026, 5, 1, 6, 30, tzinfo=UTC),
    protocol="protocol v1 DRAFT, signed by nobody",
    enrolled=8,
    treated=7,
    curves=(CURVE,),
    adverse_events=AdverseEvents("non-hematologic", "day-100", 7, 7, 0, ()),
)
SURVIVAL = replace(
    CURVE, id="os", kind="survival", title="Overall survival", competing={}, others={}
)


def draw_chart(curve=CURVE, report=REPORT):
    return draw_incidence_chart(report, curve, "svg").decode()


@pytest.mark.parametrize(
    "words",
    [
        "Non-relapse mortality", "protocol v1 DRAFT, signed by nobody", "2 events in 6 at risk",
        "Data to 2026-05-01 06:30 UTC", "Competing: relapse (1)", "At risk", "Events so far",
        "Competing so far", "95 % interval", "Event with fewer than 5 at risk", "day 100",
        "Not at risk: 1 of 7 treated", "Days after transplant", "Cumulative incidence",
        "at risk from the first infusion on", "Trial safety oversight, not a bedside alarm.",
    ],
)  # fmt: skip
def test_it_says(words):
    assert words in draw_chart()


@pytest.mark.parametrize("words", ["P-0", "day 730"])
def test_it_names_nobody_and_no_landmark_that_is_not_on_it(words):
    assert words not in draw_chart()


def test_survival_has_no_competing_events():
    chart = draw_chart(SURVIVAL)
    assert "Survival" in chart
    assert "Competing" not in chart


def test_the_clock_from_the_first_infusion_has_its_own_axis():
    chart = draw_chart(replace(CURVE, clock="first_infusion"))
    assert "Days after the first infusion" in chart
    assert "at risk from the first infusion on" not in chart


def test_who_was_never_assessed_is_counted():
    assert "Never assessed for it: 2 of 6." in draw_chart(
        replace(CURVE, never_assessed=("P-1", "P-2"))
    )


def test_an_empty_trial_can_be_drawn():
    empty_curve = replace(
        CURVE,
        participants=0,
        events=0,
        points=(),
        others={},
        spans=(),
        few_at_risk=(),
        competing={},
    )
    chart = draw_chart(empty_curve, replace(REPORT, data_to=None))
    assert "Nobody treated yet" in chart


@pytest.mark.parametrize("form", ["svg", "png"])
def test_the_same_report_is_drawn_with_the_same_bytes(form):
    assert draw_incidence_chart(REPORT, CURVE, form) == draw_incidence_chart(REPORT, CURVE, form)


NO_EVENT = replace(
    CURVE,
    events=0,
    points=(CurvePoint(80, 5, 0, 1, Estimate(0.0)),),
    others={"relapse": ((80, 1 / 6),)},
    few_at_risk=(),
)


def test_follow_up_that_ended_without_an_event_is_marked():
    assert "Follow-up ended" in draw_chart()
    all_events = replace(CURVE, spans=((60, 75), (61, 80), (62, 90)))
    assert "Follow-up ended" not in draw_chart(all_events)


def test_an_incidence_without_an_event_has_its_exact_upper_limit():
    assert "exact 97.5 % upper limit" in draw_chart(NO_EVENT)
    assert "exact 97.5 % upper limit" not in draw_chart()


@pytest.mark.parametrize(
    ("day", "count"),
    [(60, 6), (75, 6), (76, 5), (80, 5), (81, 5), (85, 5), (86, 4), (90, 4), (91, 3), (120, 3)],
)
def test_who_is_known_without_an_event_by_a_day(day, count):
    """Of six, followed to 75, 80 (relapse), 85, 90, 120 and 120; who relapsed cannot have it."""
    assert count_known(NO_EVENT, day) == count


def test_the_chart_names_the_study():
    assert "TRIAL  protocol v1 DRAFT" in draw_chart()
