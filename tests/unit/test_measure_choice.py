"""The measure of a value that was entered: by its name, else by its unit and the albumin."""

import pytest

from services.safety_rules.domain.ctcae.measure_choice import UnclearMeasureError, choose_measure
from tests.helpers.fact_notes import quantity
from tests.helpers.random_trials import RULES

CALCIUM, GLUCOSE, ANEMIA = "hypocalcemia", "hyperglycemia", "anemia"

CHOICES = {  # term, name as written, value, albumin beside it; the measure
    "the only one": (ANEMIA, "", "8 g/dL", False, "hemoglobin"),
    "the only one, in a unit that does not fit": (ANEMIA, "", "8 U/L", False, "hemoglobin"),
    "by name": (CALCIUM, "calcium-ionized", "1 mmol/L", False, "calcium-ionized"),
    "by name, in other letters": (
        CALCIUM,
        " Calcium_Ionized ",
        "1 mmol/L",
        True,
        "calcium-ionized",
    ),
    "by another name": (CALCIUM, "calcium total", "8 mg/dL", False, "calcium"),
    "by name, against the albumin": (
        CALCIUM,
        "Calcium corrected",
        "8 mg/dL",
        True,
        "calcium-corrected",
    ),
    "a unit that one kind has": (CALCIUM, "", "8 mg/dL", False, "calcium"),
    "with an albumin": (CALCIUM, "", "8 mg/dL", True, "calcium"),
    "with an albumin, in a unit that all have": (CALCIUM, "", "2 mmol/L", True, "calcium"),
    "the same thresholds": (GLUCOSE, "", "8 mmol/L", False, "glucose"),
}


@pytest.mark.parametrize(
    ("term", "name", "value", "has_albumin", "measure"), CHOICES.values(), ids=CHOICES
)
def test_a_measure_is_that_of_the_name_else_of_the_unit(term, name, value, has_albumin, measure):
    criterion = RULES.compiled_criteria.by_id[f"ctcae-5.0.{term}"]
    assert choose_measure(criterion, name, quantity(value), has_albumin=has_albumin) == measure


UNCLEAR = {  # term, name as written, value; the message
    "a name of another term": (ANEMIA, "sodium", "9 g/dL", "'sodium' is none of hemoglobin"),
    "no name of the term": (
        CALCIUM,
        "ionized",
        "1 mmol/L",
        "'ionized' is none of calcium, calcium-corrected, calcium-ionized",
    ),
    "a unit that two kinds have": (
        CALCIUM,
        "",
        "2 mmol/L",
        "say which it is: calcium, calcium-ionized",
    ),
    "a unit that none has": (CALCIUM, "", "2 U/L", "say which it is: calcium, calcium-ionized"),
}


@pytest.mark.parametrize(("term", "name", "value", "message"), UNCLEAR.values(), ids=UNCLEAR)
def test_a_measure_that_is_not_clear_is_asked_for(term, name, value, message):
    criterion = RULES.compiled_criteria.by_id[f"ctcae-5.0.{term}"]
    with pytest.raises(UnclearMeasureError) as error:
        choose_measure(criterion, name, quantity(value), has_albumin=False)
    assert str(error.value) == message
