"""Rows of a table of readings, graded one by one: without a trial, a store or a course."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from operator import itemgetter

from services.safety_rules.adapters.criteria_files import CriteriaTable
from services.safety_rules.adapters.row_text import (
    RowError,
    baseline_in,
    quantity_in,
    symptoms_in,
    treatment_in,
    unit_in,
    yes_or_no,
)
from services.safety_rules.domain.ctcae.compiled import CompiledCriterion
from services.safety_rules.domain.ctcae.grading import Reading
from services.safety_rules.domain.ctcae.measure_choice import UnclearMeasureError, choose_measure
from services.safety_rules.domain.ctcae.prepared_grading import PreparedGrading, prepare_grading
from services.vocabulary.number_text import parse_reported_number
from services.vocabulary.quantity import Quantity

REQUIRED = ("term", "value")
OPTIONAL = (
    *("measure", "unit", "lln", "uln", "baseline", "fasting", "albumin", "on_anticoagulant"),
    *("symptomatic", "replaced", "at_rest", "treatment", "infarction", "neutrophils"),
)
ADDED = ("at_least", "at_most", "missing", "because", "criterion", "error")

_AT_HAND = 50_000  # tests of one participant; numbers; and second looks, each
_ALBUMIN_IN = {"mmol/L": "g/L"}  # beside a calcium in that unit; else g/dL

Cells = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Ready:
    """What is the same for every value of one test of one participant.

    *cells* are those of each kind of value; *looked_at* those of a value of no kind.
    """

    prepared: PreparedGrading
    cells: dict[int, Cells] = field(default_factory=dict)
    looked_at: dict[str, Cells] = field(default_factory=dict)


class RowGrader:
    """Grades rows that have the columns it was made for."""

    def __init__(
        self, table: CriteriaTable, units: Mapping[str, str], columns: Sequence[str]
    ) -> None:
        """Grade under *table*; *units* has the UCUM unit of each spelling.

        Raises:
            ValueError: *columns* lacks one that is required, has one twice, or one that is added.
        """
        for name in REQUIRED:
            if name not in columns:
                raise ValueError(f"there is no column {name!r}")
        for name in {*REQUIRED, *OPTIONAL, *ADDED}:
            if columns.count(name) > (name not in ADDED):
                raise ValueError(f"the column {name!r} is there already")
        self._table, self._units, self._width = table, units, len(columns)
        self._value = columns.index("value")
        self._names = [name for name in ("term", *OPTIONAL) if name in columns]
        self._places = [columns.index(name) for name in self._names]
        self._criteria = _by_name(table)
        self._ready: dict[object, _Ready | Cells] = {}
        self._numbers: dict[str, Decimal | None] = {}
        self._looks = 0

    def grade(self, rows: Iterable[Sequence[str]]) -> Iterator[Cells]:
        """Yield the cells of `ADDED` for each of *rows*, in order."""
        key_of, at, width = itemgetter(*self._places), self._value, self._width
        numbers, readies = self._numbers, self._ready
        for row in rows:
            if len(row) != width:
                yield _cannot(f"{len(row)} cells where there are {width} columns")
                continue
            key, text = key_of(row), row[at]
            ready = readies.get(key)
            if ready is None:
                ready = self._prepare(key, row)
            if isinstance(ready, tuple):
                yield ready
                continue
            number = numbers.get(text)
            if number is None:
                number = self._number(text)
            place = None if number is None else ready.prepared.find_interval(number)
            if number is None or place is None:
                yield ready.looked_at.get(text) or self._look_at(ready, text)
                continue
            cells = ready.cells.get(place)
            if cells is None:
                value = Quantity(number, ready.prepared.unit)
                cells = ready.cells[place] = _cells(ready.prepared, value)
            yield cells

    def _number(self, text: str) -> Decimal | None:
        if len(self._numbers) >= _AT_HAND:
            self._numbers.clear()
        number = self._numbers[text] = parse_reported_number(text)
        return number

    def _prepare(self, key: object, row: Sequence[str]) -> _Ready | Cells:
        if len(self._ready) >= _AT_HAND:
            self._ready.clear()
        said = dict.fromkeys(OPTIONAL, "")
        said |= {name: row[at] for name, at in zip(self._names, self._places, strict=True)}
        try:
            ready: _Ready | Cells = self._read(said)
        except RowError as error:
            ready = _cannot(str(error))
        self._ready[key] = ready
        return ready

    def _read(self, said: Mapping[str, str]) -> _Ready:
        criterion = self._criterion(said["term"])
        units, unit = self._units, unit_in(said["unit"], self._units)
        albumin_unit = _ALBUMIN_IN.get(unit, "g/dL")
        albumin = quantity_in("albumin", said["albumin"], albumin_unit, units)
        try:
            one = Quantity(Decimal(1), unit)
            has_albumin = albumin is not None
            measure = choose_measure(
                criterion, said["measure"].strip(), one, has_albumin=has_albumin
            )
        except UnclearMeasureError as error:
            raise RowError(f"measure: {error}") from error
        neutrophils = quantity_in("neutrophils", said["neutrophils"], "", units)
        reading = Reading(
            measure,
            value=None,
            lln=quantity_in("lln", said["lln"], unit, units),
            uln=quantity_in("uln", said["uln"], unit, units),
            albumin=albumin,
            fasting=yes_or_no("fasting", said["fasting"]),
            symptoms=symptoms_in(said["symptomatic"]),
            is_replaced=yes_or_no("replaced", said["replaced"]) is True,
            treatment=treatment_in(said["treatment"]),
            at_rest=yes_or_no("at_rest", said["at_rest"]),
            is_anticoagulated=yes_or_no("on_anticoagulant", said["on_anticoagulant"]),
            infarction=yes_or_no("infarction", said["infarction"]),
            companions={} if neutrophils is None else {"neutrophils": neutrophils},
        )
        baseline = baseline_in(said["baseline"], unit, units)
        return _Ready(prepare_grading(criterion, reading, baseline, unit))

    def _criterion(self, said: str) -> CompiledCriterion:
        name = " ".join(said.split())
        slug = self._criteria.get(name.casefold())
        if slug is None:
            raise RowError(f"term: {self._table.name} has no {name!r}")
        found = self._table.compiled.by_id.get(f"{self._table.name}.{slug}")
        if found is None:
            why = self._table.not_by_number.get(slug, "clinician's assessment: it has no number")
            raise RowError(f"term: {self._table.terms[slug].term} is not graded by a number: {why}")
        return found

    def _look_at(self, ready: _Ready, text: str) -> Cells:
        """Grade a value that is a bound, none at all, or in a unit that fits nothing."""
        if self._looks >= _AT_HAND:
            self._looks = 0
            for one in self._ready.values():
                if isinstance(one, _Ready):
                    one.looked_at.clear()
        self._looks += 1
        try:
            value = quantity_in("value", text, ready.prepared.unit, self._units)
            found = _cells(ready.prepared, value)
        except RowError as error:
            found = _cannot(str(error))
        ready.looked_at[text] = found
        return found


def _by_name(table: CriteriaTable) -> Mapping[str, str]:
    """Return the slug of each term by its id, slug, published name and MedDRA code."""
    names: dict[str, str] = {}
    for slug, term in table.terms.items():
        for name in (f"{table.name}.{slug}", slug, " ".join(term.term.split()), term.meddra_code):
            names[name.casefold()] = slug
    return names


def _cells(ready: PreparedGrading, value: Quantity | None) -> Cells:
    outcome = ready.grade_value(value)
    missing = "; ".join(sorted(outcome.missing))
    ends = f"{outcome.at_least:d}", f"{outcome.at_most:d}"
    outside = ready.describe_outside(value, outcome)
    because = f"{outcome.because}; {outside}" if outside else outcome.because
    return (*ends, missing, because, ready.criterion.id, "")


def _cannot(why: str) -> Cells:
    return ("", "", "", "", "", why)
