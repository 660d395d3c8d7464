"""Records of GVHD from signs and stages, on days after the transplant.

Sources: Harris et al. 2016, Biol Blood Marrow Transplant 22:4-10; Jagasia et al. 2015, Biol Blood
Marrow Transplant 21:389-401; docs/decisions/gvhd.md
"""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from random import Random

import pytest
from msgspec import structs

from services.safety_rules.domain.endpoints.gvhd_grades import (
    list_acute_grades,
    list_chronic_grades,
)
from services.safety_rules.domain.participant.fold import Fold
from services.vocabulary.clinical_fact import Action, Administration, Death, Enrolment, Transplant
from services.vocabulary.episode import EpisodeState
from services.vocabulary.fact import Status
from services.vocabulary.judgement import Adjudication, Verdict
from services.vocabulary.protocol_event import EventPattern
from services.vocabulary.quantity import Quantity
from tests.helpers.fact_notes import fact
from tests.helpers.gvhd_notes import day, read_gvhd_facts
from tests.helpers.random_trials import RULES

ACUTE, CHRONIC = "magic-2016.acute-gvhd", "nih-2014.chronic-gvhd"
INFUSION = Administration("blinatumomab", Action.START, Quantity(Decimal(8), "ug/d"))
GRAFT = (
    fact(Enrolment("north"), day(-10), name="enrolled"),
    fact(Transplant(), day(0), name="graft"),
)
TREATED = (*GRAFT, fact(INFUSION, day(70), name="infused"))


def fold(*facts):
    participant_fold = Fold("P-001", RULES)
    participant_fold.apply(facts)
    return participant_fold


def records(text, *others, criterion=ACUTE):
    participant_fold = fold(*GRAFT, *others, *read_gvhd_facts(text))
    return participant_fold.group_by_criterion().get(criterion, ())


def describe(record):
    """``30 II | 37 0-III | 44 end``: each change of the grade on its day."""
    parts = [f"{days_of(change.at):g} {change.span}" for change in record.history]
    if record.resolved_at is not None:
        parts.append(f"{days_of(record.resolved_at):g} end")
    return " | ".join(parts) + ("?" if record.possible else "")


def days_of(instant):
    return (instant - day(0)) / timedelta(days=1)


COURSES = {
    # signs that are all charted, with a bilirubin of the laboratory
    "nothing": ("29 lab=0.8 | 30 rash=0 clear", ""),
    "rash of a tenth": ("29 lab=0.8 | 30 rash=10 clear", "30 1"),
    "rash of half": ("29 lab=0.8 | 30 rash=50 clear", "30 1"),
    "rash of more than half": ("29 lab=0.8 | 30 rash=50.1 clear", "30 2"),
    "bullae on it": ("29 lab=0.8 | 30 rash=60 bullae clear", "30 4"),
    "bullae on less": ("29 lab=0.8 | 30 rash=50 bullae clear", "30 1"),
    "upper gut, persistent": ("29 lab=0.8 | 30 rash=0 upper=persistent stool=0", "30 2"),
    "upper gut, intermittent": ("29 lab=0.8 | 30 rash=0 upper=intermittent stool=0", ""),
    "stool just short": ("29 lab=0.8 | 30 rash=0 upper=none stool=499", ""),
    "stool of 500": ("29 lab=0.8 | 30 rash=0 upper=none stool=500", "30 2"),
    "stool of 1000": ("29 lab=0.8 | 30 rash=0 upper=none stool=1000", "30 3"),
    "stool of 1501": ("29 lab=0.8 | 30 rash=0 upper=none stool=1501", "30 3"),
    "episodes alone": ("29 lab=0.8 | 30 rash=0 upper=none episodes=5", "30 3"),
    "the volume beats episodes": ("29 lab=0.8 | 30 rash=0 upper=none stool=100 episodes=9", ""),
    "blood, whatever the volume": ("29 lab=0.8 | 30 rash=0 upper=none stool=0 severe", "30 4"),
    "pain, volume unknown": ("29 lab=0.8 | 30 rash=0 upper=none severe", "30 4"),
    # what is not charted is any stage
    "no stool volume": ("29 lab=0.8 | 30 rash=10 upper=none", "30 1-4"),
    "no stool volume, no other sign": ("29 lab=0.8 | 30 rash=0 upper=none", "30 0-4?"),
    "no upper gut": ("29 lab=0.8 | 30 rash=10 stool=0", "30 1-2"),
    "no bilirubin": ("30 rash=10 clear", "30 1-4"),
    "no bilirubin, others decide": ("30 rash=60 bullae", "30 4"),
    "a bilirubin of a week ago": ("23 lab=0.8 | 30 rash=10 clear", "30 1"),
    "a bilirubin of more than a week ago": ("22.9 lab=0.8 | 30 rash=10 clear", "30 1-4"),
    # the liver
    "bilirubin charted as a sign": ("30 rash=0 bilirubin=2 clear", "30 2"),
    "bilirubin charted, just short": ("30 rash=0 bilirubin=1.99 clear", ""),
    "bilirubin charted, stage 2": ("30 rash=0 bilirubin=3.1 clear", "30 3"),
    "bilirubin charted, stage 4": ("30 rash=0 bilirubin=15.1 clear", "30 4"),
    "bilirubin of the laboratory beside a rash": ("30 lab=4 | 30 rash=10 clear", "30 3"),
    "the same in umol/L": ("30 lab=51 unit=umol/L | 30 rash=10 clear", "30 3"),
    "two of one instant, the smaller number worse": (
        "30 lab=3.5 | 30 lab=30 unit=mg/L | 30 rash=10 clear",
        "30 3",
    ),
    "two of one instant, the larger number worse": (
        "30 lab=3 | 30 lab=35 unit=mg/L | 30 rash=10 clear",
        "30 3",
    ),
    # 3.5 mg/dL is about 60 umol/L: stage 2; 35 umol/L is about 2.0 mg/dL: stage 1
    "two units of one instant, the smaller number worse": (
        "30 lab=3.5 | 30 lab=35 unit=umol/L | 30 rash=10 clear",
        "30 3",
    ),
    "the same, the other way round": (
        "30 lab=35 unit=umol/L | 30 lab=3.5 | 30 rash=10 clear",
        "30 3",
    ),
    "two units of one instant, the larger number worse": (
        "30 lab=2 | 30 lab=51 unit=umol/L | 30 rash=10 clear",
        "30 3",
    ),
    "one result in both units": ("30 lab=2 | 30 lab=34 unit=umol/L | 30 rash=10 clear", "30 2"),
    "both units at the end of stage 1": (
        "30 lab=3 | 30 lab=50 unit=umol/L | 30 rash=10 clear",
        "30 2",
    ),
    "both units below stage 1": (
        "30 lab=1.9 | 30 lab=33.9 unit=umol/L | 30 rash=10 clear",
        "30 1",
    ),
    "beside it a unit that does not fit, of a larger number": (
        "30 lab=3.5 | 30 lab=35 unit=U/L | 30 rash=10 clear",
        "30 3-4",
    ),
    "the same of a smaller number": (
        "30 lab=1 unit=U/L | 30 lab=3.5 | 30 rash=10 clear",
        "30 3-4",
    ),
    "beside it one that nobody has": ("30 lab=400 | 30 lab=3.5 | 30 rash=10 clear", "30 3-4"),
    "beside it a bound that is milder": (
        "30 lab=<20 unit=umol/L | 30 lab=3.5 | 30 rash=10 clear",
        "30 3",
    ),
    "beside it a bound that is worse": (
        "30 lab=>260 unit=umol/L | 30 lab=3.5 | 30 rash=10 clear",
        "30 4",
    ),
    "two charted at one instant, one that nobody has": (
        "30 rash=10 bilirubin=3.5 clear | 30 bilirubin=400",
        "30 3-4",
    ),
    "the last instant alone counts": (
        "30 lab=3.5 | 31 lab=35 unit=umol/L | 31 rash=10 clear",
        "31 2",
    ),
    "bilirubin of the laboratory alone": ("30 lab=4 | 30 rash=0 clear", "30 0-3?"),
    "bilirubin with another cause": ("30 lab=4 | 30 rash=10 clear other=liver", "30 1"),
    "the cause, said at the same time": ("30 rash=10 bilirubin=9 clear | 30 other=liver", "30 1"),
    "the cause, said later": ("30 lab=4 | 30 rash=10 clear | 31 other=liver", "30 3 | 31 1"),
    "the cause, forgotten after a week": (
        "30 lab=4 | 30 rash=10 clear other=liver | 37 rash=10 | 37 lab=4 | 38 rash=10 clear",
        "30 1 | 38 3",
    ),
    "it rises while the disease is there": (
        "30 lab=1 | 30 rash=10 clear | 32 lab=3.5",
        "30 1 | 32 3",
    ),
    "it rises after the signs are a week old": ("30 lab=1 | 30 rash=10 clear | 37.1 lab=9", "30 1"),
    "it rises where nothing is charted": ("30 lab=9", ""),
    "it rises after nothing was found": ("30 lab=1 | 30 rash=0 clear | 32 lab=9", ""),
    "it cannot be read": ("30 lab=400 | 30 rash=10 clear", "30 1-4"),
    "a later one without a number": ("29 lab=4 | 30 word | 30 rash=10 clear", "30 3"),
    "it is a bound": ("30 lab=<0.3 | 30 rash=10 clear", "30 1"),
    # stages by a clinician
    "staged": ("30 stage=3000", "30 2"),
    "staged, an organ missing": ("30 stage=100-", "30 1-4"),
    "a stage holds against the laboratory": ("30 stage=1000 | 31 lab=9", "30 1"),
    "for a week": ("30 stage=1000 | 37.5 lab=9 | 37.5 rash=10 clear", "30 1 | 37.5 3"),
    # several days
    "organs charted on different days": (
        "29 lab=1 | 30 rash=10 | 31 upper=none | 33 stool=0",
        "30 1-4 | 33 1",
    ),
    "it ends when nothing is left": ("30 stage=3000 | 37 lab=1 | 37 rash=0 clear", "30 2 | 37 end"),
    "silence does not end it": ("30 stage=3000 | 90 stage=0000", "30 2 | 90 end"),
    "it goes on over a gap": ("30 stage=1000 | 90 stage=0200", "30 1 | 90 3"),
    # children
    "a child of 20 kg": ("1 weight=20 | 29 lab=1 | 30 rash=0 upper=none stool=400", "30 3"),
    "a child, and at one instant a weight in pounds": (
        "1 weight=20 | 1 weight=44 unit=[lb_av] | 29 lab=1 | 30 rash=0 upper=none stool=400",
        "30 3",
    ),
    "a child, and the same in grams": (
        "1 weight=20 | 1 weight=20000 unit=g | 29 lab=1 | 30 rash=0 upper=none stool=400",
        "30 3",
    ),
    "a child, and at one instant more than anybody weighs": (
        "1 weight=20 | 1 weight=20000 | 29 lab=1 | 30 rash=0 upper=none stool=400",
        "30 3",
    ),
    "an adult": ("1 weight=51 | 29 lab=1 | 30 rash=0 upper=none stool=400", ""),
}


@pytest.mark.parametrize(("text", "expected"), COURSES.values(), ids=COURSES)
def test_the_course_of_acute_gvhd(text, expected):
    assert "; ".join(map(describe, records(text))) == expected


@pytest.mark.parametrize("text", [text for text, _ in COURSES.values()], ids=COURSES)
def test_endpoints_read_the_same_grades_as_records(text):
    facts = sorted(read_gvhd_facts(text), key=lambda one: one.observed_at)
    stagings = list_acute_grades(facts, RULES.protocol, RULES.measures)
    graded_instants = {(one.instant, one.span) for one in stagings}
    for record in records(text):
        assert graded_instants >= {(change.at, change.span) for change in record.history}


@pytest.mark.parametrize("text", [text for text, _ in COURSES.values()], ids=COURSES)
def test_the_order_in_which_facts_come_changes_nothing(text):
    facts = [*GRAFT, *read_gvhd_facts(text)]
    expected = fold(*facts).list_records()
    for seed in range(5):
        facts_in_any_order = Random(seed).sample(facts, len(facts))
        participant_fold = Fold("P-001", RULES)
        for new_fact in facts_in_any_order:
            participant_fold.apply([new_fact])
            participant_fold.list_records()
        assert participant_fold.list_records() == expected


def test_a_second_episode_is_another_record():
    episodes = records("30 stage=3000 | 40 stage=0000 | 60 stage=0200")
    assert [describe(one) for one in episodes] == ["30 2 | 40 end", "60 3"]
    assert [one.transplant_day for one in episodes] == [30, 60]


def test_the_record_names_each_organ_its_sign_and_what_is_missing():
    (record,) = records("29 lab=2.4 | 30 rash=30 upper=none")
    (change,) = record.history
    assert record.term == "Acute graft-versus-host disease (MAGIC)"
    assert change.because == (
        "grade II by MAGIC: skin 2 (rash of 30 %), liver 1 (bilirubin 2.4 mg/dL),"
        " upper GI 0 (no symptoms), lower GI not known"
    )
    assert change.missing == ("stool volume",)
    assert change.facts == ("f0", "f1")


def test_an_unexplained_bilirubin_asks_for_its_cause():
    participant_fold = fold(*GRAFT, *read_gvhd_facts("29 lab=4 | 30 rash=0 clear"))
    (query,) = participant_fold.list_queries()
    assert query.problem == (
        "Acute graft-versus-host disease (MAGIC) may be grade 3; missing: cause of the bilirubin"
    )
    assert query.facts == ("f0",)  # the bilirubin, not the signs
    (change,) = participant_fold.group_by_criterion()[ACUTE][0].history
    assert change.because.startswith("grade 0 by MAGIC: skin 0 (rash of 0 %), liver 0-2 (bilirubin")


def test_a_correction_undoes_the_record():
    signs = read_gvhd_facts("29 lab=0.8 | 30 rash=60 upper=none stool=0")
    signs[1] = structs.replace(signs[1], series="chart")
    deletion = structs.replace(signs[1], id="d", status=Status.DELETED, reported_at=day(31))
    participant_fold = fold(*GRAFT, *signs)
    assert len(participant_fold.group_by_criterion()[ACUTE]) == 1
    participant_fold.apply([deletion])
    assert not participant_fold.group_by_criterion().get(ACUTE)
    lighter_rash = read_gvhd_facts("30 rash=20 upper=none stool=0")[0]
    participant_fold = fold(*GRAFT, *signs)
    correction = structs.replace(
        lighter_rash, id="c", series="chart", status=Status.CORRECTED, reported_at=day(31)
    )
    participant_fold.apply([correction])
    assert describe(participant_fold.group_by_criterion()[ACUTE][0]) == "30 1"


def test_a_bilirubin_that_was_taken_back_leaves_the_liver_open():
    facts = read_gvhd_facts("30 lab=4 | 30 rash=10 clear")
    facts[0] = structs.replace(facts[0], series="L1")
    participant_fold = fold(*GRAFT, *facts)
    participant_fold.apply(
        [structs.replace(facts[0], id="d", status=Status.DELETED, reported_at=day(31))]
    )
    assert describe(participant_fold.group_by_criterion()[ACUTE][0]) == "30 1-4"


def decide(verdict, number, grade=None):
    body = Adjudication(ACUTE, verdict, "dr", "why", day(number + 1), grade)
    return fact(body, day(number), name=f"decision-{verdict}")


def test_a_clinician_decides():
    text = "30 stage=0200"
    (record,) = records(text, decide(Verdict.REJECT, 30))
    assert record.state is EpisodeState.REJECTED
    (record,) = records(text, decide(Verdict.REGRADE, 30, 2))
    assert (describe(record), record.state) == ("30 2", EpisodeState.CONFIRMED)


def test_a_death_adjudicated_to_it_is_its_grade_5():
    (record,) = records("30 stage=0200", fact(Death("acute-gvhd"), day(60), name="died"))
    assert describe(record) == "30 3 | 60 5"


def test_it_is_no_adverse_event_of_any_class():
    for name in RULES.protocol.term_sets:
        assert not RULES.matches_pattern(ACUTE, EventPattern(term_set=name))
        assert not RULES.matches_pattern(CHRONIC, EventPattern(term_set=name))


# A rule that counts grade III or worse from the first infusion on day 70 to day 100
STANDINGS = {
    "from nothing to III": ("80 stage=0200", 80),
    "at the lower limit": ("80 stage=3000", None),
    "II before exposure, III after it": ("60 stage=3000 | 80 stage=0200", 80),
    "III before exposure, III after it": ("60 stage=0200 | 80 stage=0300", None),
    "III before exposure, IV after it": ("60 stage=0200 | 80 stage=0400", 80),
    "after the window": ("101 stage=0200", None),
}


@pytest.mark.parametrize(("text", "event_day"), STANDINGS.values(), ids=STANDINGS)
def test_a_rule_counts_a_rise_after_exposure_though_the_disease_began_before(text, event_day):
    rule = RULES.protocol.rules[0]
    rule = replace(rule, id="GVHD", any_of=(EventPattern(scale=ACUTE, grade_at_least=3),))
    rules = replace(RULES, protocol=replace(RULES.protocol, rules=(rule,)))
    participant_fold = Fold("P-001", rules)
    participant_fold.apply([*TREATED, *read_gvhd_facts(text)])
    (standing,) = participant_fold.find_standings(day(150))
    event = standing.standing.event
    assert (None if event is None else days_of(event.at)) == event_day


SEVERITIES = {
    "said": ("120 chronic=moderate", "120 2"),
    "said, and over": ("120 chronic=moderate | 200 chronic=none", "120 2 | 200 end"),
    "mild becomes severe": ("120 chronic=mild | 300 chronic=severe", "120 1 | 300 3"),
    "none": ("120 chronic=none", ""),
    "scored, all organs": ("120 scores all=0 skin=2 fev1=90", "120 2"),
    "two organs of score 1": ("120 scores all=0 skin=1 mouth=1 fev1=80", "120 1"),
    "three organs of score 1": ("120 scores all=0 skin=1 mouth=1 eyes=1 fev1=80", "120 2"),
    "lungs of score 1": ("120 scores all=0 fev1=79", "120 2"),
    "lungs of score 2": ("120 scores all=0 fev1=59", "120 3"),
    "lungs not scored": ("120 scores all=0 skin=1", "120 1-3"),
    "nothing scored above 0, lungs not": ("120 scores all=0", "120 0-3?"),
    "score 3 decides": ("120 scores skin=3", "120 3"),
    "explained otherwise": ("120 scores all=0 skin=2 fev1=90 other=skin", ""),
}


@pytest.mark.parametrize(("text", "expected"), SEVERITIES.values(), ids=SEVERITIES)
def test_the_course_of_chronic_gvhd(text, expected):
    found = records(text, criterion=CHRONIC)
    assert "; ".join(map(describe, found)) == expected


@pytest.mark.parametrize("text", [text for text, _ in SEVERITIES.values()], ids=SEVERITIES)
def test_endpoints_read_the_same_severities_as_records(text):
    visits = list_chronic_grades(read_gvhd_facts(text), RULES.protocol)
    graded_instants = {(one.instant, one.span) for one in visits}
    for record in records(text, criterion=CHRONIC):
        assert graded_instants >= {(change.at, change.span) for change in record.history}


def test_a_severity_names_its_organs():
    (record,) = records("120 scores all=0 skin=2 gi_tract=1", criterion=CHRONIC)
    assert record.history[0].because == "moderate by NIH (skin 2, GI tract 1)"
    assert record.history[0].missing == ("score of lungs",)
