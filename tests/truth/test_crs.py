"""Cytokine release syndrome as ASTCT 2019 grades it, with CTCAE v5.0 and v6.0 beside it.

Each row is a course (see `tests.helpers.bedside_notes`) and the episodes that a clinician
would write down.
Source: Lee et al. 2019, Biol Blood Marrow Transplant 25:625-638, table 2
"""

from dataclasses import replace
from datetime import timedelta

import pytest
from msgspec import structs

from services.runtime.drug_classes import load_drug_classes
from services.runtime.measures import load_measures
from services.safety_rules.domain.ctcae.compiled import CompiledCriteria
from services.safety_rules.domain.ctcae.rule_book import Rules
from services.safety_rules.domain.episodes import confounders
from services.safety_rules.domain.grade_runs.grade_run import GradeRun
from services.safety_rules.domain.participant.fold import Fold
from services.safety_rules.domain.syndromes import crs
from services.safety_rules.domain.syndromes.bedside import BedsideContext
from services.vocabulary.clinical_fact import (
    Action,
    Administration,
    Culture,
    Death,
    Movement,
    Observation,
    Transplant,
)
from services.vocabulary.episode import Change, EpisodeState, Span
from services.vocabulary.grade import Grade, Input
from services.vocabulary.judgement import Adjudication, Verdict
from tests.helpers.bedside_notes import describe_runs, find_runs, read_course
from tests.helpers.fact_notes import HOUR_ZERO, fact, hours, lab, status
from tests.helpers.protocols import PROTOCOL

USUAL = "-1 T36.8 BP120 RA; 0 +blinatumomab; "  # well before the infusion, which starts at 0
WELL, WELL_ON_AIR = "T37.0 BP120", "T37.0 BP120 RA"
V5, V6 = "ctcae-5.0.cytokine-release-syndrome", "ctcae-6.0.cytokine-release-syndrome"


def runs(text, context=None):
    return find_runs(crs, read_course(text), PROTOCOL, context or BedsideContext())


def table(rows):
    return pytest.mark.parametrize(("text", "episodes"), rows.values(), ids=rows)


OPENS = {
    "38.0 is fever": (USUAL + "2 T38.0", "2:1"),
    "37.9 is none": (USUAL + "2 T37.9", ""),
    "100.4 F is 38.0 C": (USUAL + "2 T100.4F", "2:1"),
    "100.3 F is none": (USUAL + "2 T100.3F", ""),
    "no drug": ("1 BP120 RA; 2 T39.0", ""),
    "fever before the infusion": ("-2 T39.0 BP120 RA; 0 +blinatumomab; 2 T37.0", ""),
    "as the infusion starts": ("-1 BP120 RA; 0 +blinatumomab T38.5", "0:1"),
    "72 h after its stop": (USUAL + "24 -blinatumomab; 96 T38.5 BP120", "96:1"),
    "later than that": (USUAL + "24 -blinatumomab; 96.1 T38.5 BP120", ""),
    "the pump stood still": (USUAL + "24 ~blinatumomab=0; 97 T38.5 BP120", ""),
    "another rate": (USUAL + "24 ~blinatumomab=28; 200 T38.5 BP120", "200:1"),
    "restarted": (USUAL + "24 -blinatumomab; 150 +blinatumomab; 151 T38.5 BP120", "151:1"),
    "a new bag": (USUAL + "24 +blinatumomab -blinatumomab; 200 T38.5 BP120", "200:1"),
    "never without fever": (USUAL + "2 T37.9 BP70 NRB@15 +norepinephrine", ""),
    "only a bound": (USUAL + "2 T<39", "2:0-1?"),
    "Fahrenheit taken for Celsius": (USUAL + "2 T98.6", "2:0-1?"),
    "a bound below fever": (USUAL + "2 T<38", ""),
    "a bound above fever": (USUAL + "2 T>=38.0", "2:1"),
    "no unit that fits": (USUAL + "2 temperature:warm", "2:0-1?"),
    "a bound, then fever": (USUAL + "2 T<39; 3 T<=38; 4 T38.5", "2:0-1 4:1"),
    "a vasopressor while nobody could read it": (
        USUAL + "2 T<39; 3 +norepinephrine; 3.5 -norepinephrine BP120; 4 T38.5",
        "2:0-1 3:0-3 3.5:0-1 4:1",
    ),
    "a bound, then none": (USUAL + "2 T<39; 4 T37.0", "2:0-1 4:0?"),
}


@table(OPENS)
def test_fever_opens_an_episode_where_the_drug_may_have_caused_it(text, episodes):
    assert describe_runs(runs(text)) == episodes


# The study drug acts from hour 0 to 72 h after its stop at hour 24.
STOPPED_DRUG = USUAL + "24 -blinatumomab; "
OUTSIDE_WINDOW = {
    "fever alone": (STOPPED_DRUG + "100 T38.5 BP120 RA", ""),
    "fever, and nobody charted the rest": (STOPPED_DRUG + "100 T39.0", ""),
    "at the end of the window": (STOPPED_DRUG + "96 T38.5 BP80 RA", "96:2"),
    "after it, fever with hypotension": (STOPPED_DRUG + "96.01 T38.5 BP80 RA", "96.01:2? outside"),
    "fever with hypoxia": (STOPPED_DRUG + "100 T38.5 BP120 NC@2", "100:2? outside"),
    "fever, then a pressor": (
        STOPPED_DRUG + "100 T38.5 BP120 RA; 103 +norepinephrine",
        "100:1 103:3? outside",
    ),
    "fever, then hypotension without it": (
        STOPPED_DRUG + "100 T38.5 BP120 RA; 106 T37.0 BP80",
        "",
    ),
    "a treated fever, then hypotension": (
        STOPPED_DRUG + "100 T38.5 BP120 RA; 101 acetaminophen; 106 T37.0 BP80",
        "100:1 106:2? outside",
    ),
    "hypotension without fever": (STOPPED_DRUG + "100 T37.0 BP80 RA", ""),
    "it resolves": (
        STOPPED_DRUG
        + f"100 T38.5 BP80 RA; 104 {WELL_ON_AIR}; 116 {WELL_ON_AIR}; 128 {WELL_ON_AIR}",
        "100:2 104:0? outside",
    ),
    "a course begins meanwhile": (
        STOPPED_DRUG + "100 T38.5 BP80 RA; 110 +blinatumomab; 112 T38.5 BP80",
        "100:2 112:0? outside | 112:2",
    ),
    "a fever alone before the next course": (
        STOPPED_DRUG + "100 T38.5 BP120 RA; 110 +blinatumomab; 112 T38.5 BP80",
        "112:2",
    ),
    "it began inside": (STOPPED_DRUG + "90 T38.5 BP120 RA; 100 T38.5 BP80", "90:1 100:2"),
    "before the drug": ("-2 T38.5 BP80 RA; 0 +blinatumomab; 5 T37.0 BP120", ""),
    "without the drug": ("100 T38.5 BP80 RA", ""),
}


@table(OUTSIDE_WINDOW)
def test_signs_outside_the_inducer_window_are_only_possible(text, episodes):
    assert describe_runs(runs(text)) == episodes


def test_the_onset_may_be_as_early_as_a_reading_that_leaves_it_open():
    (crs_run,) = runs(USUAL + "2 T<39; 3 T<=38; 4 T38.5")
    assert (crs_run.onset_not_before, crs_run.onset_at) == (hours(2), hours(4))


GRAFTS = {  # donor, hour of the fever; graft at midnight, so day 14 ends after 360 hours
    "on the day": ("haploidentical", 0, "0:1"),
    "late on day 14": ("haploidentical", 359.9, "359.9:1"),
    "on day 15": ("haploidentical", 360, ""),
    "on the day before": ("haploidentical", -0.1, ""),
    "another donor": ("matched-related", 5, ""),
    "donor not known": ("", 5, ""),
}


@pytest.mark.parametrize(("donor", "hour", "episodes"), GRAFTS.values(), ids=GRAFTS)
def test_a_haploidentical_graft_may_cause_it_too_to_day_14(donor, hour, episodes):
    midnight = BedsideContext(HOUR_ZERO, donor, "Etc/GMT+8")
    assert describe_runs(runs(f"{hour} T38.5 BP120 RA", midnight)) == episodes


PRESSURE = {
    "90 is enough": (USUAL + "2 T38.5 BP90", "2:1"),
    "89 is low": (USUAL + "2 T38.5 BP89", "2:2"),
    "fluids at a normal pressure": (USUAL + "2 T38.5 BP95; 3 fluid-bolus=500", "2:1 3:1-2"),
    "fluids over an hour": (USUAL + "2 T38.5; 3 +fluid-bolus; 4 -fluid-bolus", "2:1 3:1-2"),
    "fluids, and a normal pressure at the same instant": (
        USUAL + "2 T38.5; 3 fluid-bolus BP110",
        "2:1 3:1-2",
    ),
    "fluids, and a low pressure at the same instant": (
        USUAL + "2 T38.5; 3 fluid-bolus BP85",
        "2:1 3:2",
    ),
    "fluids 12 h before": (USUAL + "2 T38.5; 3 fluid-bolus; 15 T38.5", "2:1 3:1-2"),
    "fluids earlier than that": (USUAL + "2 T38.5; 3 fluid-bolus; 15.1 T38.5", "2:1 3:1-2"),
    "fluids for a low pressure, 12 h before": (
        USUAL + "2 T38.5 BP85; 3 fluid-bolus; 15 T38.5",
        "2:2",
    ),
    "fluids for a low pressure, earlier than that": (
        USUAL + "2 T38.5 BP85; 3 fluid-bolus; 15.1 T38.5",
        "2:2 15.1:1-2",
    ),
    "fluids, and no pressure was ever taken": (
        "-1 RA; 0 +blinatumomab; 2 T38.5 fluid-bolus",
        "2:1-2",
    ),
    "fluids 12 h after a low pressure": (
        USUAL + "1 BP85; 2 T38.5; 13 fluid-bolus T38.5",
        "2:2",
    ),
    "fluids later than that": (
        USUAL + "1 BP85; 2 T38.5; 13.1 fluid-bolus T38.5",
        "2:2 13.1:1-2",
    ),
    "it held after fluids": (USUAL + "2 T38.5; 3 fluid-bolus; 4 BP110", "2:1 3:1-2 4:1"),
    "it did not hold": (USUAL + "2 T38.5 BP85; 3 fluid-bolus; 4 BP80", "2:2"),
    "it fell after fluids": (USUAL + "2 T38.5; 3 fluid-bolus; 4 BP80", "2:1 3:1-2 4:2"),
    "never measured": ("-1 RA; 0 +blinatumomab; 2 T38.5", "2:1-2"),
    "12 h old": (USUAL + "11 T38.5", "11:1"),
    "older": (USUAL + "11.1 T38.5", "11.1:1-2"),
    "only a bound": (USUAL + "2 T38.5 BP<100", "2:1-2"),
    "a bound below it": (USUAL + "2 T38.5 BP<90", "2:2"),
    "a bound above it": (USUAL + "2 T38.5 BP>=90", "2:1"),
    "the usual pressure only a bound": ("-1 BP>150 RA; 0 +blinatumomab; 2 T38.5 BP95", "2:1"),
    "a number that cannot be": (USUAL + "2 T38.5 BP1100", "2:1-2"),
    "a pressure that cannot be": (USUAL + "2 T38.5 BP19", "2:1-2"),
    "the least that can be": (USUAL + "2 T38.5 BP20", "2:2"),
    "the usual pressure cannot be": ("-1 BP1200 RA; 0 +blinatumomab; 2 T38.5 BP95", "2:1"),
    "one vasopressor": (USUAL + "2 T38.5 BP130 +norepinephrine", "2:3"),
    "with vasopressin": (USUAL + "2 T38.5 +norepinephrine +vasopressin", "2:3"),
    "vasopressin alone": (USUAL + "2 T38.5 +vasopressin", "2:3"),
    "two": (USUAL + "2 T38.5 +norepinephrine +epinephrine", "2:3-4"),
    "two for an hour": (USUAL + "2 T38.5 +norepinephrine +epinephrine; 3 BP100", "2:4"),
    "two for less, so far": (
        USUAL + "2 T38.5 +norepinephrine +epinephrine; 2.99 BP100",
        "2:3-4",
    ),
    "two for an hour, then one": (
        USUAL + "2 T38.5 +norepinephrine +epinephrine; 3 -epinephrine",
        "2:4 3:3",
    ),
    "two for less, then one": (
        USUAL + "2 T38.5 +norepinephrine +epinephrine; 2.99 -epinephrine; 5 BP100",
        "2:3-4 2.99:3",
    ),
    "two for less, twice": (
        USUAL + "2 T38.5 +norepinephrine +epinephrine; 2.6 -epinephrine; 3 +epinephrine;"
        "3.6 -epinephrine",
        "2:3-4 2.6:3 3:3-4 3.6:3",
    ),
    "two, first for less": (
        USUAL + "2 T38.5 +norepinephrine +epinephrine; 2.6 -epinephrine; 3 +epinephrine; 4 BP90",
        "2:3-4 2.6:3 3:4",
    ),
    "two, of which one has a new bag": (
        USUAL + "2 T38.5 +norepinephrine +epinephrine; 2.5 -epinephrine +epinephrine; 3 BP90",
        "2:4",
    ),
    "two, of which one has another rate": (
        USUAL + "2 T38.5 +norepinephrine +epinephrine=8; 2.5 ~epinephrine=4; 3 BP90",
        "2:4",
    ),
    "two since before the fever": (
        USUAL + "1.5 +norepinephrine +epinephrine; 2 T38.5; 2.5 T38.5",
        "2:4",
    ),
    "two for an hour before the fever": (
        USUAL + "1 +norepinephrine +epinephrine; 2 T38.5",
        "2:4",
    ),
    "two, after a grade 4 by oxygen": (
        USUAL + "2 T38.5 CPAP; 3 RA +norepinephrine +epinephrine; 4 T38.5",
        "2:4",
    ),
    "two, and then a grade 4 by oxygen": (
        USUAL + "2 T38.5 +norepinephrine +epinephrine; 2.5 CPAP; 4 T38.5",
        "2:4",
    ),
    "two, fever gone": (
        USUAL + "2 T38.5; 6 T37.0 +norepinephrine +epinephrine; 8 T37.0",
        "2:1 6:1-4",
    ),
    "one of them into a muscle": (
        USUAL + "2 T38.5 +norepinephrine +epinephrine/IM; 4 T38.5",
        "2:3",
    ),
    "a dose beside an infusion": (
        USUAL + "2 T38.5 +norepinephrine; 3 epinephrine=1; 4 BP100",
        "2:3 3:3-4 4:3",
    ),
    "a second one later": (USUAL + "2 T38.5 +norepinephrine; 3 +dopamine", "2:3 3:3-4"),
    "a second one, an hour later": (
        USUAL + "2 T38.5 +norepinephrine; 3 +dopamine; 4 BP100",
        "2:3 3:4",
    ),
    "one after the other": (
        USUAL + "2 T38.5 +norepinephrine; 3 -norepinephrine +epinephrine",
        "2:3",
    ),
    "running before the fever": (USUAL + "1 +norepinephrine; 2 T38.5", "2:3"),
    "stopped before the fever": (
        USUAL + "0.5 +norepinephrine; 1 -norepinephrine; 2 T38.5",
        "2:1",
    ),
    "stopped": (USUAL + "2 T38.5 +norepinephrine; 4 -norepinephrine BP110", "2:3 4:1"),
    "stopped at rate 0": (USUAL + "2 T38.5 +norepinephrine; 4 ~norepinephrine=0 BP110", "2:3 4:1"),
    "stopped, and low": (USUAL + "2 T38.5 +norepinephrine; 4 -norepinephrine BP85", "2:3 4:2"),
    "one of two stopped": (
        USUAL + "2 T38.5 +norepinephrine +epinephrine; 4 -epinephrine",
        "2:4 4:3",
    ),
    "at a lower rate": (USUAL + "2 T38.5 +norepinephrine=8; 4 ~norepinephrine=2", "2:3"),
    "an inotrope": (USUAL + "2 T38.5 +dobutamine", "2:1"),
    "epinephrine into a muscle": (USUAL + "2 T38.5; 3 epinephrine=1/IM", "2:1"),
    "epinephrine by nebuliser": (USUAL + "2 T38.5; 3 +epinephrine/NEB", "2:1"),
}


@table(PRESSURE)
def test_hypotension_is_graded_by_what_it_takes(text, episodes):
    assert describe_runs(runs(text)) == episodes


SEEN_BEFORE = {  # pressures and devices before the infusion; a fever with these signs; the episode
    "39 below the usual": ("-30 BP160; -1 BP160 RA", "BP121", "2:1"),
    "40 below the usual": ("-30 BP160; -1 BP160 RA", "BP120", "2:2"),
    "40 below the only pressure": ("-1 BP160 RA", "BP120", "2:1-2"),
    "39 below the only pressure": ("-1 BP160 RA", "BP121", "2:1"),
    "one high pressure": ("-3 BP120 RA; -0.5 BP165", "BP124", "2:1"),
    "one low pressure": ("-50 BP150 RA; -26 BP150; -1 BP100", "BP110", "2:2"),
    "the mean of two": ("-3 BP140 RA; -1 BP150", "BP105", "2:2"),
    "above the mean of two less 40": ("-3 BP140 RA; -1 BP150", "BP106", "2:1"),
    "no more than 7 days before": ("-168 BP160; -1 BP160 RA", "BP120", "2:2"),
    "earlier than that": ("-168.01 BP160; -1 BP160 RA", "BP120", "2:1-2"),
    "a usual pressure that is low": ("-30 BP86; -1 BP88 RA", "BP87", "2:1"),
    "lower than the usual": ("-30 BP86; -1 BP88 RA", "BP86", "2:1-2"),
    "lower than any before": ("-30 BP86; -1 BP88 RA", "BP85", "2:2"),
    "a bound below it": ("-30 BP86; -1 BP88 RA", "BP<88", "2:1-2"),
    "a bound below any before": ("-30 BP86; -1 BP88 RA", "BP<86", "2:2"),
    "a usual pressure at the limit": ("-30 BP90; -1 BP90 RA", "BP89", "2:2"),
    "a usual pressure below the limit": ("-30 BP89; -1 BP90 RA", "BP89", "2:1-2"),
    "low once, usually not": ("-50 BP120 RA; -26 BP120; -1 BP84", "BP84", "2:2"),
    "low, the only pressure": ("-1 BP86 RA", "BP86", "2:1-2"),
    "lower than the only pressure": ("-1 BP86 RA", "BP85", "2:2"),
    "home oxygen": ("-30 BP120 NC@2", "BP120", "2:1"),
    "home oxygen, charted again": ("-30 BP120 NC@2", "BP120 NC@2", "2:1"),
    "less of it": ("-30 BP120 NC@2", "BP120 NC@1", "2:1"),
    "more of it": ("-30 BP120 NC@2", "BP120 NC@2.5", "2:2"),
    "much more of it": ("-30 BP120 NC@2", "BP120 NC@7", "2:3"),
    "an unknown flow of it": ("-30 BP120 NC@2", "BP120 NC", "2:1-3"),
    "home oxygen of unknown flow": ("-30 BP120 NC", "BP120 NC@2", "2:1-2"),
    "the same flow, more oxygen": ("-30 BP120 NC@2 F28", "BP120 NC@2 F36", "2:2"),
    "the highest flow before": ("-30 BP120 NC@4; -5 NC@2", "BP120 NC@4", "2:1"),
    "another device": ("-30 BP120 NC@2", "BP120 MASK@2", "2:3"),
    "oxygen by no known device": ("-30 BP120 @2", "BP120 @2", "2:1"),
    "more oxygen by no known device": ("-30 BP120 @2", "BP120 @3", "2:2-4"),
    "oxygen that was over": ("-30 BP120 NC@2; -25 RA", "BP120 NC@2", "2:2"),
    "on another day too": ("-30 BP120 NC@2; -18 NC@2; -17 RA", "BP120 NC@2", "2:1"),
    "on the same day": ("-30 BP120 NC@2; -18.1 NC@2; -17 RA", "BP120 NC@2", "2:2"),
    "on a day more than 7 days before": (
        "-168.1 NC@2; -150 NC@2; -149 BP120 RA",
        "BP120 NC@2",
        "2:2",
    ),
    "CPAP of every night": (
        "-62 CPAP; -54 RA; -38 CPAP; -30 RA; -14 CPAP; -6 BP120 RA",
        "BP120 CPAP",
        "2:1-4",
    ),
    "with as much oxygen": (
        "-38 CPAP F30; -30 RA; -14 CPAP F30; -6 BP120 RA",
        "BP120 CPAP F30",
        "2:1",
    ),
    "with more oxygen": (
        "-38 CPAP F30; -30 RA; -14 CPAP F30; -6 BP120 RA",
        "BP120 CPAP F31",
        "2:4",
    ),
    "CPAP of one night": ("-14 CPAP; -6 BP120 RA", "BP120 CPAP", "2:4"),
    "CPAP of every night, then a ventilator": (
        "-38 CPAP; -30 RA; -14 CPAP; -6 BP120 RA",
        "BP120 VENT",
        "2:4",
    ),
    "a device that nobody knows": ("-30 BP120 oxygen-device:tent", "BP120", "2:1-4"),
    "a ventilator at home": ("-30 BP120 VENT F30", "BP120 VENT F30", "2:1"),
}


@pytest.mark.parametrize(("before", "signs", "episodes"), SEEN_BEFORE.values(), ids=SEEN_BEFORE)
def test_what_was_there_before_exposure_is_no_new_sign(before, signs, episodes):
    assert describe_runs(runs(f"{before}; 0 +blinatumomab; 2 T38.5 {signs}")) == episodes


AFTER_EXPOSURE = {
    "a pressure as the infusion starts": (
        "-30 BP160 RA; -1 BP160; 0 +blinatumomab BP90; 2 T38.5 BP120",
        "2:2",
    ),
    "oxygen as the infusion starts": (
        "-30 BP120 RA; 0 +blinatumomab NC@2; 20 NC@2; 22 T38.5 BP120",
        "22:2",
    ),
    "before the first infusion, not the second": (
        USUAL + "24 -blinatumomab; 300 NC@2; 320 NC@2; 330 +blinatumomab; 332 T38.5 BP120",
        "332:2",
    ),
    "home oxygen hinders no recovery": (
        f"-1 BP120 NC@2; 0 +blinatumomab; 2 T38.5; 6 {WELL}; 18 {WELL}; 30 {WELL}",
        "2:1 6:0",
    ),
    "the nights hinder no recovery": (
        (
            "-38 CPAP; -30 RA; -14 CPAP; -6 BP120 RA; 0 +blinatumomab; 2 T38.5; 3 CPAP;"
            f"6 RA {WELL}; 18 {WELL}; 20 CPAP; 29 RA; 30 {WELL}; 31 {WELL}"
        ),
        "2:1 3:1-4 6:0",
    ),
}


@table(AFTER_EXPOSURE)
def test_what_came_with_exposure_is_not_usual(text, episodes):
    assert describe_runs(runs(text)) == episodes


OXYGEN_AROUND_GRAFT = {
    "before it": ("-5 BP120 NC@2; 30 T38.5 BP120", "30:1"),
    "after it": ("-5 BP120 RA; 5 NC@2; 25 NC@2; 30 T38.5 BP120", "30:2"),
    "between it and the infusion": (
        "-5 BP120 RA; 400 NC@2; 500 +blinatumomab; 502 T38.5 BP120",
        "502:1",
    ),
    "before it, and the infusion begins soon": (
        "-5 BP120 NC@2; 5 RA; 200 +blinatumomab; 202 T38.5 BP120 NC@2",
        "202:1",
    ),
    "before it, not before the infusion": (
        "-5 BP120 NC@2; 5 RA; 500 +blinatumomab; 502 T38.5 BP120 NC@2",
        "502:2",
    ),
}


@table(OXYGEN_AROUND_GRAFT)
def test_a_graft_that_may_cause_it_is_exposure_too(text, episodes):
    context = BedsideContext(HOUR_ZERO, "haploidentical", "Etc/GMT+8")
    assert describe_runs(runs(text, context)) == episodes


def test_the_protocol_says_for_how_long_two_vasopressors_run_together():
    limits = replace(PROTOCOL.bedside, pressor_overlap=timedelta(hours=2))
    protocol = replace(PROTOCOL, bedside=limits)
    course = USUAL + "2 T38.5 +norepinephrine +epinephrine; "
    grades = [
        describe_runs(find_runs(crs, read_course(course + later), protocol, BedsideContext()))
        for later in ("3.9 BP100", "4 BP100")
    ]
    assert grades == ["2:3-4", "2:4"]


# What a fever goes along with: ASTCT, CTCAE v5.0 (by inspired oxygen), CTCAE v6.0 (by device)
SCALES = {
    "RA": ("1", "1", "1"),
    "BP85": ("2", "2", "2"),
    "fluid-bolus": ("1-2", "1-2", "1-2"),
    "BP85 fluid-bolus": ("2", "2", "2"),
    "+norepinephrine": ("3", "3", "3"),
    "+norepinephrine +vasopressin": ("3", "3", "3"),
    "+norepinephrine +epinephrine": ("3-4", "3-4", "3-4"),
    "+norepinephrine +epinephrine; 4 T38.5": ("4", "3-4", "3-4"),
    "NC@2": ("2", "2-3", "2"),
    "NC@2 F28": ("2", "2", "2"),
    "NC@6 F44": ("2", "3", "2"),
    "NC@6.1 F39": ("3", "2", "3"),
    "NC@2 F0.4": ("2", "2-3", "2"),  # a fraction, charted as percent
    "NC@2 F20.9": ("2", "2-3", "2"),  # less than air
    "NC@2 F21": ("2", "2", "2"),
    "NC@2 F100": ("2", "3", "2"),
    "NC@2 F100.1": ("2", "2-3", "2"),
    "NC@2 F>4000": ("2", "2-3", "2"),
    "NC@100 F39": ("3", "2", "3"),
    "NC@100.1 F39": ("2-3", "2", "2-3"),
    "NC": ("2-3", "2-3", "2-3"),
    "BLOWBY": ("2", "2-3", "2"),
    "HFNC@4": ("3", "2-3", "3"),
    "HFNC@30 F30": ("3", "2", "3"),
    "HFNC@30 F40": ("3", "3", "3"),
    "MASK@5": ("3", "2-3", "3"),
    "NRB@15": ("3", "3", "3"),
    "VENTURI@4 F35": ("3", "2", "3"),
    "VENTURI F40": ("3", "3", "3"),
    "TRACH F50": ("3", "3", "3"),
    "CPAP F50": ("4", "3-4", "4"),
    "BIPAP": ("4", "2-4", "4"),
    "VENT": ("4", "4", "4"),
    "AIRWAY": ("1", "1", "1"),
    "HOMECPAP": ("1", "1", "1"),
    "RA@10": ("1", "1", "1"),
    "oxygen-device:tent": ("1-4", "1-4", "1-4"),
    "NC@2 BP85": ("2", "2-3", "2"),
    "NC@2 +norepinephrine": ("3", "3", "3"),
    "NRB@15 BP85": ("3", "3", "3"),
    "MASK@5 +norepinephrine +epinephrine": ("3-4", "3-4", "3-4"),
}


@pytest.mark.parametrize(("signs", "grades"), SCALES.items(), ids=SCALES)
def test_one_episode_has_a_grade_on_each_scale(signs, grades):
    (crs_run,) = runs(USUAL + f"2 T39.5 {signs}")
    assert (str(crs_run.history[-1].span), *map(str, _ctcae_spans(crs_run))) == grades


def _ctcae_spans(crs_run):
    return crs_run.other_scales[V5], crs_run.other_scales[V6]


NO_DEVICE = "-1 BP120; 0 +blinatumomab; "
OXYGEN = {
    "never charted": (NO_DEVICE + "2 T38.5", "2:1-4"),
    "a flow without a device": (NO_DEVICE + "2 T38.5 @3", "2:2-4"),
    "no flow, no device": (NO_DEVICE + "2 T38.5 @0", "2:1"),
    "a flow that cannot be, without a device": (NO_DEVICE + "2 T38.5 @4000", "2:1-4"),
    "a device stays until it is changed": (USUAL + "2 T38.5 NC@2; 60 T38.5 BP120", "2:2"),
    "and then is no more": (USUAL + "2 T38.5 NC@2; 3 RA", "2:2 3:1"),
    "a flow from before the device": (USUAL + "1 MASK@8; 2 T38.5 NC", "2:2-3"),
    "worse, then better": (USUAL + "2 T38.5 NC@2; 3 HFNC@40; 4 VENT; 6 NC@3", "2:2 3:3 4:4 6:2"),
}


@table(OXYGEN)
def test_hypoxia_is_graded_by_the_device_and_only_then_by_the_flow(text, episodes):
    assert describe_runs(runs(text)) == episodes


def test_a_flow_without_a_device_leaves_every_scale_open():
    (crs_run,) = runs(NO_DEVICE + "2 T38.5 @3")
    assert [str(span) for span in _ctcae_spans(crs_run)] == ["2-4", "2-4"]


def test_what_is_not_known_is_named():
    (crs_run,) = runs("0 +blinatumomab; 2 T38.5")
    assert crs_run.history[-1].missing == (Input.BLOOD_PRESSURE, Input.OXYGEN_DEVICE)
    (crs_run,) = runs(USUAL + "2 T38.5 NC; 14.5 BP120")
    assert crs_run.history[0].missing == (Input.OXYGEN_FLOW,)
    assert crs_run.history[1].missing == (Input.OXYGEN_FLOW, Input.TEMPERATURE)
    (crs_run,) = runs(USUAL + "2 T38.5; 3 T37.0 BP85")  # all is known, and the scale does not say
    assert crs_run.history[1].missing == (Input.TEXT,)
    (crs_run,) = runs(USUAL + "2 T38.5 BP85; 6 T37.0 BP120")
    assert (str(crs_run.history[1].span), crs_run.history[1].missing) == ("1", ())
    two_pressors = "0 +blinatumomab; 2 T38.5 +norepinephrine +epinephrine"
    (crs_run,) = runs(two_pressors)
    assert crs_run.history[0].missing == (Input.PRESSOR_OVERLAP, Input.OXYGEN_DEVICE)
    (crs_run,) = runs(two_pressors + "; 3 BP100")
    assert crs_run.history[0].missing == ()  # no device is worse than two vasopressors
    (crs_run,) = runs(USUAL + "2 T38.5; 3 fluid-bolus")
    assert crs_run.history[1].missing == (Input.FLUID_REASON,)
    (crs_run,) = runs("-1 RA BP160; 0 +blinatumomab; 2 T38.5 BP100")
    assert crs_run.history[0].missing == (Input.USUAL_PRESSURE,)
    (crs_run,) = runs("-30 BP86; -1 RA BP88; 0 +blinatumomab; 2 T38.5 BP86")
    assert crs_run.history[0].missing == (Input.TEXT,)  # known, and a clinician decides
    (crs_run,) = runs("-1 RA BP160; 0 +blinatumomab; 2 T38.5 BP>=90")
    assert crs_run.history[0].missing == (Input.BLOOD_PRESSURE,)
    (crs_run,) = runs("-1 CPAP BP120; 0 +blinatumomab; 2 T38.5")
    assert crs_run.history[0].missing == (Input.FIO2,)
    (crs_run,) = runs("-1 NC BP120; 0 +blinatumomab; 2 T38.5")
    assert crs_run.history[0].missing == (Input.OXYGEN_FLOW,)
    (crs_run,) = runs("-1 RA; 0 +blinatumomab; 2 T38.5 fluid-bolus")
    assert crs_run.history[0].missing == (Input.BLOOD_PRESSURE,)


AFEBRILE = "; 6 T37.0 BP80"
WAIVER = {
    "not treated": (USUAL + "2 T38.5" + AFEBRILE, "2:1 6:1-2"),
    "not treated, a vasopressor": (USUAL + "2 T38.5; 6 T37.0 +norepinephrine", "2:1 6:1-3"),
    "not treated, hypoxia": (USUAL + "2 T38.5; 6 T37.0 HFNC@30", "2:1 6:1-3"),
    "not treated, neither": (USUAL + "2 T38.5; 6 T37.0", "2:1"),
    "fever again": (USUAL + "2 T38.5" + AFEBRILE + "; 7 T38.0", "2:1 6:1-2 7:2"),
    "temperature 12 h old": (USUAL + "2 T38.5; 14 BP80", "2:1 14:2"),
    "temperature older": (USUAL + "2 T38.5; 14.1 BP80", "2:1 14.1:1-2"),
    "older, but treated": (USUAL + "2 T38.5; 3 tocilizumab; 15 BP80", "2:1 15:2"),
    "antipyretic": (USUAL + "2 T38.5; 3 acetaminophen" + AFEBRILE, "2:1 6:2"),
    "anticytokine": (USUAL + "2 T38.5; 3 tocilizumab" + AFEBRILE, "2:1 6:2"),
    "steroid": (USUAL + "2 T38.5; 3 dexamethasone=10" + AFEBRILE, "2:1 6:2"),
    "treated, neither": (USUAL + "2 T38.5; 3 tocilizumab; 6 T37.0", "2:1"),
    "treated in the minute of the fever": (USUAL + "2 T38.5 tocilizumab" + AFEBRILE, "2:1 6:2"),
    "treated before it opened": (USUAL + "1 acetaminophen; 2 T38.5" + AFEBRILE, "2:1 6:1-2"),
    "treated in an earlier episode": (
        USUAL + "2 T38.5; 3 tocilizumab; 6 T37 BP120; 18 T37 BP120; 30 T37 BP120;"
        "60 T38.5 BP120; 61 T37.0 BP80",
        "2:1 6:0 | 60:1 61:1-2",
    ),
    "the protocol's premedication": (
        USUAL + "2 T38.5; 3 premed:dexamethasone=20" + AFEBRILE,
        "2:1 6:1-2",
    ),
    "premedication, then a dose for it": (
        USUAL + "-0.9 premed:dexamethasone=20; 2 T38.5; 3 dexamethasone=10" + AFEBRILE,
        "2:1 6:2",
    ),
    "a steroid goes on": (
        USUAL + "-30 +prednisone=40; 2 T38.5; 3 ~prednisone=40" + AFEBRILE,
        "2:1 6:1-2",
    ),
    "a steroid is tapered": (
        USUAL + "-30 +prednisone=40; 2 T38.5; 3 ~prednisone=20" + AFEBRILE,
        "2:1 6:1-2",
    ),
    "a steroid is raised": (
        USUAL + "-30 +prednisone=40; 2 T38.5; 3 ~prednisone=80" + AFEBRILE,
        "2:1 6:2",
    ),
    "a steroid goes on, in grams": (
        USUAL + "-30 +prednisone=40; 2 T38.5; 3 ~prednisone=0.04g" + AFEBRILE,
        "2:1 6:1-2",
    ),
    "a steroid is raised, in grams": (
        USUAL + "-30 +prednisone=40; 2 T38.5; 3 ~prednisone=0.041g" + AFEBRILE,
        "2:1 6:2",
    ),
    "a steroid is stopped": (
        USUAL + "-30 +prednisone=40; 2 T38.5; 3 -prednisone" + AFEBRILE,
        "2:1 6:1-2",
    ),
    "another steroid is added": (
        USUAL + "-30 +prednisone=40; 2 T38.5; 3 dexamethasone=10" + AFEBRILE,
        "2:1 6:2",
    ),
    "a daily steroid goes on": (
        USUAL + "-45 prednisone=40; -21 prednisone=40; 2 T38.5; 3 prednisone=40" + AFEBRILE,
        "2:1 6:1-2",
    ),
    "a daily steroid is raised": (
        USUAL + "-45 prednisone=40; -21 prednisone=40; 2 T38.5; 3 prednisone=80" + AFEBRILE,
        "2:1 6:2",
    ),
    "a daily steroid, 36 h after the last dose": (
        USUAL + "-57 prednisone=40; -33 prednisone=40; 2 T38.5; 3 prednisone=40" + AFEBRILE,
        "2:1 6:1-2",
    ),
    "a daily steroid, later than 36 h after the last dose": (
        USUAL + "-57 prednisone=40; -33.1 prednisone=40; 2 T38.5; 3 prednisone=40" + AFEBRILE,
        "2:1 6:2",
    ),
    "two doses 36 h apart are a daily steroid": (
        USUAL + "-57 prednisone=40; -21 prednisone=40; 2 T38.5; 3 prednisone=40" + AFEBRILE,
        "2:1 6:1-2",
    ),
    "two doses further apart are none": (
        USUAL + "-57.1 prednisone=40; -21 prednisone=40; 2 T38.5; 3 prednisone=40" + AFEBRILE,
        "2:1 6:2",
    ),
    "a daily steroid of long ago": (
        USUAL + "-150 prednisone=40; -126 prednisone=40; 2 T38.5; 3 prednisone=40" + AFEBRILE,
        "2:1 6:2",
    ),
    "one dose the day before is no daily steroid": (
        USUAL + "-21 hydrocortisone=100; 2 T38.5; 3 prednisone=40" + AFEBRILE,
        "2:1 6:2",
    ),
}


@table(WAIVER)
def test_fever_is_waived_once_the_syndrome_was_treated_and_only_then(text, episodes):
    assert describe_runs(runs(text)) == episodes


REASONS = {  # a course, and why it has the grade that it has at the end
    "2 T38.5": "fever, 38.5 Cel",
    "2 T38.5 BP84": "fever, 38.5 Cel; systolic pressure 84 mm[Hg], no vasopressor",
    "2 T38.5 BP84 +norepinephrine +vasopressin": (
        "fever, 38.5 Cel; a vasopressor (norepinephrine, vasopressin)"
    ),
    "2 T38.5 BP80 fluid-bolus": "fever, 38.5 Cel; a fluid bolus (fluid-bolus)",
    "2 T38.5 fluid-bolus": "fever, 38.5 Cel; a fluid bolus (fluid-bolus), pressure not low",
    "2 T38.5 +norepinephrine +epinephrine": (
        "fever, 38.5 Cel; several vasopressors (epinephrine, norepinephrine)"
    ),
    "2 T38.5 +norepinephrine NC@6": "fever, 38.5 Cel; a vasopressor (norepinephrine)",
    "2 T38.5 NC@6.5": "fever, 38.5 Cel; nasal cannula at 6.5 L/min, more than 6",
    "2 T38.5; 3 tocilizumab; 4 T37 CPAP": "fever waived after treatment; cpap",
    "2 T38.5; 4 T37 CPAP": "fever gone, not treated; cpap",
    "2 T38.5; 15 BP120 CPAP": "temperature not known; cpap",
}


@pytest.mark.parametrize(("text", "because"), REASONS.items(), ids=REASONS)
def test_a_grade_says_why(text, because):
    (crs_run,) = runs(USUAL + text)
    assert crs_run.history[-1].because == because


def test_ctcae_asks_for_fever_at_grade_1_alone():
    (crs_run,) = runs(USUAL + "2 T38.5; 6 T37.0 +norepinephrine")
    assert [str(span) for span in _ctcae_spans(crs_run)] == ["3", "3"]


RESOLVES = {
    "after 24 h, at their start": (USUAL + f"2 T38.5; 6 {WELL}; 18 {WELL}; 30 {WELL}", "2:1 6:0"),
    "not before": (USUAL + f"2 T38.5; 6 {WELL}; 18 {WELL}; 29.9 {WELL}", "2:1"),
    "not with one more fever": (
        USUAL + f"2 T38.5; 6 {WELL}; 20 T38.0 BP120; 26 {WELL}; 38 {WELL}; 49 {WELL}",
        "2:1",
    ),
    "from the last fever on": (
        USUAL + f"2 T38.5; 6 {WELL}; 20 T38.0 BP120; 26 {WELL}; 38 {WELL}; 50 {WELL}",
        "2:1 26:0",
    ),
    "not on oxygen": (USUAL + f"2 T38.5 NC@2; 6 {WELL}; 18 {WELL}; 30 {WELL}", "2:2 6:1-2"),
    "off oxygen": (
        USUAL + f"2 T38.5 NC@2; 6 {WELL}; 20 {WELL} RA; 32 {WELL}; 44 {WELL}",
        "2:2 6:1-2 20:0",
    ),
    "not on a vasopressor": (
        USUAL + f"2 T38.5; 3 tocilizumab +norepinephrine; 6 {WELL}; 18 {WELL}; 30 {WELL}",
        "2:1 3:3",
    ),
    "a pressure that is not known does not begin it": (
        USUAL + f"2 T38.5; 20 T37.0; 32 {WELL}; 44 {WELL}; 56 {WELL}",
        "2:1 20:1-2 32:0",
    ),
    "an antipyretic hides a fever for 6 h": (
        USUAL + f"2 T38.5; 3 acetaminophen; 6 {WELL}; 10 {WELL}; 22 {WELL}; 34 {WELL}",
        "2:1 10:0",
    ),
    "to the last instant of the 6 h": (
        USUAL + f"2 T38.5; 3 acetaminophen; 9 {WELL}; 21 {WELL}; 33 {WELL}; 45 {WELL}",
        "2:1 21:0",
    ),
    "after the 6 h it shows": (
        USUAL + f"2 T38.5; 3 acetaminophen; 9.1 {WELL}; 21 {WELL}; 33 {WELL}; 33.1 {WELL}",
        "2:1 9.1:0",
    ),
    "what it hid is not shown later": (
        USUAL + f"2 T38.5; 3 acetaminophen; 8 {WELL}; 10 BP120; 16 {WELL}; 28 {WELL}; 39 {WELL}",
        "2:1",
    ),
    "the reading before the antipyretic counts": (
        USUAL + f"2 T38.5; 4 {WELL}; 5 acetaminophen; 14 {WELL}; 28 {WELL}",
        "2:1 4:0",
    ),
    "48 h later a fever reopens it": (
        USUAL + f"2 T38.5; 6 {WELL}; 18 {WELL}; 30 {WELL}; 54 T38.0 BP120",
        "2:1",
    ),
    "later it is another": (
        USUAL + f"2 T38.5; 6 {WELL}; 18 {WELL}; 30 {WELL}; 54.1 T38.0 BP120",
        "2:1 6:0 | 54.1:1",
    ),
    "treated, hypotension reopens it": (
        USUAL + f"2 T38.5; 3 tocilizumab; 6 {WELL}; 18 {WELL}; 30 {WELL}; 40 T37.0 BP80",
        "2:1 40:2",
    ),
    "treated, no sign reopens nothing": (
        USUAL + f"2 T38.5; 3 tocilizumab; 6 {WELL}; 18 {WELL}; 30 {WELL}; 40 {WELL}",
        "2:1 6:0",
    ),
    "reopened, it is graded without another temperature": (
        USUAL + f"2 T38.5; 6 {WELL}; 18 {WELL}; 30 {WELL}; 40 T38.5 BP120; 42 BP80",
        "2:1 42:2",
    ),
    "reopened, it is over once more after 24 h": (
        USUAL
        + f"2 T38.5; 6 {WELL}; 18 {WELL}; 30 {WELL}; 40 T38.5; 44 {WELL}; 56 {WELL}; 68 {WELL}",
        "2:1 44:0",
    ),
    "not treated, it does not": (
        USUAL + f"2 T38.5; 6 {WELL}; 18 {WELL}; 30 {WELL}; 40 T37.0 BP80",
        "2:1 6:0",
    ),
}


@table(RESOLVES)
def test_it_is_over_after_24_hours_without_all_three(text, episodes):
    assert describe_runs(runs(text)) == episodes


# PROTOCOL: two looks further apart than 14 days, with none between, are not one episode
SILENCES = {
    "less than 14 days": (USUAL + "2 T38.5; 337.999 T38.5 BP120", "2:1"),
    "exactly 14 days": (USUAL + "2 T38.5; 338 T38.5 BP120", "2:1"),
    "more than 14 days": (USUAL + "2 T38.5; 338.001 T38.5 BP120", "2:1 | 338.001:1"),
    "it counts from the last look": (USUAL + "2 T38.5; 5 T38.5; 341 T38.5 BP120", "2:1"),
}


@table(SILENCES)
def test_a_silence_longer_than_the_gap_ends_an_episode_that_nobody_saw_the_end_of(text, episodes):
    assert describe_runs(runs(text)) == episodes


# A pressor or a device of which nobody charted the end; 72 h after its last charting it is unknown.
EVERY_12_HOURS = "; ".join(f"{hour} {WELL}" for hour in (6, 18, 30, 42, 54, 66, 74))
UNENDED_SUPPORT = {  # the course, the episode, its earliest end
    "a pressor, until the discharge": (
        f"2 T38.5 +norepinephrine; 6 {WELL}; 18 {WELL}; 30 {WELL}; 41 discharged",
        "2:3 6:1-3 41:0",
        6,
    ),
    "treated": (
        (
            "2 T38.5 +norepinephrine; 3 tocilizumab;"
            f"6 {WELL}; 18 {WELL}; 30 {WELL}; 41 discharged; 60 {WELL}"
        ),
        "2:3 41:0",
        6,
    ),
    "discharged before a day without signs": (
        f"2 T38.5 +norepinephrine; 30 {WELL}; 41 discharged; 53.9 {WELL}",
        "2:3 30:1-3 41:1",
        None,
    ),
    "a day without signs, with the time before": (
        f"2 T38.5 +norepinephrine; 30 {WELL}; 41 discharged; 54 {WELL}",
        "2:3 30:1-3 41:0",
        30,
    ),
    "discharged with a low pressure": (
        f"2 T38.5 +norepinephrine; 30 {WELL}; 40 BP80; 41 discharged",
        "2:3 30:1-3 41:1-2",
        None,
    ),
    "discharged, nobody measured": (
        "2 T38.5 +norepinephrine; 41 discharged",
        "2:3 41:1-2",
        None,
    ),
    "stopped as they go": (
        f"2 T38.5 +norepinephrine; 6 {WELL}; 30 {WELL}; 41 discharged -norepinephrine; 65 {WELL}",
        "2:3 6:1-3 41:0",
        None,
    ),
    "fever after the discharge": (
        "2 T38.5 +norepinephrine; 49 T38.5 BP120; 50 discharged; 51 T38.5",
        "2:3 50:1",
        None,
    ),
    "started again after the discharge": (
        "2 T38.5 +norepinephrine; 49 T38.5 BP120; 50 discharged; 51 T38.5 +norepinephrine",
        "2:3 50:1 51:3",
        None,
    ),
    "a pressor for 72 h": (f"2 T38.5 +norepinephrine; {EVERY_12_HOURS}", "2:3 6:1-3", None),
    "for longer": (
        f"2 T38.5 +norepinephrine; {EVERY_12_HOURS}; 74.1 {WELL}",
        "2:3 6:1-3 74.1:0",
        6,
    ),
    "another rate meanwhile": (
        f"2 T38.5 +norepinephrine; {EVERY_12_HOURS}; 70 ~norepinephrine=2; 74.1 {WELL}",
        "2:3 6:1-3",
        None,
    ),
    "a fever goes on": ("2 T38.5 +norepinephrine; 74.1 T38.5 BP120", "2:3 74.1:1-3", None),
    "a fever with a low pressure": (
        "2 T38.5 +norepinephrine; 74.1 T38.5 BP80",
        "2:3 74.1:2-3",
        None,
    ),
    "a second pressor then": (
        "2 T38.5 +norepinephrine; 74.1 T38.5 +epinephrine; 76 BP120",
        "2:3 74.1:3-4",
        None,
    ),
    "two pressors, of which nothing was charted since": (
        "2 T38.5 +norepinephrine +epinephrine; 74.1 T38.5 BP120",
        "2:3-4 74.1:1-4",
        None,
    ),
    "two pressors, until the discharge": (
        "2 T38.5 +norepinephrine +epinephrine; 3 discharged",
        "2:4 3:1",
        None,
    ),
    "a cannula for 72 h": (f"2 T38.5 NC@2; {EVERY_12_HOURS}", "2:2 6:1-2", None),
    "a cannula for longer": (
        f"2 T38.5 NC@2; {EVERY_12_HOURS}; 74.1 {WELL}",
        "2:2 6:1-2 74.1:0",
        6,
    ),
    "its flow meanwhile": (
        f"2 T38.5 NC@2; {EVERY_12_HOURS}; 60 @2; 74.1 {WELL}",
        "2:2 6:1-2",
        None,
    ),
    "its flow, and longer": (
        f"2 T38.5 NC@2; {EVERY_12_HOURS}; 20 @2; 84 {WELL}; 92.1 {WELL}",
        "2:2 6:1-2 92.1:0",
        20,
    ),
    "a cannula, until the discharge": (
        f"2 T38.5 NC@2; 6 {WELL}; 18 {WELL}; 30 {WELL}; 41 discharged",
        "2:2 6:1-2 41:0",
        6,
    ),
    "a cannula charted before the discharge": (
        f"2 T38.5 NC@2; 6 {WELL}; 18 {WELL}; 30 {WELL}; 41 NC@2 {WELL}; 41.5 discharged",
        "2:2 6:1-2",
        None,
    ),
    "a cannula, and a fever goes on": ("2 T38.5 NC@2; 74.1 T38.5 BP120", "2:2 74.1:1-2", None),
    "a ventilator, and the next fever": (
        f"2 T38.5 VENT; {EVERY_12_HOURS}; 74.1 {WELL}; 400 T38.5 BP120",
        "2:4 6:1-4 74.1:0 | 400:1-4",
        6,
    ),
    "a pressor, and the next fever": (
        f"2 T38.5 +norepinephrine; {EVERY_12_HOURS}; 74.1 {WELL}; 400 T38.5 BP120",
        "2:3 6:1-3 74.1:0 | 400:1",
        6,
    ),
    "a pressor without a fever at the time": (
        "2 +norepinephrine; 74 T38.5 BP120; 74.1 BP120",
        "74:3 74.1:1-3",
        None,
    ),
    "a pressor that had lapsed before the fever": (
        "2 +norepinephrine; 74.1 T38.5 BP120",
        "74.1:1",
        None,
    ),
    "room air needs no end": (f"1 RA; {EVERY_12_HOURS}; 80 T38.5", "80:1", None),
}


@pytest.mark.parametrize(
    ("text", "episodes", "not_before"), UNENDED_SUPPORT.values(), ids=UNENDED_SUPPORT
)
def test_support_whose_end_nobody_charted_ends_at_an_unknown_time(text, episodes, not_before):
    crs_runs = runs(USUAL + text)
    assert describe_runs(crs_runs) == episodes
    earliest_end = None if not_before is None else hours(not_before)
    assert crs_runs[0].resolved_not_before == earliest_end


def test_a_discharge_that_was_cancelled_ends_no_support():
    facts = read_course(USUAL + f"2 T38.5 +norepinephrine; 6 {WELL}; 30 {WELL}; 41 {WELL}")
    cancel = fact(Movement("discharge", cancelled=True), 41, name="cancel")
    (crs_run,) = find_runs(crs, [*facts, cancel], PROTOCOL, BedsideContext())
    assert crs_run.resolved_at is None


SIMULTANEOUS_READINGS = {
    "T37.2 T38.0": "2:1",
    "T38.5 BP110 BP85": "2:2",
    "T38.5 RA NC@4": "2:2",
    "T38.5 NC@4 @8": "2:3",
    "T38.5 VENT oxygen-device:tent": "2:4",
    "T38.5 T98.6": "2:1",
    "T38.5 BP85 BP12": "2:2",
    "T38.5 NC@8 @4000": "2:3",
}


@pytest.mark.parametrize(
    ("words", "episodes"), SIMULTANEOUS_READINGS.items(), ids=SIMULTANEOUS_READINGS
)
def test_of_two_readings_at_one_instant_the_worse_counts(words, episodes):
    for order in (words.split(), words.split()[::-1]):
        assert describe_runs(runs(USUAL + "2 " + " ".join(order))) == episodes


@pytest.mark.parametrize(("letter", "provisional"), [("P", True), ("F", False), ("C", False)])
def test_it_is_provisional_while_what_it_rests_on_is(letter, provisional):
    facts = [structs.replace(one, status=status(letter)) for one in read_course(USUAL + "2 T38.5")]
    (crs_run,) = find_runs(crs, facts, PROTOCOL, BedsideContext())
    assert crs_run.provisional is provisional


ONSET = GradeRun(hours(0), (Change(hours(0), Span(Grade.MILD, Grade.MILD), ""),), hours(0))


def administer(drug, action=Action.DOSE):
    return Administration(drug, action)


CONFOUNDERS = {  # what there was, hours from the onset, what it is called
    "culture 48 h before": (fact(Culture(positive=True), -48), "positive culture"),
    "culture 48 h after": (fact(Culture(positive=True), 48), "positive culture"),
    "culture later": (fact(Culture(positive=True), 49), None),
    "sterile culture": (fact(Culture(positive=False), 1), None),
    "neutrophils 0.49": (
        lab("neutrophils", "0.49", hours(-72), "10*9/L"),
        "neutrophils below 0.5 x 10*9/L",
    ),
    "neutrophils 490 per uL": (
        lab("neutrophils", "490", hours(-1), "/uL"),
        "neutrophils below 0.5 x 10*9/L",
    ),
    "neutrophils <0.5": (
        lab("neutrophils", "<0.5", hours(-1), "10*9/L"),
        "neutrophils below 0.5 x 10*9/L",
    ),
    "neutrophils 0.5": (lab("neutrophils", "0.5", hours(-1), "10*9/L"), None),
    "neutrophils not counted": (fact(Observation("neutrophils", text="CLOTTED"), -1), None),
    "neutrophils in percent": (lab("neutrophils", "0.3", hours(-1), "%"), None),
    "neutrophils of last week": (lab("neutrophils", "0.1", hours(-73), "10*9/L"), None),
    "transfusion": (fact(administer("transfusion"), -6), "transfusion within 6 h"),
    "a transfusion begun": (
        fact(administer("transfusion", Action.START), -2),
        "transfusion within 6 h",
    ),
    "transfusion before": (fact(administer("transfusion"), -7), None),
    "transfusion after": (fact(administer("transfusion"), 1), None),
    "antibiotics": (fact(administer("meropenem", Action.START), 24), "antibiotics started"),
    "antibiotics later": (fact(administer("meropenem", Action.START), 25), None),
    "antibiotics stopped": (fact(administer("meropenem", Action.STOP), 1), None),
    "no antibiotic": (fact(administer("acetaminophen"), 1), None),
}


@pytest.mark.parametrize(("candidate", "name"), CONFOUNDERS.values(), ids=CONFOUNDERS)
def test_what_else_could_explain_the_fever_is_named(candidate, name):
    events = confounders.ConfounderEvents()
    if confounders.may_confound(candidate, PROTOCOL):
        events.change(candidate, stands=True)
    assert events.find_names(ONSET) == ((name,) if name else ())


TRANSPLANT = fact(Transplant("matched-related"), -1000)
HAPLOIDENTICAL_TRANSPLANT = fact(Transplant("haploidentical"), -24)


def fold_course(text, *facts, graft=TRANSPLANT):
    rules = Rules(
        PROTOCOL, CompiledCriteria({}, {}), {}, "a test", load_measures(), load_drug_classes()
    )
    fold = Fold("P-001", rules)
    fold.apply([graft, *read_course(text), *facts])
    return fold


def fold_records(text, *facts, graft=TRANSPLANT):
    return fold_course(text, *facts, graft=graft).list_records()


OPEN = USUAL + "2 T38.5 +norepinephrine"
RESOLVED_COURSE = USUAL + f"2 T38.5; 6 {WELL}; 18 {WELL}; 30 {WELL}"
DEATHS = {
    "of the syndrome": (OPEN, Death("astct-2019.crs"), 5),
    "of an unknown cause": (OPEN, Death(), 3),
    "of another cause": (OPEN, Death("infection"), 3),
    "after it was over": (RESOLVED_COURSE, Death("astct-2019.crs"), 5),
}


@pytest.mark.parametrize(("text", "death", "worst"), DEATHS.values(), ids=DEATHS)
def test_grade_5_takes_a_death_adjudicated_to_it(text, death, worst):
    (record,) = fold_records(text, fact(death, 40))
    assert record.worst == Span(Grade(worst), Grade(worst))


DOUBTFUL = STOPPED_DRUG + "100 T38.5 BP80 NRB; 101 +norepinephrine"
CONFIRMATION = Adjudication("astct-2019.crs", Verdict.CONFIRM, "Dr A", "sterile", hours(200))
REJECTION = Adjudication("astct-2019.crs", Verdict.REJECT, "Dr A", "pneumonia", hours(200))
REGRADE = Adjudication("astct-2019.crs", Verdict.REGRADE, "Dr A", "seen", hours(200), 2)
DECISIONS = {
    "nobody decided": ((), "0-3 possible", True),
    "confirmed": ((fact(CONFIRMATION, 100),), "3", False),
    "rejected": ((fact(REJECTION, 100),), "0-3 possible", False),
    "regraded": ((fact(REGRADE, 100),), "2", False),
    "died of it": ((fact(Death("astct-2019.crs"), 110),), "5", False),
}


@pytest.mark.parametrize(("facts", "worst", "is_queried"), DECISIONS.values(), ids=DECISIONS)
def test_signs_outside_the_inducer_window_wait_for_a_person(facts, worst, is_queried):
    fold = fold_course(DOUBTFUL, *facts)
    (record,) = fold.list_records()
    assert f"{record.worst}{' possible' * record.possible}" == worst
    assert record.outside_inducer_window
    low_ends = {span.at_least for span in record.other_scales.values()}
    assert (low_ends == {Grade.NONE}) == record.possible
    problem = "Cytokine release syndrome (ASTCT) may be grade 3; missing: inducer in its window"
    assert [one.problem for one in fold.list_queries()] == [problem] * is_queried


def test_possible_signs_of_any_grade_outside_the_window_are_queried():
    (query,) = fold_course(STOPPED_DRUG + "100 T38.5 BP80 RA").list_queries()
    assert query.problem.startswith("Cytokine release syndrome (ASTCT) may be grade 2")


def test_a_fever_of_another_cause_is_rejected_and_its_confounders_stay():
    verdict = Adjudication("astct-2019.crs", Verdict.REJECT, "Dr A", "line infection", hours(50))
    (record,) = fold_records(OPEN, fact(verdict, 3), fact(Culture(positive=True), 1))
    assert record.state is EpisodeState.REJECTED
    assert record.confounders == ("positive culture",)


def test_nobody_has_seen_what_the_machine_made():
    (record,) = fold_records(OPEN)
    assert (record.state, record.treatment_day) == (EpisodeState.SUSPECTED, 1)
    assert record.onset_at - hours(0) == timedelta(hours=2)


@pytest.mark.parametrize(("hour", "is_before"), [(-0.1, True), (0, False), (0.1, False)])
def test_what_begins_as_the_study_drug_does_is_not_from_before_exposure(hour, is_before):
    infusion = fact(administer("blinatumomab", Action.START), 0)
    text = f"-2 BP120 RA; {hour} T38.5"
    (record,) = fold_records(text, infusion, graft=HAPLOIDENTICAL_TRANSPLANT)
    assert record.onset_at == hours(hour)
    assert record.before_exposure is is_before
