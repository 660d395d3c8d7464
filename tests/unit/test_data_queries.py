"""Data queries: the questions that a data manager is asked."""

from dataclasses import replace

import pytest

from services.safety_rules.domain.participant.fold import Fold
from services.vocabulary.clinical_fact import Action, Administration, Death, Transplant
from services.vocabulary.fact import RANGE_NOT_READ
from services.vocabulary.protocol_event import EventPattern
from tests.helpers.bedside_notes import read_course
from tests.helpers.fact_notes import fact, hours, lab, status
from tests.helpers.protocols import PROTOCOL, rule
from tests.helpers.random_trials import RULES

GRAFT = fact(Transplant("haploidentical"), -78 * 24)
DOSE = fact(Administration("blinatumomab", Action.START), 0)
# A low count without one before would propose a failure of the graft.
RECOVERED = lab("neutrophils", "3.0", -40 * 24, "10*9/L", lln="1.8", uln="7", name="recovered")

# what the laboratory reported (value, unit, limits), and what is asked
TABLE = {
    "sodium 1400": (
        ("sodium", "1400", "mmol/L", "135", "145"),
        [
            "Hypernatremia may be grade 4; missing: value",
            "sodium of 1400 mmol/L cannot be",
        ],
    ),
    "limits the wrong way round": (
        ("alt", "30", "U/L", "40", "5"),
        [
            "Alanine aminotransferase increased may be grade 4; missing: ULN, baseline",
            "limits of 40 U/L to 5 U/L are the wrong way round",
        ],
    ),
    "two limits that are the same": (
        ("alt", "30", "U/L", "40", "40"),
        [
            "Alanine aminotransferase increased may be grade 4; missing: ULN, baseline",
            "limits of 40 U/L to 40 U/L are the wrong way round",
        ],
    ),
    "at most the grade that is notified": (
        ("inr", "2.6", "{INR}", None, None),
        ["INR increased may be grade 3; missing: anticoagulation, baseline"],
    ),
    "a negative lower limit": (
        ("neutrophils", "3.0", "10*9/L", "-1.8", "7"),
        ["a lower limit of -1.8 10*9/L cannot be"],
    ),
    "an upper limit of zero": (
        ("lipase", "30", "U/L", None, "0"),
        [
            "Lipase increased may be grade 4; missing: ULN, symptoms",
            "an upper limit of 0 U/L cannot be",
        ],
    ),
    "a lower limit below all plausible ones": (
        ("sodium", "140", "mmol/L", "13", "145"),
        ["a lower limit of 13 mmol/L cannot be"],
    ),
    "limits of another unit": (
        ("calcium-corrected", "2.31", "mg/dL", "2.15", "2.55"),
        [
            "Hypercalcemia may be grade 4; missing: unit",
            "Hypocalcemia may be grade 4; missing: unit",
            "limits of 2.15 mg/dL to 2.55 mg/dL do not fit calcium-corrected in mg/dL",
        ],
    ),
    "an upper limit of another unit": (
        ("calcium-corrected", "9.4", "mg/dL", None, "2.55"),
        ["limits of 2.55 mg/dL do not fit calcium-corrected in mg/dL"],
    ),
    "a calcium without its albumin": (
        ("calcium", "7.5", "mg/dL", "8.5", "10.5"),
        ["Hypocalcemia may be grade 4; missing: albumin"],
    ),
    "a unit that does not fit": (
        ("potassium", "3.0", "mg/dL", "3.5", "5.0"),
        [
            "Hyperkalemia may be grade 4; missing: unit",
            "Hypokalemia may be grade 4; missing: unit",
            "a unit of mg/dL does not fit potassium",
        ],
    ),
    "nothing, in a unit without bounds": (("lipase", "0", "[arb'U]", None, "60"), []),
    "less than nothing, in a unit without bounds": (
        ("lipase", "-1", "[arb'U]", None, "60"),
        [
            "Lipase increased may be grade 4; missing: symptoms, value",
            "lipase of -1 [arb'U] cannot be",
        ],
    ),
    "no neutrophils at all": (("neutrophils", "0", "10*9/L", "1.8", "7"), []),
    "a lower limit of zero": (("alt", "30", "U/L", "0", "40"), []),
    "less than can be measured": (("neutrophils", "<0.1", "10*9/L", "1.8", "7"), []),
    "an ordinary result": (("sodium", "140", "mmol/L", "135", "145"), []),
}


@pytest.mark.parametrize(("reported_text", "expected"), TABLE.values(), ids=TABLE)
def test_what_is_asked(reported_text, expected):
    measure, value, unit, lln, uln = reported_text
    fold = Fold("P-001", RULES)
    reported_fact = lab(measure, value, 24, unit, lln=lln, uln=uln, name="reported")
    fold.apply([GRAFT, RECOVERED, DOSE, reported_fact])
    queries = fold.list_queries()
    assert sorted(query.problem for query in queries) == sorted(expected)
    assert {(query.participant, query.facts) for query in queries} <= {("P-001", ("reported",))}


def test_a_correction_answers_the_query():
    fold = Fold("P-001", RULES)
    wrong = lab("sodium", "1400", 24, "mmol/L", lln="135", uln="145", name="a", series="S")
    right = lab(
        "sodium", "140", 24, "mmol/L", lln="135", uln="145", name="b", series="S", reported_hour=30
    )
    fold.apply([GRAFT, DOSE, wrong])
    assert fold.list_queries()
    fold.apply([right])
    assert fold.list_queries() == []


def unread(name, hour, **fields):
    """A result of ALT without its reference range, which could not be read."""
    notes = ("observed_at from OBR-7", RANGE_NOT_READ)
    return lab("alt", "30", hour, "U/L", uln="40", name=name, notes=notes, **fields)


def test_ranges_that_are_not_read_are_asked_about_once_for_a_measure():
    fold = Fold("P-001", RULES)
    fold.apply([GRAFT, DOSE, unread("a", 24, series="S"), unread("b", 48), unread("c", 36)])
    problems = [(query.problem, query.facts) for query in fold.list_queries()]
    assert problems == [("the reference range of 3 results of alt was not read", ("b",))]
    fold.apply([lab("alt", "31", 24, "U/L", uln="40", name="d", series="S", reported_hour=50)])
    assert [query.problem for query in fold.list_queries()] == [
        "the reference range of 2 results of alt was not read"
    ]


def test_a_result_that_is_taken_back_is_asked_about_no_more():
    fold = Fold("P-001", RULES)
    fold.apply([GRAFT, DOSE, unread("a", 24, series="S"), unread("b", 48)])
    fold.apply([unread("c", 24, series="S", status=status("D"), reported_hour=50)])
    (query,) = fold.list_queries()
    assert (query.problem, query.facts) == (
        "the reference range of 1 result of alt was not read",
        ("b",),
    )


def test_the_range_of_what_nobody_grades_is_not_asked_about():
    fold = Fold("P-001", RULES)
    fold.apply([GRAFT, DOSE, lab("map", "60", 24, "mm[Hg]", name="a", notes=(RANGE_NOT_READ,))])
    assert fold.list_queries() == []


def test_a_treated_participant_without_a_transplant_date_is_asked_about_until_it_is_known():
    fold = Fold("P-001", RULES)
    fold.apply([DOSE])
    problem = (
        "the date of transplant is not known: cannot be counted by TRIAL.CRS, TRIAL.AE, TRIAL.NRM"
    )
    assert [(query.problem, query.facts) for query in fold.list_queries()] == [
        (problem, (DOSE.id,))
    ]
    fold.apply([GRAFT])
    assert fold.list_queries() == []


def test_who_was_not_treated_needs_no_transplant_date():
    fold = Fold("P-001", RULES)
    fold.apply([lab("sodium", "140", 24, "mmol/L", lln="135", uln="145")])
    assert fold.list_queries() == []


# The usual signs, an infusion from hour 0 on, and what is asked about the syndromes.
USUAL = "-1 BP120 RA ICE10 spontaneous; 0 +blinatumomab; "
SEDATED_COURSE = USUAL + "2 ICE0 unarousable sedation:yes; 14 ICE4 voice sedation:no"
SYNDROMES = {
    "a grade that is known": (USUAL + "2 T38.5 +norepinephrine", []),
    "less than the grade that is notified": (USUAL + "2 T38.5 fluid-bolus", []),
    "that grade at the least": (USUAL + "2 T38.5 +norepinephrine +epinephrine", []),
    "no device": (
        "-1 BP120; 0 +blinatumomab; 2 T38.5",
        ["Cytokine release syndrome (ASTCT) may be grade 4; missing: oxygen device"],
    ),
    "the CPAP of before": (
        "-1 BP120 CPAP; 0 +blinatumomab; 2 T38.5",
        ["Cytokine release syndrome (ASTCT) may be grade 4; missing: inspired oxygen"],
    ),
    "what is missing where it is milder is not asked": (
        USUAL + "2 T38.5; 3 fluid-bolus NC; 5 BP120 NC@2",
        ["Cytokine release syndrome (ASTCT) may be grade 3; missing: oxygen flow"],
    ),
    "sedated, then certain": (
        SEDATED_COURSE,
        [
            (
                "Immune effector cell-associated neurotoxicity syndrome (ASTCT) may be grade 4;"
                " missing: ICE score, arousal, assessment without sedation"
            )
        ],
    ),
}


@pytest.mark.parametrize(("text", "problems"), SYNDROMES.values(), ids=SYNDROMES)
def test_a_syndrome_that_may_be_severe_is_asked_about(text, problems):
    fold = Fold("P-001", RULES)
    count = lab("neutrophils", "3.0", 1, "10*9/L", lln="1.8", uln="7")
    fold.apply([GRAFT, count, *read_course(text)])
    assert [query.problem for query in fold.list_queries()] == problems


def test_time_under_sedation_is_an_event_at_the_upper_end_alone():
    pattern = EventPattern(scale="astct-2019.icans", grade_at_least=3)
    rules = replace(RULES, protocol=replace(PROTOCOL, rules=(rule("ICANS", pattern),)))
    fold = Fold("P-001", rules)
    fold.apply([GRAFT, *read_course(SEDATED_COURSE)])
    (timed_standing,) = fold.find_standings(hours(20))
    standing = timed_standing.standing
    assert (standing.event, standing.upper.at, standing.upper.grade) == (None, hours(2), 4)


AT_DISCHARGE, WITHIN_72_HOURS = "before the discharge", "within 72 h of its last charting"
UNENDED_SUPPORT = {  # what was charted, the hour at which it is asked, what is asked
    "a pressor at the discharge": (
        "2 +norepinephrine; 40 discharged",
        40,
        [f"norepinephrine has no charted end {AT_DISCHARGE}"],
    ),
    "vasopressin": (
        "2 +vasopressin; 40 discharged",
        40,
        [f"vasopressin has no charted end {AT_DISCHARGE}"],
    ),
    "stopped in time": ("2 +norepinephrine; 39 -norepinephrine; 40 discharged", 200, []),
    "stopped as they go": ("2 +norepinephrine; 40 discharged -norepinephrine", 200, []),
    "stopped by a rate of 0": ("2 +norepinephrine; 39 ~norepinephrine=0; 40 discharged", 200, []),
    "stopped only afterwards": (
        "2 +norepinephrine; 40 discharged; 41 -norepinephrine",
        200,
        [f"norepinephrine has no charted end {AT_DISCHARGE}"],
    ),
    "asked once": (
        "2 +norepinephrine; 40 discharged; 90 discharged",
        200,
        [f"norepinephrine has no charted end {AT_DISCHARGE}"],
    ),
    "started again": (
        "2 +norepinephrine; 40 discharged; 50 +norepinephrine; 60 -norepinephrine",
        200,
        [f"norepinephrine has no charted end {AT_DISCHARGE}"],
    ),
    "a dose needs no end": ("2 norepinephrine=1; 40 discharged", 200, []),
    "another drug": ("2 +dobutamine; 40 discharged", 200, []),
    "into a muscle": ("2 +epinephrine/IM; 40 discharged", 200, []),
    "72 h": ("2 +norepinephrine", 74, []),
    "more than 72 h": (
        "2 +norepinephrine",
        74.1,
        [f"norepinephrine has no charted end {WITHIN_72_HOURS}"],
    ),
    "72 h after another rate": ("2 +norepinephrine; 30 ~norepinephrine=2", 102, []),
    "a cannula at the discharge": (
        "2 NC@2; 40 discharged",
        40,
        [f"nasal-cannula has no charted end {AT_DISCHARGE}"],
    ),
    "a cannula that was taken off": ("2 NC@2; 39 RA; 40 discharged", 200, []),
    "a cannula for 72 h": ("2 NC@2", 74, []),
    "a cannula for longer": (
        "2 NC@2",
        74.1,
        [f"nasal-cannula has no charted end {WITHIN_72_HOURS}"],
    ),
    "its flow was charted since": ("2 NC@2; 30 @2", 102, []),
    "room air": ("2 RA; 40 discharged", 200, []),
    "home oxygen": ("-30 NC@2; 0 +blinatumomab; 20 NC@2; 40 discharged", 200, []),
    "both": (
        "2 NC@2 +norepinephrine; 40 discharged",
        40,
        [
            f"norepinephrine has no charted end {AT_DISCHARGE}",
            f"nasal-cannula has no charted end {AT_DISCHARGE}",
        ],
    ),
}


@pytest.mark.parametrize(
    ("text", "hour", "problems"), UNENDED_SUPPORT.values(), ids=UNENDED_SUPPORT
)
def test_support_without_a_charted_end_is_asked_about(text, hour, problems):
    fold = Fold("P-001", RULES)
    fold.apply([GRAFT, *read_course(text)])
    assert [query.problem for query in fold.list_queries(hours(hour))] == problems


# Hour 0 is 08:00 UTC: the day of a death at hour 50 begins at hour 40.
DEATHS = {  # what was charted, the hour of the death, what is asked at hour 200
    "on a pressor": ("2 +norepinephrine", 50, []),
    "discharged as they died": ("2 +norepinephrine; 49.9 discharged", 50, []),
    "discharged the day before": (
        "2 +norepinephrine; 30 discharged",
        50,
        [f"norepinephrine has no charted end {AT_DISCHARGE}"],
    ),
    "long after the last charting": (
        "2 +norepinephrine",
        120,
        [f"norepinephrine has no charted end {WITHIN_72_HOURS}"],
    ),
}


@pytest.mark.parametrize(("text", "hour", "problems"), DEATHS.values(), ids=DEATHS)
def test_no_end_of_support_is_expected_of_who_died_on_it(text, hour, problems):
    fold = Fold("P-001", RULES)
    fold.apply([GRAFT, *read_course(text), fact(Death("infection"), hour)])
    assert [query.problem for query in fold.list_queries(hours(200))] == problems


def test_the_query_names_the_last_that_was_charted_of_the_support():
    facts = read_course("2 NC@2; 30 @3; 40 discharged")
    fold = Fold("P-001", RULES)
    fold.apply([GRAFT, *facts])
    (query,) = fold.list_queries()
    assert query.facts == (next(one.id for one in facts if one.observed_at == hours(30)),)
