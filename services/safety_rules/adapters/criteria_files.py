"""A table of criteria from its folder, refused unless it says what is published and is signed."""

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from importlib.resources.abc import Traversable
from io import StringIO

from services.runtime.file_error import FileFault, UntrustedFileError
from services.runtime.measures import load_measures
from services.runtime.strict_yaml import read_yaml
from services.safety_rules.adapters.assessed_file import read_assessed
from services.safety_rules.adapters.criteria_rows import make_slug, read_criteria
from services.safety_rules.adapters.rules_version import (
    ASSESSED,
    TABLES,
    TERMS,
    list_tables,
    read_criteria_file,
)
from services.safety_rules.domain.ctcae.compiled import CompiledCriteria, compile_criteria
from services.safety_rules.domain.ctcae.criterion import Criterion
from services.vocabulary.grade import Grade

_LOCK = "criteria.lock"


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


def load_table(name: str, folder: Traversable | None = None) -> CriteriaTable:
    """Return the table *name*, e.g. ``ctcae-5.0``, with every published term.

    >>> load_table("ctcae-5.0").criteria["ctcae-5.0.anemia"].list_units("hemoglobin")
    ('g/dL', 'mmol/L', 'g/L')
    >>> load_table("ctcae-4.0")
    Traceback (most recent call last):
        ...
    services...UntrustedFileError: ctcae-4.0: there is no such table, only ctcae-5.0, ctcae-6.0

    Raises:
        UntrustedFileError: There is no such table; a file is not what `criteria.lock` says, or is
            malformed; a term is graded twice, or not as it is published.
    """
    place = folder if folder is not None else TABLES / name
    if not place.is_dir():
        problem = f"there is no such table, only {', '.join(list_tables())}"
        raise UntrustedFileError([FileFault(name, 0, "", problem)])
    texts = {file.name: file.read_text("utf-8") for file in place.iterdir() if file.name != _LOCK}
    if faults := list(_find_lock_faults(place, texts)):
        raise UntrustedFileError(faults)
    terms = _read_published_terms(texts[TERMS])
    criteria = _read_all_criteria(name, place, texts, terms)
    not_by_number = read_assessed(
        read_yaml(texts[ASSESSED], str(place / ASSESSED)),
        name,
        [term.term for term in terms.values()],
        [criterion.term for criterion in criteria.values()],
    )
    return CriteriaTable(
        name,
        criteria,
        terms,
        compile_criteria(criteria.values(), load_measures()),
        {make_slug(term): reason for term, reason in not_by_number.items()},
    )


def load_published_terms(name: str) -> Mapping[str, PublishedTerm]:
    """Return the published terms of the table *name*, by slug, without their thresholds.

    Empty when there is no such table.
    """
    file = TABLES / name / TERMS
    return _read_published_terms(file.read_text("utf-8")) if file.is_file() else {}


def _read_all_criteria(
    name: str,
    place: Traversable,
    texts: Mapping[str, str],
    terms: Mapping[str, PublishedTerm],
) -> Mapping[str, Criterion]:
    """Return the criteria of every file, by id.

    Raises:
        UntrustedFileError: A file is malformed, or a criterion stands in two, is not as it is
            published, or is of a measure that nobody knows.
    """
    criteria: dict[str, Criterion] = {}
    for file, text in sorted(texts.items()):
        if not file.endswith(".yaml") or file == ASSESSED:
            continue
        document = read_criteria_file(text, str(place / file))
        new_criteria = {criterion.id: criterion for criterion in read_criteria(document, name)}
        faults = [
            (f"terms.{criterion.id}", problem)
            for criterion in new_criteria.values()
            for problem in _find_term_faults(criterion, terms)
        ]
        repeats = criteria.keys() & new_criteria.keys()
        faults += [(f"terms.{one}", "is defined in an earlier file too") for one in sorted(repeats)]
        if faults:
            raise document.refusal(faults)
        criteria |= new_criteria
    return criteria


def _find_term_faults(criterion: Criterion, terms: Mapping[str, PublishedTerm]) -> Iterator[str]:
    published_term = terms.get(make_slug(criterion.term))
    wording = (criterion.term, criterion.meddra_code, criterion.soc, criterion.wordings)
    if published_term is None:
        yield "the table publishes no such term"
    elif wording != (
        published_term.term,
        published_term.meddra_code,
        published_term.soc,
        published_term.says,
    ):
        yield "the wording is not what was published"
    known_measures = load_measures()
    for measure in criterion.measures:
        if measure not in known_measures:
            yield f"{measure!r} is no measure"


def _read_published_terms(text: str) -> Mapping[str, PublishedTerm]:
    terms = [
        PublishedTerm(
            slug=make_slug(row["term"]),
            term=row["term"],
            meddra_code=row["meddra_code"],
            soc=row["soc"],
            says={
                g: row[f"grade{g:d}"] for g in Grade if g and row[f"grade{g:d}"] not in ("", "-")
            },
            definition=row["definition"],
        )
        for row in csv.DictReader(StringIO(text))
    ]
    return {term.slug: term for term in terms}


def _find_lock_faults(place: Traversable, texts: Mapping[str, str]) -> Iterator[FileFault]:
    """Yield the files that changed without a word in the lock: a rule change is never silent."""
    lines = (place / _LOCK).read_text("utf-8").splitlines()
    locked_digests = dict(line.split()[::-1] for line in lines if line and not line.startswith("#"))
    for file in sorted(locked_digests.keys() | texts.keys()):
        digest = sha256(texts[file].encode()).hexdigest() if file in texts else "no file"
        if locked_digests.get(file) != digest:
            problem = f"{_LOCK} says {locked_digests.get(file, 'nothing')}, it is {digest}"
            yield FileFault(str(place / file), 0, "sha256", problem)
