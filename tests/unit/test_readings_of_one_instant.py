"""Of several readings of one instant the worst counts, whichever was sent first."""

from itertools import permutations

import pytest
from msgspec.structs import replace

from services.safety_rules.domain.participant.fold import Fold
from services.vocabulary.clinical_fact import Action, Administration
from tests.helpers.fact_notes import fact, lab
from tests.helpers.random_trials import RULES

CRITERIA = {
    "ANC": "ctcae-5.0.neutrophil-count-decreased",
    "ALT": "ctcae-5.0.alanine-aminotransferase-increased",
    "high K": "ctcae-5.0.hyperkalemia",
    "low K": "ctcae-5.0.hypokalemia",
    "high Ca": "ctcae-5.0.hypercalcemia",
    "low Ca": "ctcae-5.0.hypocalcemia",
    "fever": "ctcae-5.0.fever",
    "FN": "ctcae-5.0.febrile-neutropenia",
    "hypoxia": "ctcae-5.0.hypoxia",
    "CRS": "astct-2019.crs",
}
UNITS = {
    "neutrophils": {"unit": "10*9/L", "lln": "1.8"},
    "alt": {"unit": "U/L", "uln": "40"},
    "potassium": {"unit": "mmol/L", "lln": "3.5", "uln": "5.0"},
    "calcium": {"unit": "mg/dL", "lln": "8.5", "uln": "10.5"},
    "albumin": {"unit": "g/dL"},
    "temperature": {"unit": "Cel"},
    "sbp": {"unit": "mm[Hg]"},
    "spo2": {"unit": "%"},
}

# measure value@hour; the grades of a criterion's record after exposure
TABLE = {
    "the lower count": ("neutrophils 3.1@24, neutrophils 0.4@24", "ANC", (4, 4)),
    "three counts": ("neutrophils 3.1@24, neutrophils 0.4@24, neutrophils 0.8@24", "ANC", (4, 4)),
    "one as if nothing were": ("neutrophils 0.4@24, neutrophils 0.4@48, neutrophils 3@48", "ANC",
                               (4, 4)),
    "too high and too low": ("potassium 6.5@24, potassium 2.4@24", "high K", (3, 3)),
    "too low and too high": ("potassium 6.5@24, potassium 2.4@24", "low K", (4, 4)),
    "the higher temperature": ("temperature 36.0@24, temperature 39.1@24", "fever", (2, 2)),
    "the same temperature three times": (
        "temperature 39.1@24, temperature 39.1@24, temperature 36.0@24, temperature 39.1@24",
        "fever", (2, 2),
    ),
    "a fever and the lower count": (
        "temperature 38.6@24, neutrophils 3.1@24, neutrophils 0.4@24", "FN", (3, 3),
    ),
    "a fever and a lower count in cells": (
        "temperature 38.6@24, neutrophils 3.1@24, neutrophils 400/uL@24", "FN", (3, 3),
    ),
    "a fever and two counts, hours away": (
        "temperature 38.6@24, neutrophils 3.1@20, neutrophils 0.4@20", "FN", (3, 3),
    ),
    "a calcium and the lower albumin": (
        "calcium 10.4@24, albumin 4.0@24, albumin 2.0@24", "high Ca", (2, 2),
    ),
    "a calcium and a lower albumin that is only a bound": (
        "calcium 10.4@24, albumin 2.0@24, albumin <1.9@24", "high Ca", (2, 2),
    ),
    "a calcium and an albumin of 24 hours before": (
        "calcium 10.4@48, albumin 2.0@24", "high Ca", (2, 2),
    ),
    "a calcium and an albumin of 24 hours after": (
        "calcium 10.4@24, albumin 2.0@48", "high Ca", (2, 2),
    ),
    "a calcium and an albumin of longer before": (
        "calcium 10.4@48.1, albumin 2.0@24", "high Ca", (0, 3),
    ),
    "a calcium and an albumin of longer after": (
        "calcium 10.4@24, albumin 2.0@48.1", "high Ca", (0, 3),
    ),
    "a calcium and the higher albumin": (
        "calcium 8.4@24, albumin 4.0@24, albumin 3.0@24", "low Ca", (1, 1),
    ),
    "a calcium and the lower albumin, in g/L": (
        "calcium 10.4@24, albumin 4.0@24, albumin 20:g/L@24", "high Ca", (2, 2),
    ),
    "a calcium and an albumin that does not convert": (
        "calcium 10.4@24, albumin 2.0@24, albumin 300:umol/L@24, albumin 60:%@24", "high Ca",
        (2, 2),
    ),
    "the higher temperature, in Fahrenheit": (
        "temperature 38.4@24, temperature 102.4:[degF]@24", "fever", (2, 2),
    ),
    "the higher temperature, in Celsius": (
        "temperature 39.1@24, temperature 99:[degF]@24", "fever", (2, 2),
    ),
    "a fever in Celsius and none in Fahrenheit": (
        "temperature 38.0@24, temperature 100.3:[degF]@24", "fever", (1, 1),
    ),
    "a fever in Fahrenheit and none in Celsius": (
        "temperature 37.9@24, temperature 100.4:[degF]@24", "fever", (1, 1),
    ),
    "the lower pressure beside one in kPa": (
        "temperature 39@24, sbp 75@24, sbp 16:kPa@24, spo2 98@24", "CRS", (2, 4),
    ),
    "the lower potassium, in equivalents": (
        "potassium 3.4@24, potassium 2.4:meq/L@24", "low K", (4, 4),
    ),
    "the normal of two baselines": ("alt 30@-5, alt 100@-5, alt 210@24", "ALT", (3, 3)),
    "the lower of two abnormal baselines": ("alt 50@-5, alt 100@-5, alt 210@24", "ALT", (2, 2)),
    "the lower pressure": (
        "temperature 39@24, sbp 125@24, sbp 75@24, spo2 98@24", "CRS", (2, 4),
    ),
}  # fmt: skip


def read_fact(text, name):
    measure, value, hour = text.replace("@", " ").split()
    number, separator, own_unit = value.partition(":" if ":" in value else "/")
    unit = f"/{own_unit}" if separator == "/" else own_unit
    fields = {**UNITS[measure], **({"unit": unit} if unit else {})}
    return lab(measure, number, float(hour), name=name, **fields)


@pytest.mark.parametrize(("readings", "criterion", "grades"), TABLE.values(), ids=TABLE)
def test_the_worst_of_one_instant_counts(readings, criterion, grades):
    facts = [read_fact(text, "") for text in readings.split(", ")]
    dose = fact(Administration("blinatumomab", Action.START), 0)
    for order in permutations(facts):
        fold = Fold("P-001", RULES)
        fold.apply([dose, *(replace(one, id=f"{n}") for n, one in enumerate(order))])
        worst = [
            (one.worst.at_least, one.worst.at_most)
            for one in fold.list_records()
            if one.criterion == CRITERIA[criterion] and not one.before_exposure
        ]
        assert worst == [grades]
