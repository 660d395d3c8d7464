"""The table of measures: complete, without doubles, in units that convert; and its reader."""

from itertools import permutations

import pytest

from services.ingest.adapters.code_tables import load_code_tables
from services.runtime.data_tables import read_rows
from services.runtime.file_error import UntrustedFileError
from services.runtime.measures import COLUMNS, FILE, load_measures, read_measure
from services.safety_rules.adapters.criteria_files import load_table
from services.safety_rules.adapters.rules_version import TABLES as FOLDER
from services.safety_rules.domain.ctcae.units import is_listed, rescale_quantity
from services.safety_rules.domain.syndromes import crs, icans
from services.vocabulary.measure import MeasureKind
from services.vocabulary.quantity import Quantity
from tests.helpers.lab_reading import TABLES

MEASURES = load_measures()
# compared in the unit in which they are published, and in no other
UNCONVERTED_UNITS = {"ug/g", "L/min"}


def names_of_kind(kind):
    return {measure.name for measure in MEASURES.values() if measure.kind == kind}


@pytest.mark.parametrize("version", TABLES)
def test_every_measure_of_a_criterion_is_in_it_with_a_range_in_each_published_unit(version):
    for criterion in TABLES[version].compiled.by_id.values():
        for name, grading in criterion.gradings.items():
            assert MEASURES.keys() >= {name, *grading.companions}
            assert grading.plausible.keys() >= {*grading.units}, (criterion.id, name)


def test_every_measure_that_a_feed_or_a_scale_names_is_in_it():
    tables = load_code_tables()
    assert MEASURES.keys() >= {*tables.loinc.values(), *crs.MEASURES, *icans.MEASURES}
    assert names_of_kind(MeasureKind.WORD) == tables.in_words


def test_every_unit_of_it_has_a_spelling_in_feeds():
    units = {unit for measure in MEASURES.values() for unit in measure.plausible}
    assert units <= load_code_tables().units.dimensions.keys()


def test_ranges_of_one_dimension_are_the_same_range():
    for measure in MEASURES.values():
        for (unit, plausible), (converted_unit, converted_range) in permutations(
            measure.plausible.items(), 2
        ):
            ends = [
                rescale_quantity(Quantity(n, unit), converted_unit)
                for n in (plausible.low, plausible.high)
            ]
            if None not in ends:
                assert [end.value for end in ends] == [converted_range.low, converted_range.high], (
                    measure.name
                )


def test_a_normal_value_is_plausible_in_each_unit_and_has_no_grade():
    for measure in MEASURES.values():
        if measure.normal:
            assert measure.normal.keys() == measure.plausible.keys(), measure.name
        for unit, number in measure.normal.items():
            assert measure.plausible[unit].contains(number), measure.name
    for table in TABLES.values():
        for criterion in table.compiled.by_id.values():
            for name, grading in criterion.gradings.items():
                for unit, ranges in grading.ungraded_ranges.items():
                    normal = MEASURES[name].normal.get(unit)
                    assert normal is None or ranges.without_grade.contains(normal), name


def test_its_units_are_those_that_criteria_are_published_in():
    units = {unit for measure in MEASURES.values() for unit in measure.plausible}
    assert {unit for unit in units if not is_listed(unit)} == UNCONVERTED_UNITS


FAULTS = {
    "no header": ("sodium,laboratory,1,,", "line 1: the columns are not"),
    "empty": ("", "line 1: the columns are not"),
    "twice": (f"{COLUMNS}\nice,score,,,,\nice,score,,,,", "line 3: ice stands twice"),
    "cells": (f"{COLUMNS}\nice,score,", "line 2: 3 cells instead of"),
    "blank line": (f"{COLUMNS}\n\nice,score,,,,", "line 2: 1 cells instead of"),
    "name": (f"{COLUMNS}\nSodium ,laboratory,,,,", "line 2: 'Sodium ' is no name"),
    "kind": (f"{COLUMNS}\nice,points,,,,", "line 2: 'points' is not a valid MeasureKind"),
    "valence": (f"{COLUMNS}\nsodium,laboratory,+1,,,", "line 2: '\\+1' is no valence"),
    "molar mass": (f"{COLUMNS}\nsodium,laboratory,1,x,,", "line 2: 'x' is no molar mass"),
    "mass of no ion": (f"{COLUMNS}\nalt,laboratory,,40.078,,", "line 2: '40.078' is no molar mass"),
    "no unit": (f"{COLUMNS}\nalt,laboratory,,,1 to 5,", "line 2: '1 to 5' is no range"),
    "hyphen": (f"{COLUMNS}\nalt,laboratory,,,1-5 U/L,", "line 2: '1-5 U/L' is no range"),
    "no number": (
        f"{COLUMNS}\nalt,laboratory,,,NaN to 5 U/L,",
        "line 2: 'NaN to 5 U/L' is no range",
    ),
    "reversed": (f"{COLUMNS}\nalt,laboratory,,,5 to 1 U/L,", "line 2: .* ends before it begins"),
    "no normal quantity": (f"{COLUMNS}\nalt,laboratory,,,,25", "line 2: '25' is no quantity"),
    "a normal unit twice": (
        f"{COLUMNS}\nalt,laboratory,,,,25 U/L; 26 U/L",
        "line 2: the unit U/L stands twice",
    ),
    "unit twice": (
        f"{COLUMNS}\nalt,laboratory,,,1 to 5 U/L; 1 to 6 U/L,",
        "line 2: the unit U/L stands twice",
    ),
}


@pytest.mark.parametrize(("text", "problem"), FAULTS.values(), ids=FAULTS)
def test_a_line_that_cannot_be_read_is_named(text, problem):
    with pytest.raises(UntrustedFileError, match=f"^measures.csv {problem}"):
        read_rows(FILE, text, COLUMNS, read_measure)


def test_a_criterion_of_a_measure_that_is_not_in_it_is_refused(monkeypatch):
    other_measures = {name: measure for name, measure in MEASURES.items() if name != "hemoglobin"}
    monkeypatch.setattr(
        "services.safety_rules.adapters.criteria_files.load_measures", lambda: other_measures
    )
    with pytest.raises(UntrustedFileError, match="anemia: 'hemoglobin' is no measure"):
        load_table("ctcae-5.0", FOLDER / "ctcae-5.0")
