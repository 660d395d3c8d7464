"""A fever with a low count beside it is febrile neutropenia, in whatever order they are known."""

from datetime import timedelta

import pytest

from services.safety_rules.domain.participant.fold import Fold
from services.vocabulary.clinical_fact import Action, Administration
from tests.helpers.fact_notes import HOUR_ZERO, fact, lab
from tests.helpers.random_trials import RULES

FEBRILE_NEUTROPENIA = "ctcae-5.0.febrile-neutropenia"

# temperatures by hour, counts (10*9/L) by hour; then the hours of onset and end, and the grade
TABLE = {
    "a fever and a low count": ({48: "38.4", 60: "37.0"}, {50: "0.9"}, (48, 60, "3")),
    "a fever and a count of 1": ({48: "38.4", 60: "37.0"}, {50: "1.0"}, None),
    "no fever": ({48: "37.9", 60: "37.0"}, {50: "0.1"}, None),
    "38.3 once": ({48: "38.3", 60: "37.0"}, {50: "0.1"}, None),
    "38.0 for an hour": ({48: "38.0", 49: "38.0", 60: "37.0"}, {50: "0.1"}, None),
    "38.0 for two hours": ({48: "38.0", 50: "38.0", 60: "37.0"}, {50: "0.1"}, (50, 60, "3")),
    "38.0 with a gap": ({48: "38.0", 49: "37.9", 50: "38.0", 60: "37.0"}, {50: "0.1"}, None),
    "a count 72 hours before": ({80: "39.0", 90: "37.0"}, {8: "0.2"}, (80, 90, "3")),
    "a count 72 hours after": ({8: "39.0", 20: "37.0"}, {80: "0.2"}, (8, 20, "3")),
    "no count that near": ({81: "39.0", 90: "37.0"}, {8: "0.2"}, (81, 90, "0-3")),
    "the nearer of two": ({48: "39.0", 60: "37.0"}, {40: "2.0", 70: "0.2"}, None),
}


@pytest.mark.parametrize(("fevers", "counts", "expected"), TABLE.values(), ids=TABLE)
def test_the_record_of_a_fever(fevers, counts, expected):
    facts = [
        fact(Administration("blinatumomab", Action.START), 0),
        *(lab("temperature", degrees, at, "Cel") for at, degrees in fevers.items()),
        *(lab("neutrophils", count, at, "10*9/L", lln="1.8") for at, count in counts.items()),
    ]
    orders = [facts[at:] + facts[:at] for at in range(len(facts))]
    for order in [*orders, *(facts[::-1] for facts in orders)]:
        fold = Fold("P-001", RULES)
        for next_fact in order:
            fold.apply([next_fact])
        records = [one for one in fold.list_records() if one.criterion == FEBRILE_NEUTROPENIA]
        assert [describe(one) for one in records] == ([] if expected is None else [expected])


def test_a_count_without_a_fever_makes_no_record():
    fold = Fold("P-001", RULES)
    fold.apply([lab("neutrophils", "0.1", 24, "10*9/L", lln="1.8")])
    assert [one.criterion for one in fold.list_records()] == [
        "ctcae-5.0.neutrophil-count-decreased"
    ]


def test_one_pressure_makes_no_record():
    fold = Fold("P-001", RULES)
    fold.apply([lab("sbp", "170", 24, "mm[Hg]"), lab("dbp", "105", 24, "mm[Hg]")])
    assert fold.list_records() == ()


def describe(record):
    ends = record.onset_at, record.resolved_at
    return (*((at - HOUR_ZERO) // timedelta(hours=1) for at in ends), str(record.worst))
