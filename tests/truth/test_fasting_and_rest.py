"""A result that states fasting or rest leaves no interval of grades.

Source: CTCAE v6.0, "Hyperglycemia"; CTCAE v5.0, "Hypoxia"
"""

import pytest
from msgspec.structs import replace

from services.safety_rules.domain.participant.fold import Fold
from services.vocabulary.clinical_fact import Action, Administration
from tests.helpers.fact_notes import fact, lab
from tests.helpers.random_trials import RULES, RULES_6

# glucose in mg/dL (ULN 100), whether fasting; the grade by v6
GLUCOSE_GRADES = [
    ("150", None, "0-1"),
    ("150", True, "1"),
    ("150", False, ""),
    ("200", None, "0-2"),
    ("200", True, "2"),
    ("200", False, ""),
    ("260", False, "3"),
    ("260", True, "3"),
]


def find_worst_grade(rules, reading, **circumstances):
    """The worst grade of the record of *reading*, empty when it makes none."""
    complete_reading = replace(reading, body=replace(reading.body, **circumstances))
    fold = Fold("P-001", rules)
    fold.apply([fact(Administration("blinatumomab", Action.START), 0), complete_reading])
    return ", ".join(str(one.worst) for one in fold.list_records())


@pytest.mark.parametrize(("value", "is_fasting", "grade"), GLUCOSE_GRADES)
def test_fasting_tells_the_grades_of_a_glucose_apart(value, is_fasting, grade):
    glucose = lab("glucose", value, 24, "mg/dL", lln="70", uln="100")
    assert find_worst_grade(RULES_6, glucose, fasting=is_fasting) == grade


@pytest.mark.parametrize(("at_rest", "grade"), [(None, "2-3"), (True, "3"), (False, "2")])
def test_rest_tells_the_grades_of_a_saturation_apart(at_rest, grade):
    assert find_worst_grade(RULES, lab("spo2", "86", 24, "%"), at_rest=at_rest) == grade
