"""The tables of codes, units, drugs and words that ship with Aegis."""

import csv
from collections.abc import Iterator
from functools import cache
from importlib.resources import files

from services.ingest.domain.site import CodeTables
from services.runtime.measures import load_measures

_PLACE = files("services.ingest") / "codes"


@cache
def load_code_tables() -> CodeTables:
    """Return the tables; ``codes/SOURCES.md`` names their sources."""
    return CodeTables(
        measures=frozenset(load_measures()),
        loinc={row["code"]: row["measure"] for row in _rows("loinc.csv")},
        units={row["written"]: row["unit"] for row in _rows("units.csv")},
        drugs={row["written"]: row["drug"] for row in _rows("drugs.csv")},
        words={(row["measure"], row["written"]): row["word"] for row in _rows("words.csv")},
    )


def _rows(name: str) -> Iterator[dict[str, str]]:
    with (_PLACE / name).open(encoding="utf-8") as file:
        yield from csv.DictReader(file)
