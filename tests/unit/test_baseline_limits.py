"""A baseline in a course is normal or abnormal by the limits that it was reported with."""

import pytest

from services.safety_rules.domain.participant.fold import Fold
from services.vocabulary.clinical_fact import Action, Administration
from tests.helpers.fact_notes import fact, lab
from tests.helpers.random_trials import RULES

DOSE = fact(Administration("blinatumomab", Action.START), 0)

# the baseline with its ULN, the later result with its own, and the grades of the record
COURSES = {
    "normal by its own, abnormal by the later": (("54", "55"), ("230", "41"), (3, 3)),
    "at its own limit": (("55", "55"), ("230", "41"), (3, 3)),
    "abnormal by its own, normal by the later": (("54", "41"), ("230", "60"), (2, 2)),
    "the same for both": (("54", "41"), ("230", "41"), (2, 2)),
    "without a limit": (("54", None), ("230", "41"), (2, 3)),
    "with a limit that cannot be": (("54", "60000"), ("230", "41"), (2, 3)),
    "the later without a limit": (("54", "55"), ("230", None), (0, 4)),
    "in a unit of its own, of one dimension": (("0.054 kU/L", "0.055 kU/L"), ("230", "41"), (3, 3)),
}


def find_grades(fold):
    """The worst grades of the records after exposure."""
    records = [one for one in fold.list_records() if not one.before_exposure]
    return [(one.worst.at_least, one.worst.at_most) for one in records]


@pytest.mark.parametrize(("baseline", "result", "expected"), COURSES.values(), ids=COURSES)
def test_the_grade_after_exposure(baseline, result, expected):
    fold = Fold("P-001", RULES)
    fold.apply(
        [
            lab("alt", baseline[0], -5, "U/L", uln=baseline[1]),
            DOSE,
            lab("alt", result[0], 24, "U/L", uln=result[1]),
        ]
    )
    assert find_grades(fold) == [expected]


def test_limits_of_the_baseline_that_are_corrected_grade_the_course_again():
    fold = Fold("P-001", RULES)
    wrong = lab("alt", "54", -5, "U/L", uln="41", name="a", series="S")
    fold.apply([wrong, DOSE, lab("alt", "230", 24, "U/L", uln="41")])
    assert find_grades(fold) == [(2, 2)]
    fold.apply([lab("alt", "54", -5, "U/L", uln="55", name="b", series="S", reported_hour=30)])
    assert find_grades(fold) == [(3, 3)]


def test_the_baseline_itself_is_graded_by_its_own_limits():
    fold = Fold("P-001", RULES)
    fold.apply([lab("creatinine", "1.3", -5, "mg/dL", uln="1.2", lln="0.6"), DOSE])
    fold.apply([lab("creatinine", "1.3", 24, "mg/dL", uln="1.2", lln="0.6")])
    assert [one.before_exposure for one in fold.list_records()] == [True]
