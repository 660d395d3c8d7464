"""ICANS as ASTCT 2019 grades it, with the grade of CTCAE v6.0 beside it.

Source: Lee et al. 2019, Biol Blood Marrow Transplant 25:625-638, tables 4 to 6
"""

import pytest

from services.safety_rules.domain.syndromes import icans
from services.safety_rules.domain.syndromes.bedside import BedsideContext
from services.vocabulary.grade import Input
from tests.helpers.bedside_notes import describe_runs, find_runs, read_course
from tests.helpers.fact_notes import hours
from tests.helpers.protocols import PROTOCOL

V6 = "ctcae-6.0.immune-effector-cell-associated-neurotoxicity-syndrome"
INFUSION = "0 +blinatumomab; "


def runs(text):
    return find_runs(icans, read_course(text), PROTOCOL, BedsideContext())


DOMAINS = {  # what was assessed; ASTCT; CTCAE v6.0, which reads score and arousal alone
    # ICE score
    "ICE10 spontaneous": ("", ""),
    "ICE9 spontaneous": ("1", "1"),
    "ICE8 spontaneous": ("1", "1"),
    "ICE7 spontaneous": ("1", "1"),
    "ICE6 spontaneous": ("2", "2"),
    "ICE5": ("2", "2"),
    "ICE3 spontaneous": ("2", "2"),
    "ICE2 spontaneous": ("3", "3"),
    "ICE1 spontaneous": ("3", "3"),
    "ICE0 spontaneous": ("3", "3"),  # awake, with global aphasia
    "ICE0 voice": ("3", "3"),
    "ICE0 tactile": ("3", "3"),
    "ICE0 unarousable": ("4", "4"),
    "ICE0": ("3-4", "3-4"),
    # level of consciousness
    "ICE10 voice": ("2", "2"),
    "ICE9 voice": ("2", "2"),
    "ICE2 voice": ("3", "3"),
    "ICE9 tactile": ("3", "3"),
    "unarousable": ("4", "4"),
    # seizure
    "ICE10 spontaneous seizure:none": ("", ""),
    "ICE10 spontaneous seizure:brief": ("3", "0"),
    "ICE3 seizure:brief": ("3", "2"),
    "ICE10 spontaneous seizure:prolonged": ("4", "0"),
    "ICE0 unarousable seizure:brief": ("4", "4"),
    # motor weakness
    "ICE10 spontaneous motor:none": ("", ""),
    "ICE10 spontaneous motor:deep-focal": ("4", "0"),
    # raised intracranial pressure, edema
    "ICE10 spontaneous edema:none": ("", ""),
    "ICE8 edema:focal": ("3", "1"),
    "ICE8 edema:diffuse": ("4", "1"),
    # without an ICE score the other domains say how severe it is at least
    "spontaneous": ("0-3?", "0-3"),
    "voice": ("2-3", "2-3"),
    "tactile": ("3", "3"),
    "seizure:brief": ("3-4", "0-4"),
    "seizure:brief spontaneous": ("3", "0-3"),
    "edema:focal": ("3-4", "0-4"),
    "motor:deep-focal": ("4", "0-4"),
    # a score that cannot be
    "ICE11 spontaneous": ("0-3?", "0-3"),
    "ICE-1 spontaneous": ("0-3?", "0-3"),
    "ICE0.5 spontaneous": ("0-3?", "0-3"),
    "ICE<3 spontaneous": ("0-3?", "0-3"),
    # a word that nobody knows
    "ICE10 arousal:sleepy": ("0-4?", "0-4"),
    # children who cannot be scored by ICE
    "CAPD1 spontaneous": ("1", "1"),
    "CAPD8 spontaneous": ("1", "1"),
    "CAPD8 voice": ("2", "2"),
    "CAPD9 spontaneous": ("3", "3"),
    "CAPD8 tactile": ("3", "3"),
    "CAPD32 unarousable": ("4", "4"),
    "CAPD33": ("0-4?", "0-4"),
    "ICE8 CAPD9": ("1", "1"),
    # bleeding explains edema and weakness
    "ICE10 motor:deep-focal intracranial-hemorrhage:yes": ("", ""),
    "ICE10 edema:diffuse intracranial-hemorrhage:yes": ("", ""),
    "ICE5 edema:diffuse intracranial-hemorrhage:yes": ("2", "2"),
    "ICE10 seizure:brief intracranial-hemorrhage:yes": ("3", "0"),
    "ICE10 edema:diffuse intracranial-hemorrhage:no": ("4", "0"),
    # so does sedation a score of 0 and a sleep from which nobody wakes
    "ICE0 unarousable sedation:yes": ("0-4?", "0-4"),
    "ICE0 unarousable sedation:no": ("4", "4"),
    "ICE0 seizure:brief sedation:yes": ("3-4", "0-4"),
    "ICE0 seizure:prolonged sedation:yes": ("4", "0-4"),
    # of two assessments at one instant the worse counts
    "ICE8 ICE5": ("2", "2"),
    "ICE10 spontaneous voice": ("2", "2"),
    "ICE10 voice tactile": ("3", "3"),
    "ICE10 tactile unarousable": ("4", "4"),
    "ICE10 seizure:brief seizure:prolonged": ("4", "0"),
    "ICE10 edema:focal edema:diffuse": ("4", "0"),
    "ICE10 edema:diffuse intracranial-hemorrhage:yes intracranial-hemorrhage:no": ("", ""),
    "ICE0 unarousable sedation:no sedation:yes": ("0-4?", "0-4"),
}


@pytest.mark.parametrize(("signs", "grades"), DOMAINS.items(), ids=DOMAINS)
def test_the_worst_domain_is_the_grade(signs, grades):
    for order in (signs.split(), signs.split()[::-1]):
        icans_runs = runs(f"{INFUSION}2 {' '.join(order)}")
        grade = describe_runs(icans_runs).removeprefix("2:")
        assert (grade, str(icans_runs[0].other_scales[V6]) if icans_runs else "") == grades


COURSES = {
    "before the drug": ("-1 ICE5 spontaneous; 0 +blinatumomab", ""),
    "72 h after it": (INFUSION + "24 -blinatumomab; 96 ICE5 spontaneous", "96:2"),
    "a new bag": (INFUSION + "24 +blinatumomab -blinatumomab; 200 ICE5 spontaneous", "200:2"),
    "worse, then over": (
        INFUSION + "2 ICE8; 8 ICE5; 20 ICE1 tactile; 32 ICE9 spontaneous; 44 ICE10 spontaneous",
        "2:1 8:2 20:3 32:1 44:0",
    ),
    "it goes on after the window": (
        INFUSION + "2 ICE8; 24 -blinatumomab; 100 ICE5; 110 ICE10",
        "2:1 100:2 110:0",
    ),
    "ICE 24 h old": (INFUSION + "2 ICE5 spontaneous; 26 seizure:none", "2:2"),
    "ICE older": (INFUSION + "2 ICE5 spontaneous; 26.1 seizure:none", "2:2 26.1:0-4"),
    "ICE older, awake": (INFUSION + "2 ICE5; 26.1 spontaneous", "2:2 26.1:0-3"),
    "a seizure of yesterday": (
        INFUSION + "2 ICE10 seizure:brief; 26 ICE10 spontaneous; 26.1 ICE10",
        "2:3 26.1:0",
    ),
    "nothing was wrong": (INFUSION + "2 ICE10 spontaneous; 14 ICE10 spontaneous", ""),
    "perhaps, then not": (INFUSION + "2 spontaneous; 14 ICE10 spontaneous", "2:0-3 14:0?"),
    "perhaps, then certainly": (INFUSION + "2 spontaneous; 14 ICE8", "14:1"),
    "sedated, then certainly": (
        INFUSION + "2 ICE0 unarousable sedation:yes; 14 ICE4 voice sedation:no",
        "2:0-4 14:2",
    ),
    "perhaps, then sedated, then certainly": (
        INFUSION + "2 spontaneous; 4 sedation:yes; 14 ICE8 spontaneous sedation:no",
        "4:0-4 14:1",
    ),
    "sedated meanwhile": (
        INFUSION + "2 ICE5; 4 ICE0 sedation:yes; 14 ICE5 sedation:no; 20 ICE10 spontaneous",
        "2:2 4:0-4 14:2 20:0",
    ),
    "sedated, then well": (
        INFUSION + "2 ICE0 sedation:yes; 14 ICE10 spontaneous sedation:no",
        "2:0-4 14:0?",
    ),
    "certainly, then sedated, then well": (
        INFUSION + "2 ICE8; 4 ICE0 sedation:yes; 14 ICE10 spontaneous sedation:no",
        "2:1 4:0-4 14:0",
    ),
    "two": (
        INFUSION + "2 ICE8; 14 ICE10 spontaneous; 26 ICE10; 38 ICE7; 50 ICE10 spontaneous",
        "2:1 14:0 | 38:1 50:0",
    ),
}


SEEN_BEFORE = {  # what was assessed before the infusion, and after it; the episode
    "ICE 8": ("-3 ICE8 spontaneous", "ICE8 spontaneous", ""),
    "ICE 8, better": ("-3 ICE8 spontaneous", "ICE9 spontaneous", ""),
    "ICE 8, one point less": ("-3 ICE8 spontaneous", "ICE7 spontaneous", "2:1"),
    "ICE 8, two less": ("-3 ICE8 spontaneous", "ICE6 spontaneous", "2:1-2"),
    "ICE 8, four less": ("-3 ICE8 spontaneous", "ICE4 spontaneous", "2:2"),
    "ICE 8, six less": ("-3 ICE8 spontaneous", "ICE2 spontaneous", "2:2-3"),
    "ICE 8, all lost": ("-3 ICE8 spontaneous", "ICE0 spontaneous", "2:3"),
    "ICE 8, awakens to voice": ("-3 ICE8 spontaneous", "ICE8 voice", "2:2"),
    "ICE 8 of an hour before": ("-3 ICE8 spontaneous", "spontaneous", ""),
    "ICE 5, all lost": ("-3 ICE5", "ICE0 spontaneous", "2:2-3"),
    "ICE 0": ("-3 ICE0 spontaneous", "ICE0 spontaneous", ""),
    "ICE 0, perhaps unarousable": ("-3 ICE0", "ICE0", "2:0-4?"),
    "ICE 0, unarousable": ("-3 ICE0 spontaneous", "ICE0 unarousable", "2:4"),
    "the usual score is that of most days": ("-51 ICE8; -27 ICE8; -3 ICE4", "ICE6", "2:1-2"),
    "of two scores the better": ("-27 ICE9; -3 ICE6", "ICE7", "2:1"),
    "7 days before": ("-168 ICE8", "ICE8", ""),
    "earlier than that": ("-168.1 ICE8", "ICE8", "2:1"),
    "a score that cannot be": ("-3 ICE11", "ICE8", "2:1"),
    "a score under sedation": ("-3 ICE2 sedation:yes", "ICE2 spontaneous sedation:no", "2:3"),
    "a score after sedation": ("-9 sedation:yes; -3 sedation:no ICE8", "ICE8", ""),
    "CAPD 6": ("-3 CAPD6 spontaneous", "CAPD6 spontaneous", ""),
    "CAPD 6, then delirium": ("-3 CAPD6 spontaneous", "CAPD9 spontaneous", "2:3"),
    "CAPD 9": ("-3 CAPD9 spontaneous", "CAPD9 spontaneous", ""),
    "CAPD 9, eight more": ("-3 CAPD9 spontaneous", "CAPD17 spontaneous", "2:1-3"),
    "CAPD 9, nine more": ("-3 CAPD9 spontaneous", "CAPD18 spontaneous", "2:3"),
    "CAPD 6, two more": ("-3 CAPD6 spontaneous", "CAPD8 spontaneous", "2:1"),
    "an old stroke": ("-3 ICE10 motor:deep-focal", "ICE10 motor:deep-focal", ""),
    "focal edema, then diffuse": ("-3 ICE10 edema:focal", "ICE10 edema:diffuse", "2:4"),
    "sleepy before": ("-3 ICE10 voice", "ICE10 voice", ""),
    "sleepy before, worse": ("-3 ICE10 voice", "ICE10 tactile", "2:3"),
    "a word that nobody knows": ("-3 ICE10 arousal:sleepy", "ICE10 voice", "2:2"),
    "a seizure is an event, not a state": ("-3 ICE10 seizure:brief", "ICE10 seizure:brief", "2:3"),
    "at the start of the infusion": ("-3 ICE10; 0 ICE8", "ICE8", "0:1"),
}


@pytest.mark.parametrize(("before", "signs", "episodes"), SEEN_BEFORE.values(), ids=SEEN_BEFORE)
def test_what_was_there_before_exposure_is_no_new_sign(before, signs, episodes):
    assert describe_runs(runs(f"{before}; {INFUSION}2 {signs}")) == episodes


def test_the_other_scale_leaves_out_what_was_there_before():
    (icans_run,) = runs(f"-3 ICE8 spontaneous; {INFUSION}2 ICE6 spontaneous seizure:brief")
    assert str(icans_run.other_scales[V6]) == "1-2"
    assert icans_run.history[0].missing == ()
    (icans_run,) = runs(f"-3 ICE8 spontaneous; {INFUSION}2 ICE6 spontaneous")
    assert icans_run.history[0].missing == (Input.TEXT,)


# The study drug acts from hour 0 to 72 h after its stop at hour 24.
STOPPED_DRUG = INFUSION + "24 -blinatumomab; "
OUTSIDE_WINDOW = {
    "just after the window": (STOPPED_DRUG + "96.01 ICE5 spontaneous", "96.01:2 outside"),
    "five days after the infusion": (
        STOPPED_DRUG + "144 ICE1 voice seizure:brief; 168 ICE10 spontaneous seizure:none",
        "144:3 168:0 outside",
    ),
    "a seizure alone": (STOPPED_DRUG + "144 seizure:brief spontaneous", "144:3 outside"),
    "weakness of a sedated person": (
        STOPPED_DRUG + "144 sedation:yes motor:deep-focal",
        "144:4 outside",
    ),
    "a word that cannot be read": (STOPPED_DRUG + "144 ICE10 seizure:maybe", "144:0-4? outside"),
    "nothing that was noticed": (STOPPED_DRUG + "144 spontaneous", ""),
    "sedation is no sign": (STOPPED_DRUG + "144 sedation:yes", ""),
    "well": (STOPPED_DRUG + "144 ICE10 spontaneous", ""),
    "before the drug": ("-1 ICE5 spontaneous; 0 +blinatumomab; 2 ICE10", ""),
    "without the drug": ("144 ICE5 spontaneous", ""),
    "a single dose 72 h ago": ("0 blinatumomab=9; 72 ICE5", "72:2"),
    "a single dose longer ago": ("0 blinatumomab=9; 72.01 ICE5", "72.01:2 outside"),
    "a start that was lost": ("0 -blinatumomab; 72.01 ICE5", "72.01:2 outside"),
    "it began inside": (STOPPED_DRUG + "96 ICE8; 97 ICE1 spontaneous", "96:1 97:3"),
    "it goes on inside the next course": (
        STOPPED_DRUG + "100 ICE8; 110 +blinatumomab; 112 ICE5 spontaneous",
        "100:1 112:2",
    ),
    "it is over before the next course": (
        STOPPED_DRUG + "100 ICE8; 110 +blinatumomab; 112 ICE10 spontaneous",
        "100:1 112:0 outside",
    ),
    "one inside, one outside": (
        STOPPED_DRUG + "30 ICE8; 40 ICE10 spontaneous; 100 ICE5 spontaneous",
        "30:1 40:0 | 100:2 outside",
    ),
}


@pytest.mark.parametrize(("text", "episodes"), OUTSIDE_WINDOW.values(), ids=OUTSIDE_WINDOW)
def test_signs_outside_the_inducer_window_are_marked(text, episodes):
    assert describe_runs(runs(text)) == episodes


@pytest.mark.parametrize(("text", "episodes"), COURSES.values(), ids=COURSES)
def test_a_course(text, episodes):
    assert describe_runs(runs(text)) == episodes


MISSING = {
    "ICE0": (Input.AROUSAL,),
    "seizure:brief": (Input.ICE, Input.AROUSAL),
    "voice": (Input.ICE,),
    "seizure:brief sedation:yes": (Input.ICE, Input.AROUSAL, Input.UNSEDATED_ASSESSMENT),
    "ICE5": (),
}


@pytest.mark.parametrize(("signs", "missing"), MISSING.items(), ids=MISSING)
def test_what_would_settle_it_is_named(signs, missing):
    (icans_run,) = runs(f"{INFUSION}2 {signs}")
    assert set(icans_run.history[-1].missing) == set(missing)


def test_time_under_sedation_stays_in_what_may_have_been_and_begins_nothing():
    (icans_run,) = runs(
        f"{INFUSION}2 ICE0 unarousable sedation:yes; 14 ICE4 voice sedation:no; 20 ICE10"
    )
    assert (icans_run.onset_not_before, icans_run.onset_at) == (hours(2), hours(14))
    assert icans_run.history[0].because == "sedated"
    assert str(icans_run.other_scales[V6]) == "2-4"


def test_the_other_scale_has_the_worst_of_its_own_episode():
    first, second = runs(
        f"{INFUSION}2 ICE8; 14 ICE1 spontaneous; 26 ICE10 spontaneous; 38 ICE10 seizure:brief"
    )
    assert (str(first.other_scales[V6]), str(second.other_scales[V6])) == ("3", "0")
