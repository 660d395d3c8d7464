"""Concomitant drugs narrow the grade of a result, in whatever order the facts arrive.

Source: CTCAE v5.0, "Hyperglycemia", "Hypokalemia", "INR increased"; docs/decisions/grading.md,
"Drugs beside a reading", "Symptoms"
"""

import pytest

from services.safety_rules.domain.ctcae.concomitant_drugs import NO_DRUG_CONTEXT, ConcomitantDrugs
from services.safety_rules.domain.participant.fold import Fold
from services.vocabulary.clinical_fact import Action, Administration
from services.vocabulary.episode import EpisodeState
from services.vocabulary.judgement import Assessment
from services.vocabulary.quantity import Quantity
from tests.helpers.fact_notes import fact, hours, lab, quantity, status
from tests.helpers.random_trials import RULES

HYPOKALEMIA = "ctcae-5.0.hypokalemia"

# the value before the first dose of the study drug, and the one at hour 48
READINGS = {
    "glucose": {"before": "100", "after": "300", "unit": "mg/dL", "lln": "70", "uln": "140"},
    "potassium": {"before": "4.0", "after": "3.2", "unit": "mmol/L", "lln": "3.5", "uln": "5.0"},
    "inr": {"before": "1.6", "after": "2.6", "unit": "{INR}", "lln": None, "uln": "1.2"},
}

# what was given at which hour after the first dose of the study drug; the grade at hour 48
TABLE = """
glucose   |                                                | 1-4
glucose   | metformin given 50                             | 2
glucose   | metformin given 24                             | 2
glucose   | metformin given 23                             | 1-4
glucose   | metformin given 73                             | 1-4
glucose   | metformin start 10                             | 2
glucose   | metformin start 10; metformin stop 20          | 1-4
glucose   | metformin start 10; metformin stop 30          | 2
glucose   | metformin start -99                            | 1-4
glucose   | metformin given -30; metformin given 50        | 1-4
glucose   | metformin given -30; sitagliptin given 50      | 2
glucose   | metformin stop -30; metformin start 50         | 1-4
glucose   | metformin given 50; insulin given 60           | 3
glucose   | metformin given 50; insulin given 90           | 2
glucose   | insulin start 10                               | 3
glucose   | insulin start 0                                | 3
glucose   | insulin start -1                               | 1-4
glucose   | insulin start 10; insulin rate-0 20            | 1-4
glucose   | potassium-chloride given 48                    | 1-4
potassium |                                                | 1-2
potassium | potassium-chloride given 50                    | 2
potassium | potassium-chloride given 72                    | 2
potassium | potassium-chloride given 73                    | 1-2
potassium | potassium-chloride given 24                    | 2
potassium | potassium-chloride given 23                    | 1-2
potassium | potassium-chloride start 0                     | 2
potassium | potassium-chloride start 0; potassium-chloride stop 23 | 1-2
potassium | potassium-chloride start 0; potassium-chloride stop 25 | 2
potassium | potassium-chloride given -30; potassium-chloride given 50 | 2
potassium | insulin given 48                               | 1-2
inr       |                                                | 2-3
inr       | warfarin given 24                              | 2
inr       | warfarin given 12                              | 2
inr       | warfarin given 11                              | 2-3
inr       | warfarin given 49                              | 2-3
inr       | warfarin start -200                            | 2
inr       | warfarin start -200; warfarin stop 6           | 2-3
inr       | enoxaparin given 36                            | 2
inr       | apixaban given 40                              | 2
inr       | heparin given 47                               | 2-3
inr       | heparin start 40                               | 2
inr       | heparin start 40; heparin given 41             | 2
inr       | heparin start 40; heparin stop 47              | 2-3
inr       | heparin start 20; heparin stop 48; heparin start 48 | 2
inr       | potassium-chloride given 48                    | 2-3
"""
ROWS = [[cell.strip() for cell in line.split("|")] for line in TABLE.strip().splitlines()]


def make_administration(text, **fields):
    """``heparin start 40`` as a fact; ``rate-0`` is a pump that stands still."""
    drug, action, hour = text.split()
    name, _, rate = action.partition("-")
    dose = Quantity(quantity(rate).value, "U/h") if rate else None
    return fact(Administration(drug, Action(name), dose), int(hour), **fields)


def list_readings(measure):
    row = READINGS[measure]
    limits = {"lln": row["lln"], "uln": row["uln"]}
    return [
        fact(Administration("blinatumomab", Action.START), 0),
        lab(measure, row["before"], -48, row["unit"], **limits),
        lab(measure, row["after"], 48, row["unit"], **limits),
    ]


def list_orders(facts):
    """Some orders in which *facts* may come: each of them first once, and last once."""
    for turn in range(len(facts)):
        order = [*facts[turn:], *facts[:turn]]
        yield from (order, order[::-1])


def fold_record(facts):
    """The only record of what came after exposure."""
    fold = Fold("P-001", RULES)
    for fact_of_order in facts:
        fold.apply([fact_of_order])
        fold.list_records()
    (episode,) = [
        fact_of_order for fact_of_order in fold.list_records() if not fact_of_order.before_exposure
    ]
    return episode


@pytest.mark.parametrize(("measure", "drugs", "grade"), ROWS, ids=[" ".join(row) for row in ROWS])
def test_what_was_given_tells_the_grades_apart(measure, drugs, grade):
    doses = [make_administration(one) for one in drugs.split(";") if one]
    for order in list_orders([*list_readings(measure), *doses]):
        assert str(fold_record(order).worst) == grade


DOSES = {
    "glucose": ("metformin given 50", "1-4", "2"),
    "potassium": ("potassium-chloride given 50", "1-2", "2"),
    "inr": ("warfarin given 40", "2-3", "2"),
}


@pytest.mark.parametrize("measure", DOSES)
def test_the_interval_returns_when_the_dose_was_never_given(measure):
    dose, wide_grade, narrow_grade = DOSES[measure]
    facts = [*list_readings(measure), make_administration(dose, series="dose", reported_hour=51)]
    assert str(fold_record(facts).worst) == narrow_grade
    deletion = make_administration(
        dose, series="dose", reported_hour=60, status=status("D"), name="deleted"
    )
    for order in list_orders([*facts, deletion]):
        assert str(fold_record(order).worst) == wide_grade


@pytest.mark.parametrize("measure", DOSES)
def test_a_dose_that_was_given_days_later_is_beside_the_reading_no_longer(measure):
    dose, wide_grade, _ = DOSES[measure]
    drug, action, _ = dose.split()
    facts = [
        *list_readings(measure),
        make_administration(dose, series="dose", reported_hour=51),
        make_administration(
            f"{drug} {action} 100", series="dose", reported_hour=120, status=status("C")
        ),
    ]
    for order in list_orders(facts):
        assert str(fold_record(order).worst) == wide_grade


def test_potassium_that_was_given_about_the_baseline_makes_the_baseline_grade_two():
    low = {"unit": "mmol/L", "lln": "3.5", "uln": "5.0"}
    facts = [
        fact(Administration("blinatumomab", Action.START), 0),
        lab("potassium", "3.2", -8, **low),
        lab("potassium", "2.9", 48, **low),
    ]
    assert fold_record(facts).baseline_grade == 1
    for order in list_orders([*facts, make_administration("potassium-chloride given 10")]):
        assert fold_record(order).baseline_grade == 2


# when a clinician assesses the potassium of hour 48, as what: then the worst and the current grade
ASSESSMENTS = {
    "at once, without symptoms": (48, 1, "1", "1"),
    "at once, with symptoms": (48, 2, "2", "2"),
    "at once, worse than the number": (48, 3, "3", "3"),
    "at once, as nothing: the number stands": (48, 0, "1-2", "1-2"),
    "later, without symptoms: they may have been there before": (50, 1, "1-2", "1"),
    "later, with symptoms": (50, 2, "2", "2"),
    "later, as over": (50, 0, "1-2", "0"),
}


@pytest.mark.parametrize(
    ("hour", "grade", "worst", "current"), ASSESSMENTS.values(), ids=ASSESSMENTS
)
def test_a_clinician_says_what_the_number_does_not_show(hour, grade, worst, current):
    assessment = fact(Assessment(HYPOKALEMIA, grade, "investigator"), hour)
    for order in list_orders([*list_readings("potassium"), assessment]):
        episode = fold_record(order)
        assert (str(episode.worst), str(episode.current)) == (worst, current)


@pytest.mark.parametrize("grade", [1, 2])
def test_an_assessment_within_the_interval_leaves_nothing_missing(grade):
    assessment = fact(Assessment(HYPOKALEMIA, grade, "investigator"), 48)
    (change,) = fold_record([*list_readings("potassium"), assessment]).history
    assert change.missing == ()


def test_an_assessment_that_narrows_confirms_the_record():
    assessment = fact(Assessment(HYPOKALEMIA, 1, "investigator"), 48)
    assert fold_record(list_readings("potassium")).state is EpisodeState.SUSPECTED
    assert fold_record([*list_readings("potassium"), assessment]).state is EpisodeState.CONFIRMED


@pytest.mark.parametrize(
    ("first_exposure_hour", "drugs"), [(None, []), (0, ["insulin"]), (50.1, [])]
)
def test_a_drug_is_new_once_the_study_drug_was_given(first_exposure_hour, drugs):
    concomitant_drugs = ConcomitantDrugs(RULES.drugs)
    insulin = fact(Administration("insulin", Action.DOSE), 50, name="insulin")
    concomitant_drugs.change(insulin, stands=True)
    exposed_at = None if first_exposure_hour is None else hours(first_exposure_hour)
    facts = concomitant_drugs.list_facts("glucose", hours(48), exposed_at)
    assert [one.id for one in facts] == drugs
    context = concomitant_drugs.find_context("glucose", hours(48), exposed_at)
    assert (context is NO_DRUG_CONTEXT) is (not drugs)


def test_no_clinician_makes_up_for_a_limit_of_normal_that_is_missing():
    facts = [
        fact(Administration("blinatumomab", Action.START), 0),
        lab("alt", "30", -48, "U/L", uln="40"),
        lab("alt", "100", 48, "U/L"),
        fact(
            Assessment("ctcae-5.0.alanine-aminotransferase-increased", 1, "investigator"),
            48,
        ),
    ]
    assert str(fold_record(facts).worst) == "1-4"  # the limit of the baseline is not its own
