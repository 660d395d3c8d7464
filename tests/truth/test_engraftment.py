"""Engraftment and graft failure from daily counts, in transplant days.

Neutrophils: first of three successive days at 0.5 x 10*9/L or more after the nadir. Platelets:
first of three days at 20 x 10*9/L or more without a transfusion for seven days.
Source: Kharfan-Dabaja et al. 2021, Transplantation and Cellular Therapy 27:642-649
"""

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from msgspec import structs

from services.cli.shared.engraftment_lines import describe_recovery
from services.runtime.measures import load_measures
from services.safety_rules.domain.endpoints.engraftment import (
    find_engraftment,
    query_graft_failure,
)
from services.safety_rules.domain.facts.anchors import Anchors
from services.safety_rules.domain.participant.fold import Fold
from services.vocabulary.clinical_fact import Action, Administration, Transplant
from services.vocabulary.fact import Status
from services.vocabulary.graft_fact import GraftStatus
from tests.helpers.fact_notes import fact, lab
from tests.helpers.gvhd_notes import day
from tests.helpers.random_trials import RULES

ANCHORS = Anchors(graft_at=day(0))
UNIT = "10*9/L"


def read_counts(text, measure="neutrophils"):
    """Facts from ``1:0.1 14-16:0.5 18:transfusion``: counts and transfusions by transplant day."""
    facts = []
    for number, word in enumerate(text.split()):
        days, value = word.split(":")
        first, last = re.fullmatch(r"(-?\d+)(?:-(\d+))?", days).groups()
        for when in range(int(first), int(last or first) + 1):
            name = f"c{number}-{when}"
            if value.endswith("transfusion"):
                facts.append(fact(Administration(value, Action.DOSE), day(when), name=name))
            elif value in ("functioning", "failed"):
                facts.append(fact(GraftStatus(value, "dr"), day(when), name=name))
            else:
                facts.append(lab(measure, value.replace("_", " "), day(when), UNIT, name=name))
    return facts


def find(text, measure="neutrophils", anchors=ANCHORS):
    facts = read_counts(text, measure)
    return find_engraftment("P-001", facts[::-1], anchors, load_measures())


NEUTROPHILS = {
    "three days in a row": ("1-13:0.1 14-16:0.5", "day 14"),
    "just below": ("1-13:0.1 14-16:0.499", "not recovered, days 1 to 16"),
    "in another unit": ("1-13:100_/mm3 14-16:500_/mm3", "day 14"),
    "just below in another unit": ("1-13:100_/mm3 14-16:499_/mm3", "not recovered, days 1 to 16"),
    "two days": ("1-13:0.1 14-15:0.8", "not recovered, days 1 to 15"),
    "a dip on the third": ("1-13:0.1 14-15:0.8 16:0.4 17-19:0.6", "day 17"),
    "two counts of one day, one low": ("1-13:0.1 14-16:0.8 16:0.4 17-19:0.6", "day 17"),
    "a day without a count": ("1-13:0.1 14:0.8 16-17:0.8", "day 14 or later"),
    "which a row settles": ("1-13:0.1 14:0.8 16-18:0.8", "day 14 to 16"),
    "thrice a week": ("1-13:0.1 15:0.6 17:0.7 19:0.9", "day 15 or later"),
    "high until the nadir": ("0-4:3 5-13:0.1 14-16:0.5", "day 14"),
    "never low": ("10-20:0.6", "not seen below the limit, days 10 to 20"),
    "low for the first time long after": (
        "60-70:3 80-85:0.2",
        "not seen below the limit, days 60 to 85",
    ),
    "low at first, long after": ("60-70:0.2 80-85:2", "day 80"),
    "no counts": ("", "not counted"),
    "before the graft alone": ("-3:0.1", "not counted"),
    "the day of the graft counts": ("-1:3 0:0.1 1-3:0.5", "day 1"),
    "a bound below": ("1-13:<0.1 14-16:0.5", "day 14"),
    "a bound that says nothing": ("1-13:0.1 14:<1 15-17:0.5", "day 15"),
    "a bound at the limit": ("1-13:0.1 14:>=0.5 15-16:0.7", "day 14"),
    "a count that cannot be": ("1-13:0.1 14:9000 15-17:0.7", "day 15"),
    "lost later": ("1-13:0.1 14-16:0.5 40-60:0.1", "day 14"),
}


@pytest.mark.parametrize(("text", "expected"), NEUTROPHILS.values(), ids=NEUTROPHILS)
def test_the_day_of_neutrophil_recovery(text, expected):
    assert describe_recovery(find(text).neutrophils) == expected


PLATELETS = {
    "at the limit": ("1-15:10 16-18:20", "day 16"),
    "just below": ("1-15:10 16-18:19.9", "not recovered, days 1 to 18"),
    "six days after a transfusion": (
        "1-9:10 10:platelet-transfusion 11-18:30",
        "not recovered, days 1 to 18",
    ),
    "seven days after it": ("1-9:10 10:platelet-transfusion 11-19:30", "day 17"),
    "a transfusion breaks the row": (
        "1-9:10 10:platelet-transfusion 11-17:30 18:platelet-transfusion 18-27:30",
        "day 25",
    ),
    "a transfusion on the day after the third": (
        "1-9:10 10-12:30 13:platelet-transfusion",
        "day 10",
    ),
    "a transfusion on the third day": (
        "1-9:10 10-12:30 12:platelet-transfusion",
        "not recovered, days 1 to 12",
    ),
    "red cells are none": ("1-9:10 10-12:30 10:red-cell-transfusion", "day 10"),
    "a product without a name may be": (
        "1-9:10 10:transfusion 10-20:30",
        "day 10 to 17",
    ),
    "never low, and a product without a name": ("1-20:30 5:transfusion", "day 12"),
    "the same, too early to say": ("1-8:30 5:transfusion", "not recovered, days 1 to 8"),
    "transfused after the last count": (
        "2-9:10 1:platelet-transfusion 12:platelet-transfusion",
        "not recovered, days 2 to 9",
    ),
    "transfused, never counted": ("5:platelet-transfusion", "not counted"),
    "never low, but transfused": ("1-20:30 5:platelet-transfusion", "day 12"),
    "never low": ("1-20:30", "not seen below the limit, days 1 to 20"),
    "per microlitre": ("1-15:10000_/uL 16-18:20000_/uL", "day 16"),
}


@pytest.mark.parametrize(("text", "expected"), PLATELETS.values(), ids=PLATELETS)
def test_the_day_of_platelet_recovery(text, expected):
    assert describe_recovery(find(text, "platelets").platelets) == expected


def test_transfusions_are_counted_and_dated():
    engraftment = find(
        "1:10 3:platelet-transfusion 5:transfusion 6:plasma-transfusion", "platelets"
    )
    assert (engraftment.transfusions, engraftment.last_transfusion) == (2, 5)


FAILURES = {
    "low on day 29": ("1-29:0.1", ""),
    "low on day 30": ("1-30:0.1", "primary failure proposed"),
    "at the limit on day 30": ("1-29:0.1 30:0.5", ""),
    "low before, not counted since": ("1-20:0.1", ""),
    "recovered after day 30": ("1-35:0.1 36-38:0.6", ""),
    "recovered in time": ("1-13:0.1 14-30:0.6", ""),
    "first counted on day 60, low": ("60-62:0.1", "primary failure proposed"),
    "low for 13 days": ("1-13:0.1 14-39:2 40-53:0.1", ""),
    "low for 14 days": ("1-13:0.1 14-39:2 40-54:0.1", "secondary failure proposed"),
    "two counts alone": ("1-13:0.1 14-39:2 40:0.1 60:0.1", ""),
    "three counts": ("1-13:0.1 14-39:2 40:0.1 50:0.1 60:0.1", "secondary failure proposed"),
    "over again": ("1-13:0.1 14-39:2 40-60:0.1 61:0.5", ""),
    "a clinician says that it works": ("1-30:0.1 30:functioning", "functioning"),
    "and it goes on": ("1-30:0.1 30:functioning 31:0.1", "primary failure proposed"),
    "a clinician says that it failed": ("1-40:0.1 35:failed", "failed"),
    "no counts": ("35:failed", "failed"),
}


@pytest.mark.parametrize(("text", "expected"), FAILURES.values(), ids=FAILURES)
def test_a_failure_is_proposed_never_declared(text, expected):
    engraftment = find(text)
    assert engraftment.graft == expected
    is_below = "below 0.5 x 10*9/L" in engraftment.because
    assert is_below is expected.endswith("proposed")
    queries = list(query_graft_failure(read_counts(text), ANCHORS, load_measures()))
    assert len(queries) == expected.endswith("proposed")


@pytest.mark.parametrize(("last", "expected"), [(41, ""), (42, "primary failure proposed")])
def test_cord_blood_has_until_day_42(last, expected):
    assert find(f"1-{last}:0.1", anchors=replace(ANCHORS, donor="cord")).graft == expected


def test_after_a_relapse_low_counts_are_no_secondary_failure():
    text, anchors = "1-13:0.1 14-39:2 40-60:0.1", replace(ANCHORS, relapsed_at=day(50))
    assert (find(text).graft, find(text, anchors=anchors).graft) == (
        "secondary failure proposed",
        "",
    )


def test_a_second_graft_and_a_death_end_the_first():
    text = "1-35:0.1 40-45:0.8"
    assert describe_recovery(find(text).neutrophils) == "day 40"
    for end in ({"second_graft_at": day(38)}, {"died_at": day(38)}):
        anchors = replace(ANCHORS, **end)
        engraftment = find(text, anchors=anchors)
        assert describe_recovery(engraftment.neutrophils) == "not recovered, days 1 to 35"
        assert engraftment.graft == "primary failure proposed"
        assert not list(query_graft_failure(read_counts(text), anchors, load_measures()))


def test_without_a_graft_there_is_none():
    assert find("1-20:0.1", anchors=Anchors()) is None
    assert not list(query_graft_failure(read_counts("1-40:0.1"), Anchors(), load_measures()))


def test_days_are_those_of_the_site():
    anchors = replace(ANCHORS, timezone="Asia/Tokyo")
    counts = [
        lab("neutrophils", value, day(number) + timedelta(hours=12), UNIT, name=f"c{number}")
        for number, value in enumerate(["0.1"] * 13 + ["0.6"] * 3)
    ]
    engraftment = find_engraftment("P-001", counts, anchors, load_measures())
    assert describe_recovery(engraftment.neutrophils) == "day 14"


def test_the_fold_asks_and_a_correction_takes_the_question_back():
    counts = [structs.replace(one, series=one.id) for one in read_counts("1-31:0.1")]
    participant_fold = Fold("P-001", RULES)
    participant_fold.apply([fact(Transplant(), day(0), name="graft"), *counts])
    (query,) = [one for one in participant_fold.list_queries() if "graft?" in one.problem]
    assert query.problem == (
        "primary failure of the graft? no neutrophil recovery by day 30, below 0.5 x 10*9/L on day"
        " 31; chimerism and a clinician decide"
    )
    assert query.facts == ("c0-1", "c0-31")
    withdrawn_counts = [
        structs.replace(one, id=f"w{one.id}", status=Status.DELETED, reported_at=day(40))
        for one in counts[-3:]
    ]
    participant_fold.apply(withdrawn_counts)
    assert not [one for one in participant_fold.list_queries() if "graft?" in one.problem]
