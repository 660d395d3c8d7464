"""A result that says whether the participant was fasting, or at rest, leaves no interval.

Source: CTCAE v6.0, "Hyperglycemia"; CTCAE v5.0, "Hypoxia"
"""

from dataclasses import replace

import pytest

from services.safety_rules.domain.participant.fold import Fold
from services.vocabulary.fact import Action, Administration
from tests.helpers.fact_notes import fact, lab
from tests.helpers.random_trials import RULES, RULES_6

# glucose in mg/dL (ULN 100), whether fasting; the grade by v6
FASTING = [
    ("150", None, "0-1"),
    ("150", True, "1"),
    ("150", False, ""),
    ("200", None, "0-2"),
    ("200", True, "2"),
    ("200", False, ""),
    ("260", False, "3"),
    ("260", True, "3"),
]


def worst(rules, reading, **said):
    """The worst grade of the record of *reading*, empty when it makes none."""
    told = replace(reading, body=replace(reading.body, **said))
    fold = Fold("P-001", rules)
    fold.apply([fact(Administration("blinatumomab", Action.START), 0), told])
    return ", ".join(str(one.worst) for one in fold.list_records())


@pytest.mark.parametrize(("value", "fasting", "grade"), FASTING)
def test_fasting_tells_the_grades_of_a_glucose_apart(value, fasting, grade):
    glucose = lab("glucose", value, 24, "mg/dL", lln="70", uln="100")
    assert worst(RULES_6, glucose, fasting=fasting) == grade


@pytest.mark.parametrize(("at_rest", "grade"), [(None, "2-3"), (True, "3"), (False, "2")])
def test_rest_tells_the_grades_of_a_saturation_apart(at_rest, grade):
    assert worst(RULES, lab("spo2", "86", 24, "%"), at_rest=at_rest) == grade
