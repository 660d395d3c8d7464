"""Insulin that was started makes a high glucose grade 3, in whatever order the two are known."""

from itertools import permutations

import pytest

from services.safety_rules.domain.participant.fold import Fold
from services.vocabulary.clinical_fact import Action, Administration
from tests.helpers.fact_notes import fact, lab
from tests.helpers.random_trials import RULES

# hours after the first dose at which insulin was given; the grade of a glucose at hour 48
TABLE = {
    "none": ((), "1-4"),
    "on the same day": ((50,), "3"),
    "a day later": ((72,), "3"),
    "more than a day later": ((73,), "1-4"),
    "days before": ((10,), "1-4"),
    "used before the study drug": ((-30, 50), "1-4"),
}


@pytest.mark.parametrize(("doses", "grade"), TABLE.values(), ids=TABLE)
def test_the_grade_of_a_high_glucose(doses, grade):
    facts = [
        fact(Administration("blinatumomab", Action.START), 0),
        lab("glucose", "100", -24, "mg/dL", lln="70", uln="140"),
        lab("glucose", "300", 48, "mg/dL", lln="70", uln="140"),
        *(fact(Administration("insulin", Action.DOSE), at) for at in doses),
    ]
    for order in permutations(facts):
        fold = Fold("P-001", RULES)
        for next_fact in order:
            fold.apply([next_fact])
        (record,) = fold.list_records()
        assert (record.criterion, str(record.worst)) == ("ctcae-5.0.hyperglycemia", grade)
