"""Every spelling comes to one UCUM unit, and one that could be two units to none."""

from pathlib import Path

import pytest

from services.ingest.adapters.code_tables import load_code_tables, load_unit_table

LINES = (Path(__file__).parent / "unit_spellings.txt").read_text("utf-8").splitlines()[1:]
ROWS = [
    (text, unit)
    for unit, spellings in (line.split(" | ") for line in LINES)
    for text in spellings.split("; ")
]
NOT_CERTAIN = [
    *("MU/L", "MIU/L"),  # mega or milli
    *("T/cmm", "K/ccm"),  # tera or thousand, a cubic centimetre or millimetre
    *("mil/uL", "mil/mm3"),  # million in English, a thousand in Spanish
    *(
        "103/uL",
        "109/L",
        "10-3/uL",
        "x10-3/uL",
        "10.3/uL",
        "10*3uL",
        "10'3/uL",
    ),  # a power that has lost its mark
    *("{10*3}/uL", "{10*9}/L"),  # braces hold no number in UCUM
    *("m/uL", "mm/L", "MM/L", "M/L", "T/dL"),
    *("10*7/uL", "10*3", "10*3/uX", "10*3/uL/L", "K", "/", "//", "{}", "{cells}", "per"),
    *("K/uL*", "x10^9/L (K/uL)", "mg/dL or mmol/L", "mg/dL mmol/L", "g/nL", "mg/furlong"),
    *("furlongs", "see note", "arb unit", "titer", "+", "x", "10", "mg/dL/", "/dL/uL"),
]


@pytest.mark.parametrize(("text", "unit"), ROWS)
def test_a_spelling_comes_to_its_unit(text, unit):
    assert load_unit_table().find(text) == unit


def test_the_table_is_varied():
    assert len(ROWS) == len(dict(ROWS)) >= 400


@pytest.mark.parametrize("text", NOT_CERTAIN)
def test_what_is_not_certain_is_no_unit(text):
    assert load_unit_table().find(text) is None


@pytest.mark.parametrize("length", [60, 61, 100_000])
def test_a_long_text_is_no_unit(length):
    assert load_unit_table().find("{" + "c" * (length - 5) + "}/uL") == (
        "/uL" if length == 60 else None
    )


def test_every_unit_is_its_own_spelling():
    units = load_unit_table()
    assert {unit: units.find(unit) for unit in units.dimensions} == {
        unit: unit for unit in units.dimensions
    }


def test_every_part_and_every_spelling_is_of_a_unit_that_is_known():
    units = load_unit_table()
    assert set(units.spellings.exact.values()) <= units.dimensions.keys()
    symbols = {part for unit in units.dimensions for part in unit.split("/")}
    assert {*units.amounts.exact.values(), *units.denominators.exact.values()} <= {
        *symbols,
        *("U", "kU", "mU", "mm3"),
    }


def test_every_mapping_of_a_device_is_a_measure():
    tables = load_code_tables()
    assert set(tables.mdc.values()) <= tables.measures
