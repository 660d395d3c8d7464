"""Rows per second from a CSV file of readings to a CSV file of grades, on one core.

Measured: what ``aegis grade`` does once its criteria are loaded, files on the disk on both sides.
120 participants with 24 tests each, each participant with a baseline of its own, values drawn
around the thresholds, in the order of draws: rows of one test of one participant never follow one
another.

The floor: the same rows read and written by Python's ``csv``, with as many empty cells added, and
nothing graded.

Beside it: the same with a limit or a baseline missing in every row, so that each grade is an
interval or has to be shown not to be one.
"""

import csv
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from random import Random
from typing import TextIO

from benchmarks.material import Material
from benchmarks.measuring import Measure, per_core_second
from services.cli.commands.grade import read_records, write_graded
from services.ingest.adapters.code_tables import load_code_tables
from services.safety_rules.adapters.criteria_files import load_table
from services.safety_rules.reports.graded_rows import ADDED_COLUMNS, RowGrader

_COLUMNS = ["term", "measure", "value", "unit", "lln", "uln", "baseline", "symptomatic", "albumin"]
_PARTICIPANTS, _DRAWS = 120, 40
# term, measure, unit, LLN, ULN, the least and the greatest value, its decimals
_TESTS = (
    ("Alanine aminotransferase increased", "", "U/L", "7", "40", 10, 900, 0),
    ("Aspartate aminotransferase increased", "", "U/L", "8", "40", 10, 900, 0),
    ("Alkaline phosphatase increased", "", "U/L", "40", "120", 40, 900, 0),
    ("GGT increased", "", "U/L", "5", "60", 10, 900, 0),
    ("Blood bilirubin increased", "", "mg/dL", "0.2", "1.2", 0, 14, 2),
    ("Creatinine increased", "", "mg/dL", "0.6", "1.2", 1, 8, 2),
    ("Lipase increased", "", "U/L", "10", "60", 10, 400, 0),
    ("Serum amylase increased", "", "U/L", "20", "100", 20, 700, 0),
    ("Neutrophil count decreased", "", "10*9/L", "1.8", "7.7", 0, 5, 2),
    ("White blood cell decreased", "", "10*9/L", "4.0", "11", 0, 8, 2),
    ("Lymphocyte count decreased", "", "10*9/L", "1.0", "4.0", 0, 3, 2),
    ("Platelet count decreased", "", "10*9/L", "150", "400", 5, 300, 0),
    ("Anemia", "", "g/dL", "12.0", "16.0", 5, 15, 1),
    ("Hypernatremia", "", "mmol/L", "135", "145", 130, 165, 1),
    ("Hyponatremia", "", "mmol/L", "135", "145", 115, 140, 1),
    ("Hyperkalemia", "", "mmol/L", "3.5", "5.0", 3, 8, 2),
    ("Hypokalemia", "", "mmol/L", "3.5", "5.0", 2, 5, 2),
    ("Hypocalcemia", "calcium-total", "mg/dL", "8.6", "10.2", 5, 11, 2),
    ("Hypercalcemia", "calcium-total", "mg/dL", "8.6", "10.2", 8, 15, 2),
    ("Hypomagnesemia", "", "mg/dL", "1.7", "2.4", 1, 3, 2),
    ("Hypoglycemia", "glucose", "mg/dL", "70", "110", 25, 120, 0),
    ("Hypoalbuminemia", "", "g/dL", "3.5", "5.2", 1, 5, 1),
    ("Fibrinogen decreased", "", "mg/dL", "200", "400", 30, 300, 0),
    ("Weight loss", "", "kg", "", "", 50, 90, 1),
)


def measures(material: Material) -> list[Measure]:
    """Return the speed with everything known, and with something missing in each row."""
    complete, incomplete = material.folder / "readings.csv", material.folder / "lacking.csv"
    return [
        _measure("rows graded, all known", complete, _readings(incomplete=False)),
        _measure("rows graded, limits or baseline missing", incomplete, _readings(incomplete=True)),
    ]


def _readings(*, incomplete: bool) -> Iterator[list[str]]:
    chance = Random(7)  # noqa: S311 - seeded: the same rows in every run
    people = range(_PARTICIPANTS)
    baselines = {
        (person, test): f"{chance.uniform(low, (low + high) / 2):.{digits}f}"
        for person in people
        for test, (*_, low, high, digits) in enumerate(_TESTS)
    }
    for _ in range(_DRAWS):
        for person in people:
            for test, (term, measure, unit, lln, uln, low, high, digits) in enumerate(_TESTS):
                value = f"{chance.uniform(low, high):.{digits}f}"
                limits = [lln, uln, baselines[person, test]]
                if incomplete:
                    limits[chance.randrange(3)] = ""
                yield [term, measure, value, unit, *limits, "no", "3.4"]


def _measure(name: str, path: Path, rows: Iterator[list[str]]) -> Measure:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([_COLUMNS, *rows])
    count = _PARTICIPANTS * _DRAWS * len(_TESTS)
    table, units = load_table("ctcae-5.0"), load_code_tables().units

    def grade_rows(source: TextIO, target: TextIO) -> None:
        records = read_records(source)
        next(records)
        write_graded(records, _COLUMNS, RowGrader(table, units.find, _COLUMNS), target)

    def copy_rows(source: TextIO, target: TextIO) -> None:
        empty_cells = [""] * len(ADDED_COLUMNS)
        csv.writer(target).writerows([*row, *empty_cells] for row in csv.reader(source))

    return Measure(
        name,
        "rows/s",
        lambda: per_core_second(count, partial(_process_file, path, grade_rows)),
        {
            "floor: CSV in, CSV out": lambda: per_core_second(
                count, partial(_process_file, path, copy_rows)
            )
        },
    )


def _process_file(path: Path, work: Callable[[TextIO, TextIO], None]) -> None:
    with (
        path.open(encoding="utf-8", newline="") as source,
        path.with_suffix(".out").open("w", encoding="utf-8", newline="") as target,
    ):
        work(source, target)
