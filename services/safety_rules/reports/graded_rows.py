"""Rows of a table of readings, graded one by one: without a trial, a store or a course."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from operator import itemgetter

from services.safety_rules.adapters.criteria_files import CriteriaTable
from services.safety_rules.adapters.row_text import (
    FindUnit,
    RowError,
    baseline_in,
    number_in,
    quantity_in,
    symptoms_in,
    treatment_in,
    unit_in,
    yes_or_no,
)
from services.safety_rules.domain.ctcae.baseline_limits import describe_baseline
from services.safety_rules.domain.ctcae.compiled import CompiledCriterion
from services.safety_rules.domain.ctcae.grading import Reading
from services.safety_rules.domain.ctcae.measure_choice import UnclearMeasureError, choose_measure
from services.safety_rules.domain.ctcae.prepared_grading import PreparedGrading, prepare_grading
from services.vocabulary.quantity import Quantity

REQUIRED_COLUMNS = ("term", "value")
OPTIONAL_COLUMNS = (
    *("measure", "unit", "lln", "uln", "baseline", "fasting", "albumin", "on_anticoagulant"),
    *("symptomatic", "replaced", "at_rest", "treatment", "infarction", "neutrophils"),
    *("baseline_lln", "baseline_uln", "peripheral"),
)
ADDED_COLUMNS = ("at_least", "at_most", "missing", "because", "criterion", "error")

_CACHE_SIZE = 50_000  # tests of one participant; numbers; and other values, each
_ALBUMIN_IN = {"mmol/L": "g/L"}  # with a calcium in that unit; else g/dL

Cells = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _PreparedTest:
    """The grading of one test of one participant, the same for every value.

    *baseline_note* is the side of its own limits on which the baseline lies. *cells* are by
    interval of values; *other_cells* by text, of values that lie in none.
    """

    grading: PreparedGrading
    baseline_note: str
    cells: dict[int, Cells] = field(default_factory=dict)
    other_cells: dict[str, Cells] = field(default_factory=dict)


class RowGrader:
    """Grades rows that have the columns it was made for."""

    def __init__(self, table: CriteriaTable, find_unit: FindUnit, columns: Sequence[str]) -> None:
        """Grade under *table*; *find_unit* knows the spellings of units.

        Raises:
            ValueError: *columns* lacks one that is required, has one twice, or one that is added.
        """
        for name in REQUIRED_COLUMNS:
            if name not in columns:
                raise ValueError(f"there is no column {name!r}")
        for name in {*REQUIRED_COLUMNS, *OPTIONAL_COLUMNS, *ADDED_COLUMNS}:
            if columns.count(name) > (name not in ADDED_COLUMNS):
                raise ValueError(f"the column {name!r} is there already")
        self._table, self._find_unit, self._width = table, find_unit, len(columns)
        self._value = columns.index("value")
        self._names = [name for name in ("term", *OPTIONAL_COLUMNS) if name in columns]
        self._places = [columns.index(name) for name in self._names]
        self._criteria = _index_slugs(table)
        self._prepared_tests: dict[object, _PreparedTest | Cells] = {}
        self._numbers: dict[str, Decimal | None] = {}
        self._other_count = 0

    def grade(self, rows: Iterable[Sequence[str]]) -> Iterator[Cells]:
        """Yield the cells of `ADDED` for each of *rows*, in order."""
        key_of, value_place, width = itemgetter(*self._places), self._value, self._width
        numbers, prepared_tests = self._numbers, self._prepared_tests
        for row in rows:
            if len(row) != width:
                yield _write_error(f"{len(row)} cells where there are {width} columns")
                continue
            key, text = key_of(row), row[value_place]
            prepared_test = prepared_tests.get(key)
            if prepared_test is None:
                prepared_test = self._prepare(key, row)
            if isinstance(prepared_test, tuple):
                yield prepared_test
                continue
            number = numbers.get(text)
            if number is None:
                number = self._number(text)
            place = None if number is None else prepared_test.grading.find_interval(number)
            if number is None or place is None:
                yield prepared_test.other_cells.get(text) or self._grade_other_value(
                    prepared_test, text
                )
                continue
            cells = prepared_test.cells.get(place)
            if cells is None:
                value = Quantity(number, prepared_test.grading.unit)
                cells = prepared_test.cells[place] = _write_cells(prepared_test, value)
            yield cells

    def _number(self, text: str) -> Decimal | None:
        if len(self._numbers) >= _CACHE_SIZE:
            self._numbers.clear()
        number = self._numbers[text] = number_in(text)
        return number

    def _prepare(self, key: object, row: Sequence[str]) -> _PreparedTest | Cells:
        if len(self._prepared_tests) >= _CACHE_SIZE:
            self._prepared_tests.clear()
        texts = dict.fromkeys(OPTIONAL_COLUMNS, "")
        texts |= {name: row[at] for name, at in zip(self._names, self._places, strict=True)}
        try:
            prepared_test: _PreparedTest | Cells = self._read(texts)
        except RowError as error:
            prepared_test = _write_error(str(error))
        self._prepared_tests[key] = prepared_test
        return prepared_test

    def _read(self, texts: Mapping[str, str]) -> _PreparedTest:
        criterion = self._find_criterion(texts["term"])
        find_unit = self._find_unit
        unit = unit_in(texts["unit"], find_unit)
        albumin_unit = _ALBUMIN_IN.get(unit, "g/dL")
        albumin = quantity_in("albumin", texts["albumin"], albumin_unit, find_unit)
        try:
            unit_value = Quantity(Decimal(1), unit)
            has_albumin = albumin is not None
            measure = choose_measure(
                criterion, texts["measure"].strip(), unit_value, has_albumin=has_albumin
            )
        except UnclearMeasureError as error:
            raise RowError(f"measure: {error}") from error
        neutrophils = quantity_in("neutrophils", texts["neutrophils"], "", find_unit)
        reading = Reading(
            measure,
            value=None,
            lln=quantity_in("lln", texts["lln"], unit, find_unit),
            uln=quantity_in("uln", texts["uln"], unit, find_unit),
            albumin=albumin,
            fasting=yes_or_no("fasting", texts["fasting"]),
            symptoms=symptoms_in(texts["symptomatic"]),
            is_replaced=yes_or_no("replaced", texts["replaced"]) is True,
            treatment=treatment_in(texts["treatment"]),
            at_rest=yes_or_no("at_rest", texts["at_rest"]),
            is_peripheral=yes_or_no("peripheral", texts["peripheral"]) is True,
            is_anticoagulated=yes_or_no("on_anticoagulant", texts["on_anticoagulant"]),
            infarction=yes_or_no("infarction", texts["infarction"]),
            companions={} if neutrophils is None else {"neutrophils": neutrophils},
        )
        baseline = baseline_in(texts, unit, find_unit)
        return _PreparedTest(
            prepare_grading(criterion, reading, baseline, unit),
            describe_baseline(criterion.gradings[measure], reading, baseline),
        )

    def _find_criterion(self, text: str) -> CompiledCriterion:
        name = " ".join(text.split())
        slug = self._criteria.get(name.casefold())
        if slug is None:
            raise RowError(f"term: {self._table.name} has no {name!r}")
        criterion = self._table.compiled.by_id.get(f"{self._table.name}.{slug}")
        if criterion is None:
            why = self._table.not_by_number.get(slug, "clinician's assessment: it has no number")
            raise RowError(f"term: {self._table.terms[slug].term} is not graded by a number: {why}")
        return criterion

    def _grade_other_value(self, prepared_test: _PreparedTest, text: str) -> Cells:
        """Return the cells of a value that is a bound, missing, or in a unit that fits nothing."""
        if self._other_count >= _CACHE_SIZE:
            self._other_count = 0
            for test in self._prepared_tests.values():
                if isinstance(test, _PreparedTest):
                    test.other_cells.clear()
        self._other_count += 1
        try:
            value = quantity_in("value", text, prepared_test.grading.unit, self._find_unit)
            cells = _write_cells(prepared_test, value)
        except RowError as error:
            cells = _write_error(str(error))
        prepared_test.other_cells[text] = cells
        return cells


def _index_slugs(table: CriteriaTable) -> Mapping[str, str]:
    """Return the slug of each term by its id, slug, published name and MedDRA code."""
    names: dict[str, str] = {}
    for slug, term in table.terms.items():
        for name in (f"{table.name}.{slug}", slug, " ".join(term.term.split()), term.meddra_code):
            names[name.casefold()] = slug
    return names


def _write_cells(test: _PreparedTest, value: Quantity | None) -> Cells:
    outcome = test.grading.grade_value(value)
    missing = "; ".join(sorted(outcome.missing))
    ends = f"{outcome.at_least:d}", f"{outcome.at_most:d}"
    notes = (test.grading.describe_outside(value, outcome), test.baseline_note)
    because = "; ".join(part for part in (outcome.because, *notes) if part)
    return (*ends, missing, because, test.grading.criterion.id, "")


def _write_error(why: str) -> Cells:
    return ("", "", "", "", "", why)
