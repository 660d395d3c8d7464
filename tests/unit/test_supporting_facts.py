"""A grade names every fact that decided it, in whatever order they became known."""

from itertools import permutations

import pytest

from services.safety_rules.domain.participant.fold import Fold
from services.vocabulary.clinical_fact import Action, Administration, Observation
from services.vocabulary.grade import Symptoms
from services.vocabulary.judgement import Finding
from tests.helpers.fact_notes import fact, lab, status
from tests.helpers.random_trials import RULES

CALCIUM = {"unit": "mg/dL", "lln": "8.5", "uln": "10.5"}
POTASSIUM = {"unit": "mmol/L", "lln": "3.5", "uln": "5.0"}
GLUCOSE = {"unit": "mg/dL", "lln": "70", "uln": "140"}
COUNT = {"unit": "10*9/L", "lln": "1.8"}


def reading(name, measure, value, hour, **words):
    return lab(measure, value, hour, name=name, **words)


def drug(name, what, hour, action=Action.DOSE):
    return fact(Administration(what, action), hour, name=name)


def finding(name, term, hour, symptoms):
    return fact(Finding(f"ctcae-5.0.{term}", "lee", symptoms), hour, name=name)


# the facts by their names; the criterion; the facts of its last change of grade
TABLE = {
    "the count of a fever": (
        [reading("fever", "temperature", "38.6", 60, unit="Cel"),
         reading("count", "neutrophils", "0.4", 48, **COUNT),
         reading("another", "neutrophils", "0.3", 99, **COUNT)],
        "febrile-neutropenia", {"fever", "count"},
    ),
    "the count after a fever": (
        [reading("fever", "temperature", "38.6", 60, unit="Cel"),
         reading("before", "neutrophils", "0.4", 40, **COUNT),
         reading("count", "neutrophils", "0.3", 61, **COUNT)],
        "febrile-neutropenia", {"fever", "count"},
    ),
    "two counts of the same instant": (
        [reading("fever", "temperature", "38.6", 60, unit="Cel"),
         reading("one", "neutrophils", "0.4", 48, **COUNT),
         reading("two", "neutrophils", "0.9", 48, **COUNT)],
        "febrile-neutropenia", {"fever", "one", "two"},
    ),
    "no count that near": (
        [reading("fever", "temperature", "38.6", 98, unit="Cel"),
         reading("count", "neutrophils", "0.4", 25, **COUNT)],
        "febrile-neutropenia", {"fever"},
    ),
    "the albumin of a calcium": (
        [reading("calcium", "calcium", "7.4", 48, **CALCIUM),
         reading("albumin", "albumin", "3.0", 50, unit="g/dL")],
        "hypocalcemia", {"calcium", "albumin"},
    ),
    "an albumin a day away": (
        [reading("calcium", "calcium", "7.4", 48, **CALCIUM),
         reading("albumin", "albumin", "3.0", 73, unit="g/dL")],
        "hypocalcemia", {"calcium"},
    ),
    "an ionized calcium needs no albumin": (
        [reading("calcium", "calcium-ionized", "0.95", 48, unit="mmol/L", lln="1.1", uln="1.3"),
         reading("albumin", "albumin", "3.0", 48, unit="g/dL")],
        "hypocalcemia", {"calcium"},
    ),
    "potassium was given": (
        [reading("low", "potassium", "3.2", 48, **POTASSIUM),
         drug("tablet", "potassium-chloride", 50), drug("late", "potassium-chloride", 73)],
        "hypokalemia", {"low", "tablet"},
    ),
    "potassium was given, and the value decides": (
        [reading("low", "potassium", "2.4", 48, **POTASSIUM),
         drug("tablet", "potassium-chloride", 50)],
        "hypokalemia", {"low"},
    ),
    "potassium was given, and the value is high": (
        [reading("high", "potassium", "6.3", 48, **POTASSIUM),
         drug("tablet", "potassium-chloride", 40)],
        "hyperkalemia", {"high"},
    ),
    "an infusion of insulin": (
        [reading("normal", "glucose", "100", -24, **GLUCOSE),
         reading("high", "glucose", "300", 72, **GLUCOSE),
         drug("start", "insulin", 20, Action.START)],
        "hyperglycemia", {"high", "start"},
    ),
    "an infusion that had stopped": (
        [reading("normal", "glucose", "100", -24, **GLUCOSE),
         reading("high", "glucose", "300", 72, **GLUCOSE),
         drug("start", "insulin", 20, Action.START), drug("stop", "insulin", 47, Action.STOP)],
        "hyperglycemia", {"high"},
    ),
    "symptoms that a clinician saw": (
        [reading("low", "potassium", "3.2", 48, **POTASSIUM),
         finding("seen", "hypokalemia", 47, Symptoms.PRESENT),
         finding("before", "hypokalemia", 40, Symptoms.NONE)],
        "hypokalemia", {"low", "seen"},
    ),
    "symptoms that decide nothing": (
        [reading("low", "potassium", "2.4", 48, **POTASSIUM),
         finding("seen", "hypokalemia", 47, Symptoms.PRESENT)],
        "hypokalemia", {"low"},
    ),
}  # fmt: skip


@pytest.mark.parametrize(("facts", "term", "names"), TABLE.values(), ids=TABLE)
def test_the_facts_of_a_grade(facts, term, names):
    dose = drug("dose", "blinatumomab", 0, Action.START)
    for order in permutations([dose, *facts]):
        fold = Fold("P-001", RULES)
        for next_fact in order:
            fold.apply([next_fact])
        records = fold.group_by_criterion()[f"ctcae-5.0.{term}"]
        assert set(records[-1].history[-1].facts) == names


@pytest.mark.parametrize(("letter", "is_provisional"), [("P", True), ("F", False)])
def test_a_grade_that_rests_on_a_preliminary_count_is_provisional(letter, is_provisional):
    fold = Fold("P-001", RULES)
    fold.apply([drug("dose", "blinatumomab", 0, Action.START)])
    fold.apply([reading("fever", "temperature", "38.6", 60, unit="Cel")])
    fold.apply([reading("count", "neutrophils", "0.4", 48, status=status(letter), **COUNT)])
    (record,) = fold.group_by_criterion()["ctcae-5.0.febrile-neutropenia"]
    assert record.provisional is is_provisional


# drugs, each with its hour; those that are named beside an oxygen mask at hour 6, without a fever
WAIVERS = {
    "an antipyretic": ([("acetaminophen", 2)], {"acetaminophen"}),
    "tocilizumab": ([("tocilizumab", 2)], {"tocilizumab"}),
    "both at once": (
        [("acetaminophen", 2), ("tocilizumab", 2)],
        {"acetaminophen", "tocilizumab"},
    ),
    "the first of two": ([("tocilizumab", 3), ("acetaminophen", 2)], {"acetaminophen"}),
    "a drug that treats no fever": ([("ondansetron", 2)], set()),
}


@pytest.mark.parametrize(("doses", "names"), WAIVERS.values(), ids=WAIVERS)
def test_a_syndrome_without_fever_names_what_treated_it(doses, names):
    facts = [
        drug("dose", "blinatumomab", 0, Action.START),
        reading("pressure", "sbp", "120", 1, unit="mm[Hg]"),
        reading("fever", "temperature", "39.0", 1, unit="Cel"),
        *(drug(what, what, hour) for what, hour in doses),
        reading("gone", "temperature", "36.9", 5, unit="Cel"),
        fact(Observation("oxygen-device", text="simple-mask"), 6, name="mask"),
    ]
    for order in (facts, facts[::-1]):
        fold = Fold("P-001", RULES)
        for next_fact in order:
            fold.apply([next_fact])
        (record,) = fold.group_by_criterion()["astct-2019.crs"]
        assert set(record.history[-1].facts) == {"mask", *names}


def test_a_temperature_that_cannot_be_read_is_named():
    fold = Fold("P-001", RULES)
    fold.apply([drug("dose", "blinatumomab", 0, Action.START)])
    fold.apply([reading("odd", "temperature", "101", 1, unit="Cel")])
    (record,) = fold.group_by_criterion()["astct-2019.crs"]
    assert (record.possible, record.history[0].facts) == (True, ("odd",))
