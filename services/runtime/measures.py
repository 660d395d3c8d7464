"""The strict reader of ``measures.csv``, the one table of measures."""

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import cache

from services.runtime.data_tables import load_rows
from services.vocabulary.measure import Ion, Measure, MeasureKind, PlausibleRange
from services.vocabulary.number_text import UNSIGNED_NUMBER

FILE, COLUMNS = "measures.csv", "measure,kind,valence,molar_mass,plausible,normal"
_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_QUANTITY = re.compile(rf"(?P<number>{UNSIGNED_NUMBER}) (?P<unit>\S+)")
_RANGE = re.compile(rf"(?P<low>-?{UNSIGNED_NUMBER}) to (?P<high>-?{UNSIGNED_NUMBER}) (?P<unit>\S+)")


@cache
def load_measures() -> Mapping[str, Measure]:
    """Return every measure by name, in the order of the table.

    Raises:
        UntrustedFileError: A line of the table cannot be read; the message names it.
    """
    return load_rows(FILE, COLUMNS, read_measure)


def read_measure(cells: Sequence[str]) -> Measure:
    """Return the measure of a row.

    >>> read_measure(["sodium", "laboratory", "1", "", "80 to 220 mmol/L", "140 mmol/L"]).ion
    Ion(valence=1, molar_mass=None)
    >>> read_measure(["Na+", "laboratory", "1", "", "", ""])
    Traceback (most recent call last):
        ...
    ValueError: 'Na+' is no name of a measure

    Raises:
        ValueError: A name, a valence, a molar mass, a range or a quantity is none, a kind is
            unknown, or a unit stands twice.
    """
    name, kind, valence, molar_mass, plausible, normal = cells
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no name of a measure")
    return Measure(
        name,
        MeasureKind(kind),
        _read_ion(valence, molar_mass),
        _read_plausible(plausible),
        _read_normal(normal),
    )


def _read_ion(valence: str, molar_mass: str) -> Ion | None:
    if valence not in ("", "1", "2", "3"):
        raise ValueError(f"{valence!r} is no valence")
    if molar_mass and not (valence and re.fullmatch(UNSIGNED_NUMBER, molar_mass)):
        raise ValueError(f"{molar_mass!r} is no molar mass of an ion")
    return Ion(int(valence), Decimal(molar_mass) if molar_mass else None) if valence else None


def _read_plausible(cell: str) -> Mapping[str, PlausibleRange]:
    ranges: dict[str, PlausibleRange] = {}
    for text in cell.split("; ") if cell else ():
        match = _RANGE.fullmatch(text)
        if match is None:
            raise ValueError(f"{text!r} is no range: LOW to HIGH UNIT")
        low, high = Decimal(match["low"]), Decimal(match["high"])
        if low >= high:
            raise ValueError(f"{text!r} ends before it begins")
        if match["unit"] in ranges:
            raise ValueError(f"the unit {match['unit']} stands twice")
        ranges[match["unit"]] = PlausibleRange(low, high)
    return ranges


def _read_normal(cell: str) -> Mapping[str, Decimal]:
    numbers: dict[str, Decimal] = {}
    for text in cell.split("; ") if cell else ():
        match = _QUANTITY.fullmatch(text)
        if match is None:
            raise ValueError(f"{text!r} is no quantity: NUMBER UNIT")
        if match["unit"] in numbers:
            raise ValueError(f"the unit {match['unit']} stands twice")
        numbers[match["unit"]] = Decimal(match["number"])
    return numbers
