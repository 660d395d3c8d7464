"""Of several values of one measure the worst counts by its amount, in whichever order."""

from itertools import permutations

import pytest

from services.safety_rules.domain.ctcae.criterion import Direction
from services.safety_rules.domain.ctcae.worst_value import select_worst_value
from services.vocabulary.measure import Ion
from tests.helpers.fact_notes import quantity

LOW, HIGH = Direction.LOW, Direction.HIGH
TWO = Ion(2)

TABLE = {
    "one unit, low": ("3 g/dL, 4 g/dL", LOW, None, "3 g/dL"),
    "one unit, high": ("3 g/dL, 4 g/dL", HIGH, None, "4 g/dL"),
    "the smaller number is more": ("3 g/dL, 20 g/L", HIGH, None, "3 g/dL"),
    "the larger number is less": ("3 g/dL, 20 g/L", LOW, None, "20 g/L"),
    "just more": ("3 g/dL, 30.1 g/L", HIGH, None, "30.1 g/L"),
    "just less": ("3 g/dL, 29.9 g/L", HIGH, None, "3 g/dL"),
    "a fever in Celsius": ("38.1 Cel, 100.4 [degF]", HIGH, None, "38.1 Cel"),
    "a fever in Fahrenheit": ("38.0 Cel, 100.5 [degF]", HIGH, None, "100.5 [degF]"),
    "cold": ("35 Cel, 94 [degF]", LOW, None, "94 [degF]"),
    "equivalents are half as many": ("1.1 mmol/L, 2 meq/L", HIGH, TWO, "1.1 mmol/L"),
    "equivalents, just more": ("1.1 mmol/L, 2.3 meq/L", HIGH, TWO, "2.3 meq/L"),
    "two of three convert": ("3 g/dL, 20 g/L, 900 umol/L", HIGH, None, "3 g/dL"),
    "a bound gives way": ("3 g/dL, >50 g/L", HIGH, None, "3 g/dL"),
    "two systems": ("1 mg/dL, 120 umol/L", HIGH, None, "1 mg/dL"),
    "equal: the first by name": ("3 g/dL, 30 g/L", HIGH, None, "30 g/L"),
}


def write(value):
    return f"{value.censoring or ''}{value.value} {value.unit}"


@pytest.mark.parametrize(("texts", "direction", "ion", "worst"), TABLE.values(), ids=TABLE)
def test_the_worst_value(texts, direction, ion, worst):
    values = [quantity(*text.split()) for text in texts.split(", ")]
    for order in permutations(values):
        assert write(select_worst_value(order, direction, ion)) == worst


def test_of_none_it_is_none():
    assert select_worst_value([], LOW) is None
