"""Every unit that is rescaled: the same quantity in each unit of a dimension, worked out by hand.

Source: UCUM v2.1, "Prefixes"
"""

from decimal import Decimal
from itertools import permutations

import pytest

from services.safety_rules.domain.ctcae.units import rescale_quantity
from services.vocabulary.quantity import Quantity

EQUAL = """
1 10*12/L = 1 10*9/mL = 1 10*6/uL = 10 10*5/uL = 100 10*4/uL = 1_000 10*9/L = 1_000 10*3/uL
1 10*9/L = 1 10*6/mL = 1 10*3/uL = 10 10*2/uL = 1_000 10*6/L = 1_000 10*3/mL = 1_000 /uL
1 /uL = 1 /mm3 = 1_000 10*3/L = 1_000 /mL = 1_000_000 /L
1 kg/L = 100 g/dL = 1_000 g/L = 1_000 mg/mL = 100_000 mg/dL = 1_000_000 mg/L
1 mg/L = 1 ug/mL = 100 ug/dL = 1_000 ug/L = 1_000 ng/mL = 100_000 ng/dL
1 ug/L = 1 ng/mL = 100 ng/dL = 1_000 ng/L = 1_000 pg/mL
1 mol/L = 1_000 mmol/L = 1_000_000 umol/L = 1_000_000_000 nmol/L = 1_000_000_000_000 pmol/L
1 kU/L = 1 U/mL = 1_000 U/L = 1_000 mU/mL = 1_000_000 mU/L
1 kat/L = 1_000_000 ukat/L = 1_000_000_000 nkat/L
1 1 = 100 %
1 s = 1_000 ms
1 kg = 1_000 g
1 L = 10 dL = 1_000 mL
1 g/d = 1 g/(24.h) = 1_000 mg/d = 1_000 mg/(24.h)
1 g/g = 1 mg/mg = 1_000 mg/g
"""
DIMENSIONS = [
    [
        Quantity(Decimal(number), unit)
        for number, unit in (cell.split() for cell in row.split(" = "))
    ]
    for row in EQUAL.strip().splitlines()
]


@pytest.mark.parametrize("quantities", DIMENSIONS, ids=EQUAL.strip().splitlines())
def test_the_same_quantity_comes_out_in_each_unit_of_its_dimension(quantities):
    for quantity, other_quantity in permutations(quantities, 2):
        assert rescale_quantity(quantity, other_quantity.unit) == other_quantity


def test_nothing_is_rescaled_into_another_dimension():
    first_of_each = [DIMENSIONS[number][0] for number in (0, 3, 6, 7, 8, 9, 10, 11, 12, 13, 14)]
    for quantity, other_quantity in permutations(first_of_each, 2):
        assert rescale_quantity(quantity, other_quantity.unit) is None
