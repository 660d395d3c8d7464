"""Our units are UCUM's: another reader of UCUM finds the same dimensions and the same factors."""

from decimal import Decimal
from functools import cache
from itertools import combinations

import pytest
from ucumvert import PintUcumRegistry

from services.ingest.adapters.code_tables import load_unit_table
from services.safety_rules.domain.ctcae.units import is_listed, rescale_quantity
from services.vocabulary.quantity import Quantity
from tests.helpers.lab_reading import TABLES

DIMENSIONS = {  # of `ucum.csv`: as that reader writes it
    "count/volume": "1 / [length] ** 3",
    "mass/volume": "[mass] / [length] ** 3",
    "substance/volume": "[substance] / [length] ** 3",
    "equivalents/volume": "[substance] / [length] ** 3",
    "activity/volume": "[substance] / [time] / [length] ** 3",
    "fraction": "dimensionless",
    "mass/mass": "dimensionless",
    "mass/substance": "[mass] / [substance]",
    "temperature": "[temperature]",
    "pressure": "[mass] / [length] / [time] ** 2",
    "rate": "1 / [time]",
    "flow": "[length] ** 3 / [time]",
    "diffusing capacity": "[length] ** 4 * [time] / [mass]",
    "volume": "[length] ** 3",
    "volume/mass": "[length] ** 3 / [mass]",
    "mass": "[mass]",
    "mass/area": "[mass] / [length] ** 2",
    "time": "[time]",
    "arbitrary": "dimensionless",
    "arbitrary/time": "1 / [time]",
    "substance": "[substance]",
    "equivalents": "[substance]",
    "mass/time": "[mass] / [time]",
    "mass/mass/time": "1 / [time]",
    "count/mass": "1 / [mass]",
}
UNKNOWN_TO_IT = frozenset({"[pH]"})  # a unit of UCUM that it cannot calculate with
EQUIVALENTS = "equivalents/volume"  # UCUM takes an equivalent for a mole, which it is not


@cache
def load_registry():
    return PintUcumRegistry()


def dimension(unit):
    quantity = load_registry().from_ucum(unit)
    return str(getattr(quantity, "dimensionality", "dimensionless"))


@pytest.mark.parametrize("unit", sorted(load_unit_table().dimensions.keys() - UNKNOWN_TO_IT))
def test_a_unit_is_of_ucum_and_has_its_dimension(unit):
    assert dimension(unit) == DIMENSIONS[load_unit_table().dimensions[unit]]


RESCALABLE_UNITS = [
    unit
    for unit, dimension in load_unit_table().dimensions.items()
    if is_listed(unit) and dimension != "arbitrary"
]
UNIT_PAIRS = [
    (unit, other)
    for unit, other in combinations(RESCALABLE_UNITS, 2)
    if rescale_quantity(Quantity(Decimal(1), unit), other) is not None
]


@pytest.mark.parametrize(("unit", "other"), UNIT_PAIRS)
def test_a_factor_is_that_of_ucum(unit, other):
    ours = rescale_quantity(Quantity(Decimal(1), unit), other).value
    theirs = (load_registry().from_ucum(unit) / load_registry().from_ucum(other)).to("")
    assert float(ours) == pytest.approx(theirs.magnitude, rel=1e-12)


def test_a_degree_of_fahrenheit_is_that_of_ucum():
    fever = load_registry().Quantity(100.4, "degF").to("degC").magnitude
    ours = rescale_quantity(Quantity(Decimal("100.4"), "[degF]"), "Cel").value
    assert float(ours) == pytest.approx(fever)


def test_every_unit_that_is_published_is_one_that_feeds_may_send():
    published_units = {
        unit
        for table in TABLES.values()
        for criterion in table.compiled.by_id.values()
        for grading in criterion.gradings.values()
        for unit in grading.units
    }
    assert published_units <= load_unit_table().dimensions.keys()


def test_every_count_of_a_volume_can_be_graded():
    units = load_unit_table().dimensions
    counts = {unit for unit, dimension in units.items() if dimension == "count/volume"}
    assert {unit for unit in counts if is_listed(unit)} == counts
