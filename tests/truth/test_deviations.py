"""Deviations from the protocol: day of the first course, premedication, dose steps.

First course on transplant day 60 to 90. Dexamethasone 20 mg in the hour before days 1 and 3, and
before a restart after 4 hours or more. Days 1 and 2 at 8 ug/d, days 3 to 7 at 16 ug/d.
"""

import pytest

from services.vocabulary.clinical_fact import Action, Administration, Death
from tests.helpers.dosing_course import fold_facts, format_hour, read_amount
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
                None if dose == "?" else quantity(*read_amount(dose, "mg")),
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
    "enough, in grams": (WELL, "0.02:g@-1 20000:ug@47", []),
    "too little, in grams": (
        WELL,
        "0.0199:g@-1 20@47",
        ["dexamethasone missing before day 1 of course 1 (0)"],
    ),
    "too little, the number larger": (
        WELL,
        "20@-1 19999:ug@47",
        ["dexamethasone missing before day 3 of course 1 (48)"],
    ),
    "a unit that does not convert": (WELL, "1:{tbl}@-1 20@47", []),
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
    "a new bag on day 1 is not its beginning": (
        "8@0 -@1 8@2 16@48 -@168",
        PREMEDICATION_DOSES,
        [],
    ),
    "raised as day 3 begins, at midnight": ("8@0 16@39 -@168", "20@-1 20@38.5", []),
    "raised as day 4 begins: day 3 by the time of day": ("8@0 16@63 -@168", "20@-1 20@47", []),
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
    "the schedule, in milligrams": ("0.008:mg/d@0 0.016:mg/d@48 -@168", []),
    "a new bag, in milligrams": ("8@0 0.008:mg/d@20 16@48 -@168", []),
    "too high, in milligrams": (
        "0.016:mg/d@0 -@168",
        ["wrong dose step: 16 ug/d on day 1 of course 1 (0)"],
    ),
    "not up, in milligrams": (
        "0.008:mg/d@0 -@168",
        ["wrong dose step: still 8 ug/d at the end of day 3 of course 1 (63)"],
    ),
    "a rate that does not convert": ("28:mL/h@0 -@168", []),
    "up early on day 3": ("8@0 16@42 -@168", []),
    "not up by the end of day 3": (
        "8@0 -@168",
        ["wrong dose step: still 8 ug/d at the end of day 3 of course 1 (63)"],
    ),
    "up as day 3 ends, at midnight": ("8@0 16@63 -@168", []),
    "up on day 4": (
        "8@0 16@70 -@168",
        ["wrong dose step: still 8 ug/d at the end of day 3 of course 1 (63)"],
    ),
    "as it was after a pause in the first step": ("8@0 -@20 8@30", []),
    "not up in a second course, in summer time": (
        "8@0 16@48 -@168 8@1500",
        ["wrong dose step: still 8 ug/d at the end of day 3 of course 2 (1550)"],
    ),
    "no rate of the protocol": (
        "8@0 28@48 -@168",
        ["wrong dose step: 28 ug/d on day 3 of course 1 (48)"],
    ),
    "up as day 3 begins, at midnight": ("8@0 16@39 -@168", []),
    "up just before day 3 begins": (
        "8@0 16@38.9 -@168",
        ["wrong dose step: 16 ug/d on day 2 of course 1 (38.9)"],
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
    "a second course begins too high": (
        "8@0 16@48 -@168 28@1500",
        ["wrong dose step: 28 ug/d on day 1 of course 2 (1500)"],
    ),
}


@pytest.mark.parametrize(("rates", "expected"), STEPS.values(), ids=STEPS)
def test_dose_steps(rates, expected):
    deviations = list_deviations(
        rates, f"{PREMEDICATION_DOSES} 20@23 20@63 20@41 20@61 20@69 20@199"
    )
    assert [one for one in deviations if "missing" not in one] == expected


# hour, what is told then, and when that changes without a fact
MISSING, NOT_RAISED = (
    "dexamethasone missing before day 1 of course 1 (0)",
    ("wrong dose step: still 8 ug/d at the end of day 3 of course 1 (63)"),
)
DUE = {
    "may still be charted": ("", 1, [], 4),
    "just before the 4 hours are over": ("", 3.9, [], 4),
    "as they are over": ("", 4, [MISSING], 48),
    "just before day 3, by the time of day": ("20@-1", 47.9, [], 48),
    "day 3, by the time of day": ("20@-1", 48, [], 52),
    "given on day 3": ("20@-1 20@48", 48, [], 67),
    "may still be charted as raised": (PREMEDICATION_DOSES, 66.9, [], 67),
    "not charted as raised": (PREMEDICATION_DOSES, 67, [NOT_RAISED], None),
}


@pytest.mark.parametrize(("doses", "hour", "expected", "due"), DUE.values(), ids=DUE)
def test_what_may_still_be_charted_is_not_told_as_missing(doses, hour, expected, due):
    fold = fold_facts(*give_dexamethasone(doses), rates="8@0")
    advice, due_at = fold.find_advice(hours(hour))
    assert [f"{one.says} ({format_hour(one.since)})" for one in advice] == expected
    assert due_at == (None if due is None else hours(due))


def test_as_time_passes_the_same_is_told_as_when_it_is_asked_for_once():
    fold = fold_facts(rates="8@0")
    for hour in (1, 3.9, 4, 47.9, 48, 51.9, 52, 52, 66.9, 67):
        assert fold.find_advice(hours(hour)) == fold_facts(rates="8@0").find_advice(hours(hour))


def test_what_was_due_since_it_was_last_asked_for_is_told():
    fold = fold_facts(*give_dexamethasone("20@-1"), rates="8@0")
    told = [[one.says for one in fold.find_advice(hours(hour))[0]] for hour in (47, 52)]
    assert told == [[], ["dexamethasone missing before day 3 of course 1"]]


DEATHS = {  # hour of death; what is told a day later
    "before it could have been charted": (3.9, []),
    "at the last instant at which it could": (4, [MISSING]),
}


@pytest.mark.parametrize(("death_hour", "expected"), DEATHS.values(), ids=DEATHS)
def test_after_death_nothing_is_due_any_more(death_hour, expected):
    fold = fold_facts(fact(Death(), death_hour), rates="8@0")
    assert fold.find_advice(hours(3))[1] == (hours(4) if expected else None)
    advice, _ = fold.find_advice(hours(28))
    assert [f"{one.says} ({format_hour(one.since)})" for one in advice] == expected


NO_DOSE = "no 20 mg of dexamethasone in the 1 hour before it"
NEAREST_DOSES = {  # a dose, and what the reason says of it
    "too little": ("10@-0.5", f"{NO_DOSE}; 10 mg was given 30 minutes before"),
    "too little, as it begins": ("10@0", f"{NO_DOSE}; 10 mg was given 0 minutes before"),
    "afterwards": ("20@0.5", f"{NO_DOSE}; 20 mg was given 30 minutes after"),
    "a day before": ("20@-24", f"{NO_DOSE}; 20 mg was given 1440 minutes before"),
    "more than a day before": ("20@-24.1", NO_DOSE),
}


@pytest.mark.parametrize(("dose", "reason"), NEAREST_DOSES.values(), ids=NEAREST_DOSES)
def test_the_reason_says_what_was_given_within_a_day_instead(dose, reason):
    fold = fold_facts(*give_dexamethasone(f"{dose} 20@47"))
    advice, _ = fold.find_advice(hours(2000))
    assert [one.because for one in advice] == [(reason,)]
