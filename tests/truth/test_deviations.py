"""Deviations from the protocol: day of the first course, premedication, dose steps.

First course on transplant day 60 to 90. Dexamethasone 20 mg in the hour before days 1 and 3, and
before a restart after 4 hours or more. Days 1 and 2 at 8 ug/d, days 3 to 7 at 16 ug/d.
"""

import pytest

from services.vocabulary.clinical_fact import Action, Administration
from tests.helpers.dosing_course import fold_facts, format_hour
from tests.helpers.fact_notes import fact, hours, quantity

WELL = "8@0 16@48 -@168"
PREMEDICATION_DOSES = "20@-1 20@47"


def give_dexamethasone(script):
    """``20@-1``: so many milligrams at that hour."""
    return [
        fact(
            Administration(
                "dexamethasone",
                Action.DOSE,
                None if dose == "?" else quantity(dose, "mg"),
                scheduled=True,
            ),
            float(at),
        )
        for dose, at in (word.split("@") for word in script.split())
    ]


def list_deviations(rates=WELL, doses=PREMEDICATION_DOSES, graft=-70 * 24, hour=2000):
    fold = fold_facts(*give_dexamethasone(doses), rates=rates, graft=graft)
    advice, _ = fold.find_advice(hours(hour))
    return [f"{one.says} ({format_hour(one.since)})" for one in advice if one.kind == "deviation"]


def test_a_course_by_the_protocol_is_no_deviation():
    assert list_deviations() == []


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        (59, ["first course begun on transplant day 59 (0)"]),
        (60, []),
        (90, []),
        (91, ["first course begun on transplant day 91 (0)"]),
    ],
)
def test_the_day_of_the_first_course(day, expected):
    assert list_deviations(graft=-day * 24) == expected


# rates, dexamethasone, and what is told
PREMEDICATION = {
    "at the very start": (WELL, "20@0 20@48", []),
    "an hour before": (WELL, "20@-1 20@47", []),
    "more than an hour before": (
        WELL,
        "20@-1.1 20@47",
        ["dexamethasone missing before day 1 of course 1 (0)"],
    ),
    "after the start": (
        WELL,
        "20@0.5 20@47",
        ["dexamethasone missing before day 1 of course 1 (0)"],
    ),
    "none on day 3": (WELL, "20@-1", ["dexamethasone missing before day 3 of course 1 (48)"]),
    "too little": (WELL, "10@-1 20@47", ["dexamethasone missing before day 1 of course 1 (0)"]),
    "a dose that nobody charted": (WELL, "?@-1 20@47", []),
    "none at all": (
        WELL,
        "",
        [
            "dexamethasone missing before day 1 of course 1 (0)",
            "dexamethasone missing before day 3 of course 1 (48)",
        ],
    ),
    "a restart after 4 hours": (
        "8@0 16@48 -@60 8@64",
        PREMEDICATION_DOSES,
        ["dexamethasone missing before a restart after 4 hours (64)"],
    ),
    "a restart after 4 hours, with it": ("8@0 16@48 -@60 8@64", f"{PREMEDICATION_DOSES} 20@63", []),
    "a restart after less than 4 hours": ("8@0 16@48 -@60 16@63.9", PREMEDICATION_DOSES, []),
    "a new bag on day 3 is not its beginning": ("8@0 -@40 8@40 16@48", PREMEDICATION_DOSES, []),
    "stopped before day 3": ("8@0 -@30", "20@-1", []),
    "a second course": (
        "8@0 16@48 -@168 8@1500 16@1548 -@1668",
        f"{PREMEDICATION_DOSES} 20@1499",
        ["dexamethasone missing before day 3 of course 2 (1548)"],
    ),
}


@pytest.mark.parametrize(("rates", "doses", "expected"), PREMEDICATION.values(), ids=PREMEDICATION)
def test_premedication(rates, doses, expected):
    assert list_deviations(rates, doses) == expected


# rates, and what is told beside premedication
STEPS = {
    "too high from the beginning": (
        "16@0 -@168",
        ["wrong dose step: 16 ug/d on day 1 of course 1 (0)"],
    ),
    "up a day early": (
        "8@0 16@24 -@168",
        ["wrong dose step: 16 ug/d on day 2 of course 1 (24)"],
    ),
    "up early on day 3": ("8@0 16@42 -@168", []),
    "not up by the end of day 3": (
        "8@0 -@168",
        ["wrong dose step: still 8 ug/d at the end of day 3 of course 1 (63)"],
    ),
    "up on day 4": (
        "8@0 16@70 -@168",
        ["wrong dose step: still 8 ug/d at the end of day 3 of course 1 (63)"],
    ),
    "no rate of the protocol": (
        "8@0 28@48 -@168",
        ["wrong dose step: 28 ug/d on day 3 of course 1 (48)"],
    ),
    "down again on day 5": (
        "8@0 16@48 8@100",
        ["wrong dose step: 8 ug/d on day 5 of course 1 (100)"],
    ),
    "down after a pause of 4 hours": ("8@0 16@48 -@60 8@64 16@112", []),
    "as it was after a pause": ("8@0 16@48 -@60 16@64", []),
    "down after a short pause": (
        "8@0 16@48 -@60 8@62",
        ["wrong dose step: 8 ug/d on day 3 of course 1 (62)"],
    ),
    "a rate that nobody charted": ("?@0 16@48", []),
    "on after day 7": ("8@0 16@48 -@100 16@200", []),
    "another rate after day 7": (
        "8@0 16@48 -@100 28@200",
        ["wrong dose step: 28 ug/d on day 9 of course 1 (200)"],
    ),
}


@pytest.mark.parametrize(("rates", "expected"), STEPS.values(), ids=STEPS)
def test_dose_steps(rates, expected):
    deviations = list_deviations(
        rates, f"{PREMEDICATION_DOSES} 20@23 20@63 20@41 20@61 20@69 20@199"
    )
    assert [one for one in deviations if "missing" not in one] == expected


@pytest.mark.parametrize(
    ("hour", "expected"),
    [
        (1, []),
        (3.9, []),
        (4, ["dexamethasone missing before day 1 of course 1 (0)"]),
    ],
)
def test_what_may_still_be_charted_is_not_told_as_missing(hour, expected):
    fold = fold_facts(rates="8@0")
    advice, due_at = fold.find_advice(hours(hour))
    assert [f"{one.says} ({format_hour(one.since)})" for one in advice] == expected
    assert (due_at == hours(4)) is not bool(expected)


def test_the_reason_says_what_was_given_instead():
    fold = fold_facts(*give_dexamethasone("10@-0.5 20@47"))
    advice, _ = fold.find_advice(hours(2000))
    assert [one.because for one in advice] == [
        ("no 20 mg of dexamethasone in the 1 hour before it; 10 mg was given 30 minutes before",)
    ]
