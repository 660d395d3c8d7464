"""Terms that hold a number and are graded without it, each with the reason: ``assessed.yaml``."""

from collections.abc import Collection, Iterator, Mapping

from pydantic import Field

from services.runtime.file_models import StrictModel, read_model
from services.runtime.strict_yaml import Document


class _ByAClinician(StrictModel):
    why: str
    terms: tuple[str, ...] = Field(min_length=1)


class _ByAFunction(_ByAClinician):
    function: str


class _AssessedFile(StrictModel):
    table: str
    version: str
    assessed: tuple[_ByAClinician, ...]
    functions: tuple[_ByAFunction, ...] = ()


def read_assessed(
    document: Document, table: str, published_terms: Collection[str], graded_terms: Collection[str]
) -> Mapping[str, str]:
    r"""Return the reason for which each term of *document* is not graded by a number.

    >>> from services.runtime.strict_yaml import read_yaml
    >>> text = 'table: CTCAE\nversion: "5.0"\nassessed:\n- why: seen\n  terms: [Purpura]\n'
    >>> document = read_yaml(text, "assessed.yaml")
    >>> read_assessed(document, "ctcae-5.0", {"Purpura"}, [])
    {'Purpura': "clinician's assessment: seen"}
    >>> read_assessed(document, "ctcae-5.0", [], [])
    Traceback (most recent call last):
        ...
    services...UntrustedFileError: assessed.yaml line 5, assessed.1.terms.1: the table publishes ...

    Args:
        document: ``assessed.yaml``.
        table: Its name: ``ctcae-5.0``.
        published_terms: Those of the table.
        graded_terms: Those that are graded by a number.

    Raises:
        UntrustedFileError: It is of another table; a key or a term is unknown or given twice; a
            term is graded by a number.
    """
    file = read_model(document, _AssessedFile)
    if f"{file.table.lower()}-{file.version}" != table:
        raise document.refusal([("version", f"{file.table} {file.version} in {table}")])
    entries = list(_list_entries(file))
    terms = [term for _, term, _ in entries]
    faults = [
        (field, problem)
        for index, (field, term, _) in enumerate(entries)
        for problem in _find_faults(term, terms[:index], published_terms, graded_terms)
    ]
    if faults:
        raise document.refusal(faults)
    return {term: reason for _, term, reason in entries}


def _list_entries(file: _AssessedFile) -> Iterator[tuple[str, str, str]]:
    """Yield the place, the term and the reason of each."""
    for index, group in enumerate(file.assessed, 1):
        for k, term in enumerate(group.terms, 1):
            yield f"assessed.{index}.terms.{k}", term, f"clinician's assessment: {group.why}"
    for index, by_function in enumerate(file.functions, 1):
        for k, term in enumerate(by_function.terms, 1):
            reason = f"`{by_function.function}`: {by_function.why}"
            yield f"functions.{index}.terms.{k}", term, reason


def _find_faults(
    term: str,
    earlier: Collection[str],
    published_terms: Collection[str],
    graded_terms: Collection[str],
) -> Iterator[str]:
    if term not in published_terms:
        yield f"the table publishes no term {term!r}"
    if term in earlier:
        yield f"{term!r} is given twice: remove one"
    if term in graded_terms:
        yield f"{term!r} is graded by a number"
