"""The criteria of a file of thresholds, refused unless every word of them is understood."""

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, PlainValidator

from services.runtime.file_models import Duration, StrictModel, parse_number_key, read_model
from services.runtime.strict_yaml import Document
from services.safety_rules.adapters.threshold_text import parse_when
from services.safety_rules.domain.ctcae.criterion import (
    Arm,
    ArmPopulation,
    Criterion,
    Direction,
    Threshold,
)
from services.safety_rules.domain.ctcae.criterion_faults import find_criterion_faults
from services.vocabulary.grade import Grade


def _parse_grade(key: object) -> Grade:
    number = parse_number_key(key)
    if not isinstance(number, int) or number not in set(Grade):
        raise ValueError(f"{key!r} is no grade")
    return Grade(number)


_Grade = Annotated[Grade, BeforeValidator(_parse_grade)]
_When = Annotated[Mapping[ArmPopulation, tuple[Threshold, ...]], PlainValidator(parse_when)]
_Direction = Literal["high", "low"]


class _ThresholdsRow(StrictModel):
    measures: tuple[str, ...] = Field(min_length=1)
    direction: _Direction | None = None
    followed: bool = True
    grades: Mapping[_Grade, _When]


class _NeedsRow(StrictModel):
    lasting: Duration


class _TermRow(StrictModel):
    id: str
    term: str
    meddra: int = Field(ge=10_000_000, le=99_999_999)
    direction: _Direction
    needs: _NeedsRow | None = None
    says: Mapping[_Grade, str]
    when: tuple[_ThresholdsRow, ...]


class _CriteriaFile(StrictModel):
    table: str
    version: str
    soc: str
    source: str
    terms: tuple[_TermRow, ...]


def read_criteria(document: Document, table: str) -> list[Criterion]:
    r"""Return the criteria of a file of *table*, e.g. ``ctcae-5.0``.

    >>> from services.runtime.strict_yaml import read_yaml
    >>> text = 'table: CTCAE\nversion: "5.0"\nsoc: S\nterms: []\n'
    >>> read_criteria(read_yaml(text, "a.yaml"), "ctcae-5.0")
    Traceback (most recent call last):
        ...
    services...UntrustedFileError: a.yaml line 1, source: is missing: add it

    Raises:
        UntrustedFileError: A key is missing or unknown, a value or a threshold is malformed, an id
            stands twice or is of another table or version, or a criterion would grade wrongly.
    """
    file = read_model(document, _CriteriaFile)
    if faults := list(_find_name_faults(file, table)):
        raise document.refusal(faults)
    criteria = [_make_criterion(file, row) for row in file.terms]
    if faults := list(_find_grading_faults(file, criteria)):
        raise document.refusal(faults)
    return criteria


def make_slug(term: str) -> str:
    """Return a published term as the last part of an id.

    >>> make_slug("Blood and lymphatic system disorders - Other, specify")
    'blood-and-lymphatic-system-disorders-other-specify'
    """
    return re.sub(r"[^a-z0-9]+", "-", term.lower()).strip("-")


def _find_name_faults(file: _CriteriaFile, table: str) -> Iterator[tuple[str, str]]:
    if f"{file.table.lower()}-{file.version}" != table:
        yield "version", f"{file.table} {file.version} in {table}"
    ids = [row.id for row in file.terms]
    for index, row in enumerate(file.terms):
        expected_id = f"{table}.{make_slug(row.term)}"
        if row.id != expected_id:
            yield f"terms.{row.id}.id", f"{row.id!r} is not {expected_id}"
        if row.id in ids[:index]:
            yield f"terms.{row.id}.id", f"{row.id!r} is defined twice"
        measures = [measure for part in row.when for measure in part.measures]
        if len(measures) != len(set(measures)):
            yield f"terms.{row.id}.when", "a measure stands twice"


def _find_grading_faults(
    file: _CriteriaFile, criteria: list[Criterion]
) -> Iterator[tuple[str, str]]:
    for row, criterion in zip(file.terms, criteria, strict=True):
        parts = {measure: k for k, part in enumerate(row.when, 1) for measure in part.measures}
        for fault in find_criterion_faults(criterion):
            measure, _, grade = fault.field.partition(".")
            field = f"when.{parts[measure]}.{grade}".rstrip(".")
            yield f"terms.{row.id}.{field}", f"{measure}: {fault.problem}"


def _make_criterion(file: _CriteriaFile, row: _TermRow) -> Criterion:
    arms = [(part, _to_arms(part.grades)) for part in row.when]
    return Criterion(
        id=row.id,
        term=row.term,
        meddra_code=str(row.meddra),
        soc=file.soc,
        direction=Direction(row.direction),
        wordings=row.says,
        arms={measure: own for part, own in arms for measure in part.measures},
        unfollowed_measures=frozenset(
            measure for part in row.when if not part.followed for measure in part.measures
        ),
        source=f'{file.source}, {file.soc}, "{row.term}"',
        directions={
            measure: Direction(part.direction)
            for part in row.when
            if part.direction
            for measure in part.measures
        },
        min_duration=row.needs.lasting if row.needs else None,
    )


def _to_arms(grades: Mapping[Grade, _When]) -> tuple[Arm, ...]:
    """Turn grades with arms into arms with grades; a grade that names no arm is in each."""
    own_populations = {population for when in grades.values() for population in when}
    populations = own_populations - {ArmPopulation.ANY_BASELINE} or {ArmPopulation.ANY_BASELINE}
    return tuple(
        Arm(
            population,
            {
                grade: when.get(population) or when[ArmPopulation.ANY_BASELINE]
                for grade, when in grades.items()
            },
        )
        for population in sorted(populations)
    )
