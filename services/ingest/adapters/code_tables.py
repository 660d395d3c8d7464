"""The tables of codes, units, drugs and words that ship with Aegis."""

import csv
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib.resources import files

from services.ingest.domain.site import CodeTables
from services.ingest.domain.unit_spelling import Spellings, UnitTable
from services.runtime.measures import load_measures
from services.vocabulary.measure import PlausibleRange

_PLACE = files("services.ingest") / "codes"
_SAME_UNIT = {"10*9/L": "10*3/uL", "/mm3": "/uL"}
_EXACT = "exact"  # of a spelling that is another unit in another case


@cache
def load_code_tables() -> CodeTables:
    """Return the tables; ``codes/SOURCES.md`` names their sources."""
    return CodeTables(
        measures=frozenset(load_measures()),
        plausible=_list_plausible_ranges(),
        loinc={row["code"]: row["measure"] for row in _rows("loinc.csv")},
        mdc={
            code: row["measure"] for row in _rows("mdc.csv") for code in (row["code"], row["name"])
        },
        units=load_unit_table(),
        drugs={row["written"]: row["drug"] for row in _rows("drugs.csv")},
        words={(row["measure"], row["written"]): row["word"] for row in _rows("words.csv")},
        organisms=frozenset(row["organism"] for row in _rows("organisms.csv")),
    )


def _list_plausible_ranges() -> Mapping[tuple[str, str], PlausibleRange]:
    ranges = {
        (measure.name, unit): plausible
        for measure in load_measures().values()
        for unit, plausible in measure.plausible.items()
    }
    ranges_of_same_unit = {
        (name, _SAME_UNIT[unit]): one for (name, unit), one in ranges.items() if unit in _SAME_UNIT
    }
    return ranges | ranges_of_same_unit


@cache
def load_unit_table() -> UnitTable:
    """Return the units that are known, and their spellings."""
    dimensions = {row["unit"]: row["dimension"] for row in _rows("ucum.csv")}
    whole_rows = [{"written": unit, "unit": unit, "case": _EXACT} for unit in dimensions]
    parts: dict[str, list[dict[str, str]]] = {}
    for row in _rows("unit_parts.csv"):
        parts.setdefault(row["part"], []).append(row)
    return UnitTable(
        dimensions=dimensions,
        spellings=_build_spellings([*whole_rows, *_rows("units.csv")], "unit"),
        scales=_build_spellings(parts["scale"], "symbol"),
        counted_things=_build_spellings(parts["counted"], "symbol"),
        amounts=_build_spellings(parts["amount"], "symbol"),
        denominators=_build_spellings(parts["per"], "symbol"),
    )


def _build_spellings(rows: Iterable[Mapping[str, str]], name: str) -> Spellings:
    rows = list(rows)
    in_any_case: dict[str, str] = {}
    for row in rows:
        spelling, symbol = row["written"].casefold(), row[name]
        if row["case"] != _EXACT and in_any_case.setdefault(spelling, symbol) != symbol:
            raise ValueError(f"{row['written']!r} is {symbol} and {in_any_case[spelling]}")
    return Spellings({row["written"]: row[name] for row in rows}, in_any_case)


def _rows(name: str) -> Iterator[dict[str, str]]:
    with (_PLACE / name).open(encoding="utf-8") as file:
        yield from csv.DictReader(file)
