"""Criteria from YAML, refused unless every word of them is understood."""

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from importlib.resources.abc import Traversable
from io import StringIO
from typing import Annotated

import yaml
from pydantic import BaseModel, ConfigDict, Field, PlainValidator, ValidationError

from services.runtime.measures import load_measures
from services.runtime.yaml_keys import find_repeated_keys, read_yaml
from services.safety_rules.adapters.assessed_file import read_assessed
from services.safety_rules.adapters.rules_version import ASSESSED, TABLES, TERMS
from services.safety_rules.adapters.threshold_text import parse_when
from services.safety_rules.domain.ctcae.compiled import (
    CompiledCriteria,
    compile_criteria,
)
from services.safety_rules.domain.ctcae.criterion import (
    Arm,
    ArmPopulation,
    Criterion,
    Direction,
    Threshold,
)
from services.safety_rules.domain.ctcae.criterion_faults import find_criterion_faults
from services.vocabulary.grade import Grade

_LOCK = "criteria.lock"


class CriteriaFileError(Exception):
    """A criteria file cannot be trusted; *field* is the path to what is wrong in *file*."""

    def __init__(self, file: str, field: str, problem: str) -> None:
        """Say what is wrong, and where."""
        super().__init__(f"{file}: {field}: {problem}")
        self.file, self.field, self.problem = file, field, problem


@dataclass(frozen=True, slots=True)
class PublishedTerm:
    """One term of the published table, graded by number or by a clinician."""

    slug: str
    term: str
    meddra_code: str
    soc: str
    says: Mapping[Grade, str]
    definition: str


@dataclass(frozen=True, slots=True)
class CriteriaTable:
    """One version of one table: *name* is e.g. ``ctcae-5.0``.

    *not_by_number* says, by slug, why a term in whose text a number stands is graded otherwise.
    """

    name: str
    criteria: Mapping[str, Criterion]
    terms: Mapping[str, PublishedTerm]
    compiled: CompiledCriteria
    not_by_number: Mapping[str, str]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


_When = Annotated[Mapping[ArmPopulation, tuple[Threshold, ...]], PlainValidator(parse_when)]


class _ForMeasures(_Strict):
    measures: list[str] = Field(min_length=1)
    direction: Direction | None = None
    followed: bool = True
    grades: Mapping[Grade, _When]


class _TermRow(_Strict):
    id: str
    term: str
    meddra: int = Field(ge=10_000_000, le=99_999_999)
    direction: Direction
    says: Mapping[Grade, str]
    when: list[_ForMeasures]


class _File(_Strict):
    table: str
    version: str
    soc: str
    source: str
    terms: list[_TermRow]


def load_table(name: str, folder: Traversable | None = None) -> CriteriaTable:
    """Return the table *name*, e.g. ``ctcae-5.0``, with every published term.

    >>> load_table("ctcae-5.0").criteria["ctcae-5.0.anemia"].list_units("hemoglobin")
    ('g/dL', 'mmol/L', 'g/L')
    >>> load_table("ctcae-4.0")
    Traceback (most recent call last):
        ...
    services...CriteriaFileError: ctcae-4.0: folder: no such table

    Raises:
        CriteriaFileError: There is no such table, a file is not what `criteria.lock` says, or as
            for `read_criteria`.
    """
    place = folder if folder is not None else TABLES / name
    if not place.is_dir():
        raise CriteriaFileError(name, "folder", "no such table")
    texts = {f.name: f.read_text("utf-8") for f in place.iterdir() if f.name != _LOCK}
    _check_lock(name, place, texts)
    terms = _published(texts[TERMS])
    criteria: dict[str, Criterion] = {}
    for file, text in sorted(texts.items()):
        if file.endswith(".yaml") and file != ASSESSED:
            for criterion in read_criteria(file, text, name):
                _check_wording(file, criterion, terms)
                _check_measures(file, criterion)
                if criterion.id in criteria:
                    raise CriteriaFileError(file, criterion.id, "defined twice")
                criteria[criterion.id] = criterion
    compiled = compile_criteria(criteria.values(), load_measures())
    otherwise = _not_by_number(texts[ASSESSED], name, terms, criteria)
    return CriteriaTable(name, criteria, terms, compiled, otherwise)


def _not_by_number(
    text: str, name: str, terms: Mapping[str, PublishedTerm], criteria: Mapping[str, Criterion]
) -> Mapping[str, str]:
    try:
        found = read_assessed(text, name, {term.term for term in terms.values()})
    except ValueError as error:
        raise CriteriaFileError(ASSESSED, "terms", str(error)) from error
    otherwise = {slug(term): why for term, why in found.items()}
    if both := next((one for one in otherwise if f"{name}.{one}" in criteria), None):
        raise CriteriaFileError(ASSESSED, both, "is graded by a number")
    return otherwise


def read_criteria(file: str, text: str, name: str) -> list[Criterion]:
    r"""Return the criteria that *text*, of the file named *file* in table *name*, holds.

    >>> text = 'table: CTCAE\nversion: "5.0"\nsoc: S\nterms: []\n'
    >>> read_criteria("a.yaml", text, "ctcae-5.0")
    Traceback (most recent call last):
        ...
    services...CriteriaFileError: a.yaml: source: Field required

    Raises:
        CriteriaFileError: Not YAML, a key given twice, missing or unknown, a value or a threshold
            that is malformed, an id that stands twice or is of another table or version, or a
            fault of the criterion.
    """
    try:
        if field := next(find_repeated_keys(text), None):
            raise CriteriaFileError(file, field, "given twice")
        table = _File.model_validate(read_yaml(text))
    except yaml.YAMLError as error:
        raise CriteriaFileError(file, "yaml", str(error)) from error
    except ValidationError as error:
        first = error.errors()[0]
        raise CriteriaFileError(file, ".".join(map(str, first["loc"])), first["msg"]) from error
    if f"{table.table.lower()}-{table.version}" != name:
        raise CriteriaFileError(file, "version", f"{table.table} {table.version} in {name}")
    for i, row in enumerate(table.terms):
        if row.id in {before.id for before in table.terms[:i]}:
            raise CriteriaFileError(file, f"terms.{i}.id", f"{row.id!r} is defined twice")
    return [_checked(file, f"terms.{i}", table, row, name) for i, row in enumerate(table.terms)]


def slug(term: str) -> str:
    """Return a published term as the last part of an id.

    >>> slug("Blood and lymphatic system disorders - Other, specify")
    'blood-and-lymphatic-system-disorders-other-specify'
    """
    return re.sub(r"[^a-z0-9]+", "-", term.lower()).strip("-")


def _checked(file: str, field: str, table: _File, row: _TermRow, name: str) -> Criterion:
    if row.id != f"{name}.{slug(row.term)}":
        raise CriteriaFileError(file, f"{field}.id", f"{row.id!r} is not {name}.{slug(row.term)}")
    named = [measure for each in row.when for measure in each.measures]
    if len(named) != len(set(named)):
        raise CriteriaFileError(file, f"{field}.when", "a measure stands twice")
    criterion = Criterion(
        id=row.id,
        term=row.term,
        meddra_code=str(row.meddra),
        soc=table.soc,
        direction=row.direction,
        wordings=row.says,
        arms={
            m: arms for each in row.when for arms in (_to_arms(each.grades),) for m in each.measures
        },
        unfollowed_measures=frozenset(m for e in row.when if not e.followed for m in e.measures),
        source=f'{table.source}, {table.soc}, "{row.term}"',
        directions={
            m: each.direction for each in row.when if each.direction for m in each.measures
        },
    )
    if fault := next(find_criterion_faults(criterion), None):
        raise CriteriaFileError(file, f"{field}.{fault.field}", fault.problem)
    return criterion


def _to_arms(grades: Mapping[Grade, _When]) -> tuple[Arm, ...]:
    """Turn grades with arms into arms with grades; a grade that names no arm is in each."""
    named = {baseline for when in grades.values() for baseline in when}
    each = named - {ArmPopulation.ANY_BASELINE} or {ArmPopulation.ANY_BASELINE}
    return tuple(
        Arm(
            b,
            {
                level: when.get(b) or when[ArmPopulation.ANY_BASELINE]
                for level, when in grades.items()
            },
        )
        for b in sorted(each)
    )


def _published(text: str) -> Mapping[str, PublishedTerm]:
    rows = csv.DictReader(StringIO(text))
    terms = [
        PublishedTerm(
            slug=slug(row["term"]),
            term=row["term"],
            meddra_code=row["meddra_code"],
            soc=row["soc"],
            says={
                g: row[f"grade{g:d}"] for g in Grade if g and row[f"grade{g:d}"] not in ("", "-")
            },
            definition=row["definition"],
        )
        for row in rows
    ]
    return {term.slug: term for term in terms}


def _check_wording(file: str, criterion: Criterion, terms: Mapping[str, PublishedTerm]) -> None:
    published = terms.get(slug(criterion.term))
    if published is None:
        raise CriteriaFileError(file, criterion.id, "the table publishes no such term")
    stated = (criterion.term, criterion.meddra_code, criterion.soc, criterion.wordings)
    if stated != (published.term, published.meddra_code, published.soc, published.says):
        raise CriteriaFileError(file, criterion.id, "the wording is not what was published")


def _check_measures(file: str, criterion: Criterion) -> None:
    known = load_measures()
    for measure in criterion.measures:
        if measure not in known:
            raise CriteriaFileError(file, criterion.id, f"{measure!r} is no measure")


def _check_lock(name: str, place: Traversable, texts: Mapping[str, str]) -> None:
    """Refuse files that changed without a word in the lock: a rule change is never silent."""
    lines = (place / _LOCK).read_text("utf-8").splitlines()
    locked = dict(line.split()[::-1] for line in lines if line and not line.startswith("#"))
    for file in sorted(locked.keys() | texts.keys()):
        found = sha256(texts[file].encode()).hexdigest() if file in texts else "no file"
        if locked.get(file) != found:
            problem = f"{_LOCK} says {locked.get(file, 'nothing')}, it is {found}"
            raise CriteriaFileError(f"{name}/{file}", "sha256", problem)
