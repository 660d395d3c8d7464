"""Observations that only the living have."""

import pytest

from services.safety_rules.domain.queries.signs_of_life import is_sign_of_life
from services.vocabulary.clinical_fact import Death, Observation
from tests.helpers.fact_notes import fact, quantity

# measure, number with unit or a word, and True for a sign of life
TABLE = [
    ("sbp", "120 mm[Hg]", True),
    ("sbp", "0 mm[Hg]", False),
    ("sbp", "<20 mm[Hg]", False),
    ("sbp", "<=20 mm[Hg]", False),
    ("spo2", ">=0 %", False),
    ("spo2", ">0 %", True),
    ("temperature", "36.8 Cel", True),
    ("respiratory-rate", "1 /min", True),
    ("respiratory-rate", "0 /min", False),
    ("ice", "1 ", True),
    ("ice", "0 ", False),
    ("capd", "0 ", True),
    ("fev1-z-score", "-2 {Zscore}", True),
    ("weight", "70 kg", False),
    ("urine-output-24h", "500 mL", False),
    ("potassium", "4 mmol/L", False),
    ("pao2", "80 mm[Hg]", False),
    ("fio2", "40 %", False),
    ("arousal", "spontaneous", True),
    ("arousal", "tactile", True),
    ("arousal", "unarousable", False),
    ("seizure", "brief", True),
    ("seizure", "none", False),
    ("motor", "none", False),
    ("edema", "diffuse", False),
    ("oxygen-device", "ventilator", False),
    ("sbp", "not measured", False),
]


@pytest.mark.parametrize(("measure", "reading", "expected"), TABLE)
def test_signs_of_life(measure, reading, expected):
    is_number = any(letter.isdigit() for letter in reading)
    body = (
        Observation(measure, quantity(reading)) if is_number else Observation(measure, text=reading)
    )
    assert is_sign_of_life(fact(body)) is expected


def test_a_death_is_none():
    assert not is_sign_of_life(fact(Death()))
