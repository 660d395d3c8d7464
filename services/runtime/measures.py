"""The strict reader of ``measures.csv``, the one table of measures."""

import re
from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from importlib.resources import files

from services.vocabulary.measure import Measure, MeasureKind, PlausibleRange
from services.vocabulary.number_text import UNSIGNED_NUMBER

_FILE = "measures.csv"
_HEADER = "measure,kind,valence,plausible"
_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_RANGE = re.compile(rf"(?P<low>-?{UNSIGNED_NUMBER}) to (?P<high>-?{UNSIGNED_NUMBER}) (?P<unit>\S+)")


@cache
def load_measures() -> Mapping[str, Measure]:
    """Return every measure by name, in the order of the table.

    Raises:
        ValueError: A line of the table cannot be read; the message names it.
    """
    return read_measures((files("services.vocabulary") / _FILE).read_text("utf-8"))


def read_measures(text: str) -> Mapping[str, Measure]:
    r"""Return the measures of *text* by name, in its order.

    >>> header = "measure,kind,valence,plausible\n"
    >>> read_measures(header + "sodium,laboratory,1,80 to 220 mmol/L\n")["sodium"].valence
    1
    >>> read_measures(header + "ice,score,,\nice,score,,\n")
    Traceback (most recent call last):
        ...
    ValueError: measures.csv: line 3: ice stands twice

    Raises:
        ValueError: The header is another, or a line has another number of cells, a name that
            stands twice or is none, a kind that is unknown, a valence or a range that is none, or
            a unit that stands twice; the message names the line.
    """
    header, *lines = text.splitlines() or [""]
    if header != _HEADER:
        raise ValueError(f"{_FILE}: line 1: the header is not {_HEADER}")
    measures: dict[str, Measure] = {}
    for number, line in enumerate(lines, start=2):
        try:
            measure = _read_measure(line)
        except ValueError as error:
            raise ValueError(f"{_FILE}: line {number}: {error}") from None
        if measure.name in measures:
            raise ValueError(f"{_FILE}: line {number}: {measure.name} stands twice")
        measures[measure.name] = measure
    return measures


def _read_measure(line: str) -> Measure:
    cells = line.split(",")
    if len(cells) != len(_HEADER.split(",")):
        raise ValueError(f"{len(cells)} cells instead of {_HEADER}")
    name, kind, valence, plausible = cells
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no name of a measure")
    if valence not in ("", "1", "2", "3"):
        raise ValueError(f"{valence!r} is no valence")
    return Measure(
        name, MeasureKind(kind), int(valence) if valence else None, _read_plausible(plausible)
    )


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
