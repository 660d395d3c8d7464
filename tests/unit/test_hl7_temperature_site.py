"""The place at which a temperature was taken, as far as a message says it."""

import pytest

from services.safety_rules.domain.participant.fold import Fold
from services.vocabulary.clinical_fact import Observation
from services.vocabulary.quantity import Quantity
from tests.helpers.fact_notes import fact, quantity
from tests.helpers.hl7_messages import obx, read_draft
from tests.helpers.random_trials import RULES

ORAL = "8331-1^Oral temperature^LN"
PLACES = {  # OBX-3; OBX-17; OBX-20
    "axillary by LOINC": ("8328-7^Axillary temperature^LN", "", "", True),
    "axillary by LOINC alone": ("8328-7^^LN", "", "", True),
    "axillary by MDC": ("188452^MDC_TEMP_AXILLA^MDC", "", "", True),
    "axillary by a name of MDC": ("MDC_TEMP_AXILLA^^MDC", "", "", True),
    "a local code beside it": ("T1^Temp ax^L^8328-7^^LN", "", "", True),
    "by its method": ("8310-5^Body temperature^LN", "AXILLARY", "", True),
    "by its place": ("8310-5^Body temperature^LN", "", "LAX^Left axilla^L", True),
    "in German": ("8310-5^Temp. axill\xe4r^LN", "", "", True),
    "forehead": ("8310-5^Temp forehead^LN", "", "", True),
    "not said": ("8310-5^Body temperature^LN", "", "", None),
    "oral": (ORAL, "", "", None),
    "core": ("8329-5^Body temperature - Core^LN", "", "", None),
    "rectal by MDC": ("188420^MDC_TEMP_RECT^MDC", "", "", None),
}


@pytest.mark.parametrize(("code", "method", "place", "peripheral"), PLACES.values(), ids=PLACES)
def test_the_place_of_a_temperature(code, method, place, peripheral):
    result = f"{obx('34.8', 'Cel', code=code)}|||{method}|||{place}"
    body = read_draft(result).body
    assert isinstance(body, Observation)
    assert (body.measure, body.peripheral) == ("temperature", peripheral)


def test_other_measures_are_taken_nowhere():
    body = read_draft(f"{obx('4.1', 'mmol/L', code='2823-3^^LN')}|||SKIN").body
    assert isinstance(body, Observation)
    assert body.peripheral is None


READINGS = {  # at one instant: peripheral or not; then the worst hypothermia, and if it is possible
    "at the armpit": ([("34.8", True)], [("0-2", True)]),
    "at the core": ([("34.8", None)], [("2", False)]),
    "low at both": ([("34.8", True), ("34.9", None)], [("2", False)]),
    "low at the armpit alone": ([("34.8", True), ("36.4", None)], []),
    "far too low at the armpit": ([("31.9", True), ("34.9", None)], [("2", False)]),
}


@pytest.mark.parametrize(("readings", "expected"), READINGS.values(), ids=READINGS)
def test_an_armpit_does_not_make_hypothermia_for_certain(readings, expected):
    fold = Fold("P-001", RULES)
    for number, (degrees, peripheral) in enumerate(readings):
        value = quantity(degrees, "Cel")
        assert isinstance(value, Quantity)
        fold.apply(
            [fact(Observation("temperature", value, peripheral=peripheral), 8, name=f"t{number}")]
        )
    records = [one for one in fold.list_records() if one.criterion == "ctcae-5.0.hypothermia"]
    assert [(str(one.worst), one.possible) for one in records] == expected
