"""A death adjudicated to a criterion: the record that it belongs to, and the rules that count it.

Hours after ``HOUR_ZERO``. Source: docs/decisions/episodes.md, "Deaths"
"""

from datetime import timedelta

import pytest

from services.safety_rules.domain.participant.fold import Fold
from services.vocabulary.clinical_fact import Action, Administration, Death, Enrolment, Transplant
from services.vocabulary.judgement import Adjudication, Assessment, Verdict
from tests.helpers.bedside_notes import read_course
from tests.helpers.fact_notes import HOUR_ZERO, fact, hours, status
from tests.helpers.random_trials import RULES, RULES_6

CRS, ICANS, SEPSIS = "astct-2019.crs", "astct-2019.icans", "ctcae-5.0.sepsis"
HYPOXIA = "ctcae-5.0.hypoxia"
ACUTE_GVHD, CHRONIC_GVHD = "magic-2016.acute-gvhd", "nih-2014.chronic-gvhd"
DEATH = 200
TREATED = [
    fact(Enrolment("north"), -80 * 24),
    fact(Transplant("matched-related"), -70 * 24),
    fact(Administration("blinatumomab", Action.START), 0),
]
WELL = "T36.8 BP120 RA"
OPEN = f"-2 {WELL}; 2 T38.5 BP120 RA"
RESOLVED_COURSE = f"{OPEN}; 6 {WELL}; 18 {WELL}; 30 {WELL}"  # at hour 6
FEVER_UNREADABLE = f"-2 {WELL}; 2 T<39"


def fold_facts(*facts, text="", treated=TREATED):
    fold = Fold("P-001", RULES)
    fold.apply([*treated, *read_course(text), *facts])
    return fold


def describe(fold, criterion):
    """``2-:1 6-:0 200-:5, confirmed``: each record with its grades and when, open with a dash."""
    return " | ".join(
        " ".join(f"{_hour(change.at)}:{change.span}" for change in record.history)
        + ("" if record.resolved_at is None else f" {_hour(record.resolved_at)}:0")
        + f" {record.state}"
        + (" possible" if record.possible else "")
        + (" before exposure" if record.before_exposure else "")
        for record in fold.list_records()
        if record.criterion == criterion
    )


def _hour(instant):
    return f"{(instant - HOUR_ZERO).total_seconds() / 3600:g}"


def count_events(fold):
    standings = [timed.standing for timed in fold.find_standings(hours(1000))]
    return " ".join(one.rule.removeprefix("TRIAL.") for one in standings if one.event)


def list_problems(fold):
    """The queries, but for those about grades with something missing."""
    problems = [query.problem for query in fold.list_queries()]
    return [problem for problem in problems if "missing:" not in problem]


def died_of(cause, hour=DEATH, **fields):
    return fact(Death(cause), hour, **fields)


def adjudicate(criterion, verdict, hour, signed=300, grade=None):
    return fact(Adjudication(criterion, verdict, "Dr A", "seen", hours(signed), grade), hour)


COURSES = {
    "open": (OPEN, f"2:1 {DEATH}:5 confirmed"),
    "resolved": (RESOLVED_COURSE, f"2:1 6:0 {DEATH}:5 confirmed"),
    "never made": ("", f"{DEATH}:5 confirmed"),
    "possible": (FEVER_UNREADABLE, f"{DEATH}:5 confirmed"),
}


@pytest.mark.parametrize(("text", "records"), COURSES.values(), ids=COURSES)
def test_a_death_is_grade_5_whatever_became_of_the_record(text, records):
    fold = fold_facts(died_of(CRS), text=text)
    assert describe(fold, CRS) == records
    assert count_events(fold) == "CRS AE NRM"
    assert not list_problems(fold)


@pytest.mark.parametrize(
    ("death_hour", "records"),
    [
        (5.99, "2:1 5.99:5 confirmed"),
        (6, "2:1 6:0 6:5 confirmed"),
        (6 + 14 * 24, "2:1 6:0 342:5 confirmed"),
        (6 + 14 * 24 + 0.01, "2:1 6:0 suspected | 342.01:5 confirmed"),
    ],
)
def test_a_record_that_resolved_longer_than_the_gap_ago_is_another(death_hour, records):
    fold = fold_facts(died_of(CRS, death_hour), text=RESOLVED_COURSE)
    assert describe(fold, CRS) == records
    assert count_events(fold) == "CRS AE NRM"


@pytest.mark.parametrize(
    ("death_hour", "records"),
    [
        (2, "2:1 2:5 confirmed"),
        (3.99, "2:1 3.99:5 confirmed"),
        (4, "2:1 4:3 4:5 confirmed"),
        (4.01, "2:1 4:3 4.01:5 confirmed"),
    ],
)
def test_a_grade_of_the_instant_of_the_death_came_before_it(death_hour, records):
    fold = fold_facts(died_of(CRS, death_hour), text=f"{OPEN}; 4 T38.5 BP120 NC@8")
    assert describe(fold, CRS) == records


CAUSES = {
    "a scale": (ICANS, ICANS),
    "a scale by its name alone": ("icans", ICANS),
    "the term of a syndrome": ("ctcae-5.0.cytokine-release-syndrome", CRS),
    "a term": (SEPSIS, SEPSIS),
    "a term of the other version": ("ctcae-6.0.sepsis", SEPSIS),
    "a bare term": ("sepsis", SEPSIS),
    "a term as published": ("Death NOS", "ctcae-5.0.death-nos"),
    "a part of CRS": (HYPOXIA, HYPOXIA),
    "acute GVHD": ("acute-gvhd", ACUTE_GVHD),
    "acute GVHD by its scale": (ACUTE_GVHD, ACUTE_GVHD),
    "acute GVHD in short": ("aGVHD", ACUTE_GVHD),
    "acute GVHD in words": ("acute graft-versus-host disease", ACUTE_GVHD),
    "acute GVHD in other words": ("Acute graft vs. host disease", ACUTE_GVHD),
    "chronic GVHD": ("chronic GVHD", CHRONIC_GVHD),
    "chronic GVHD in short": ("cgvhd", CHRONIC_GVHD),
}


@pytest.mark.parametrize(("cause", "criterion"), CAUSES.values(), ids=CAUSES)
def test_a_cause_may_be_written_in_several_ways(cause, criterion):
    fold = fold_facts(died_of(cause), text=OPEN)
    assert describe(fold, criterion).endswith(f"{DEATH}:5 confirmed")
    assert ("AE" in count_events(fold)) is (criterion not in (ACUTE_GVHD, CHRONIC_GVHD))
    assert not list_problems(fold)


@pytest.mark.parametrize("cause", ["GVHD", "graft-versus-host disease", "graft vs host disease"])
def test_gvhd_of_no_kind_is_a_term_of_version_6_and_asked_about_in_version_5(cause):
    problem = f"the cause of death, {cause}, is no term or scale here"
    fold = fold_facts(died_of(cause))
    assert list_problems(fold) == [f"{problem}; name acute-gvhd or chronic-gvhd"]
    fold = Fold("P-001", RULES_6)
    fold.apply([*TREATED, died_of(cause)])
    assert describe(fold, "ctcae-6.0.graft-versus-host-disease") == f"{DEATH}:5 confirmed"


@pytest.mark.parametrize("cause", ["", "relapse", "infection"])
def test_a_death_of_no_term_is_grade_5_of_nothing(cause):
    fold = fold_facts(died_of(cause), text=OPEN)
    assert describe(fold, CRS) == "2:1 suspected"
    assert not list_problems(fold)


def test_a_cause_that_nobody_knows_is_queried():
    problems = list_problems(fold_facts(died_of("car crash")))
    assert problems == ["the cause of death, car crash, is no term or scale here"]


# cause, hours of death and report of each; the causes that are asked about; the one that counts
REPORTED_CAUSES = {
    "one": ([(SEPSIS, DEATH, 300)], "", SEPSIS),
    "the same again": ([(SEPSIS, DEATH, 300), (SEPSIS, DEATH, 301)], "", SEPSIS),
    "another later": ([(SEPSIS, DEATH, 300), (CRS, DEATH, 301)], f"{SEPSIS}, then {CRS}", CRS),
    "another earlier": ([(SEPSIS, DEATH, 300), (CRS, DEATH, 299)], f"{CRS}, then {SEPSIS}", SEPSIS),
    "later, and without a cause": ([(SEPSIS, DEATH, 300), ("", DEATH, 301)], "", SEPSIS),
    "later, and first without a cause": ([("", DEATH, 300), (CRS, DEATH, 301)], "", CRS),
    "later, of an hour before": (
        [(SEPSIS, DEATH, 300), (CRS, DEATH - 1, 301)],
        f"{SEPSIS}, then {CRS}",
        CRS,
    ),
    "later, of an hour after": (
        [(SEPSIS, DEATH, 300), (CRS, DEATH + 1, 301)],
        f"{SEPSIS}, then {CRS}",
        CRS,
    ),
    "two names of one term": ([("sepsis", DEATH, 300), (SEPSIS, DEATH, 301)], "", SEPSIS),
    "a cause of no term": (
        [(SEPSIS, DEATH, 300), ("infection", DEATH, 301)],
        f"{SEPSIS}, then infection",
        "",
    ),
    "back to the first": (
        [(SEPSIS, DEATH, 300), (CRS, DEATH, 301), (SEPSIS, DEATH, 302)],
        f"{CRS}, then {SEPSIS}",
        SEPSIS,
    ),
}


@pytest.mark.parametrize(
    ("reports", "problem", "criterion"), REPORTED_CAUSES.values(), ids=REPORTED_CAUSES
)
def test_the_cause_that_was_reported_last_counts_whatever_the_ids_and_the_arrival(
    reports, problem, criterion
):
    for names in ("abc", "cba"):
        deaths = [
            died_of(cause, hour, name=name, reported_hour=reported)
            for name, (cause, hour, reported) in zip(names, reports, strict=False)
        ]
        for arrivals in (deaths, deaths[::-1]):
            fold = fold_facts(*arrivals)
            expected = [f"death has 2 causes: {problem}"] if problem else []
            assert list_problems(fold) == expected
            died = [one.criterion for one in fold.list_records() if one.worst.at_least == 5]
            assert died == ([criterion] if criterion else [])
            assert ("CRS" in count_events(fold).split()) is (criterion == CRS)


def test_of_two_causes_reported_at_one_instant_the_content_decides():
    causes = {"a": SEPSIS, "b": CRS}
    deaths = [died_of(cause, name=name) for name, cause in causes.items()]
    swapped = [died_of(cause, name=name) for name, cause in zip("ba", causes.values(), strict=True)]
    (expected,) = list_problems(fold_facts(*deaths))
    assert list_problems(fold_facts(*swapped)) == [expected]
    assert count_events(fold_facts(*deaths)) == count_events(fold_facts(*swapped))


LATER_REPORT = {"name": "later", "series": "death", "reported_hour": 400}
CORRECTIONS = {
    "the cause is corrected": died_of("", status=status("C"), **LATER_REPORT),
    "the death is deleted": died_of(CRS, status=status("D"), **LATER_REPORT),
}


@pytest.mark.parametrize("text", ["", OPEN, RESOLVED_COURSE])
@pytest.mark.parametrize("correction", CORRECTIONS.values(), ids=CORRECTIONS)
def test_a_correction_of_the_death_undoes_its_grade_5(text, correction):
    fold = fold_facts(died_of(CRS, series="death", reported_hour=201), text=text)
    assert "5" in describe(fold, CRS)
    fold.apply([correction])
    assert describe(fold, CRS) == describe(fold_facts(text=text), CRS)
    assert "CRS" not in count_events(fold)


def test_the_death_of_a_participant_who_was_never_treated_is_in_no_rule():
    fold = fold_facts(died_of(SEPSIS), treated=TREATED[:2])
    assert describe(fold, SEPSIS) == f"{DEATH}:5 confirmed before exposure"
    assert not count_events(fold)


REGRADE = adjudicate(CRS, Verdict.REGRADE, 2, grade=3)
DECISIONS = {
    "a regrading of the time before death": (OPEN, [REGRADE], "2:3 200:5 confirmed", "CRS AE NRM"),
    "a regrading of the death": (
        OPEN, [adjudicate(CRS, Verdict.REGRADE, DEATH, grade=2)], "2:2 200:2 confirmed", "NRM",
    ),
    "a confirmation": (
        OPEN, [adjudicate(CRS, Verdict.CONFIRM, 2)], "2:1 200:5 confirmed", "CRS AE NRM",
    ),
    "a rejection of what was before": (
        OPEN, [adjudicate(CRS, Verdict.REJECT, 2)], "2:1 rejected | 200:5 confirmed", "CRS AE NRM",
    ),
    "a rejection of the death": (
        "", [adjudicate(CRS, Verdict.REJECT, DEATH)], "200:5 rejected", "NRM",
    ),
}  # fmt: skip


@pytest.mark.parametrize(
    ("text", "decisions", "records", "events"), DECISIONS.values(), ids=DECISIONS
)
def test_decisions_about_a_record_that_ended_in_death(text, decisions, records, events):
    fold = fold_facts(died_of(CRS), *decisions, text=text)
    assert (describe(fold, CRS), count_events(fold)) == (records, events)


FATAL_REGRADES = {
    "of an open record": (OPEN, 2, "2:1 200:5 confirmed"),
    "of a resolved record": (RESOLVED_COURSE, 3, "2:1 6:0 200:5 confirmed"),
    "after a resolved record": (RESOLVED_COURSE, DEATH, "2:1 6:0 200:5 confirmed"),
    "of nothing, at the death": ("", DEATH, "200:5 confirmed"),
    "of nothing, days before it": ("", 100, "200:5 confirmed"),
    "of nothing, after it": ("", 220, "200:5 confirmed"),
}


@pytest.mark.parametrize(("text", "hour", "records"), FATAL_REGRADES.values(), ids=FATAL_REGRADES)
@pytest.mark.parametrize("cause", ["", "infection", CRS])
def test_an_adjudication_of_grade_5_is_that_of_the_death(text, hour, records, cause):
    regrade = adjudicate(CRS, Verdict.REGRADE, hour, grade=5)
    fold = fold_facts(died_of(cause), regrade, text=text)
    assert (describe(fold, CRS), count_events(fold)) == (records, "CRS AE NRM")
    assert not list_problems(fold)


LATER = {
    "another grade": adjudicate(CRS, Verdict.REGRADE, DEATH, signed=310, grade=2),
    "a rejection": adjudicate(CRS, Verdict.REJECT, DEATH, signed=310),
}


@pytest.mark.parametrize("later", LATER.values(), ids=LATER)
@pytest.mark.parametrize("text", ["", OPEN])
def test_a_later_decision_undoes_an_adjudication_of_grade_5(later, text):
    regrade = adjudicate(CRS, Verdict.REGRADE, DEATH, grade=5)
    fold = fold_facts(died_of(""), regrade, later, text=text)
    assert ":5" not in describe(fold, CRS)
    assert count_events(fold) == "NRM"


@pytest.mark.parametrize(
    ("text", "records"), [(OPEN, "2:1-5 confirmed"), ("", "")], ids=["a record", "none"]
)
def test_grade_5_without_a_death_is_a_query(text, records):
    fold = fold_facts(adjudicate(CRS, Verdict.REGRADE, 2, grade=5), text=text)
    assert describe(fold, CRS) == records
    assert "a record is regraded to 5, and no death is reported" in list_problems(fold)


def test_a_term_that_a_clinician_assessed_ends_in_its_death():
    assessed = fact(Assessment(SEPSIS, 4, "Dr A"), 150)
    fold = fold_facts(assessed, died_of(SEPSIS))
    assert describe(fold, SEPSIS) == "150:4 200:5 confirmed"


def test_what_is_reported_after_the_death_adds_nothing_to_it():
    fold = fold_facts(died_of(CRS, 10), text=f"{OPEN}; 12 T38.5 BP80; 40 {WELL}; 70 {WELL}")
    assert describe(fold, CRS) == "2:1 10:5 confirmed"


def test_the_order_of_facts_does_not_matter():
    facts = [died_of(CRS), *read_course(RESOLVED_COURSE), REGRADE, *TREATED]
    in_order, in_reverse = Fold("P-001", RULES), Fold("P-001", RULES)
    for one in facts:
        in_order.apply([one])
        in_order.list_records()
    for one in reversed(facts):
        in_reverse.apply([one])
        in_reverse.list_records()
    assert in_order.list_records() == in_reverse.list_records()
    assert RULES.protocol.merge_gap == timedelta(days=14)
