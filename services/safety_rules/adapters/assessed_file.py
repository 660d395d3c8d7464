"""Terms that hold a number and are graded without it, each with the reason: ``assessed.yaml``."""

from collections.abc import Container, Mapping

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from services.runtime.yaml_keys import find_repeated_keys


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _ByAClinician(_Strict):
    why: str
    terms: list[str] = Field(min_length=1)


class _ByAFunction(_ByAClinician):
    function: str


class _File(_Strict):
    table: str
    version: str
    assessed: list[_ByAClinician]
    functions: list[_ByAFunction] = []


def read_assessed(text: str, name: str, published: Container[str]) -> Mapping[str, str]:
    r"""Return why each term of *text* is not graded by a number.

    >>> text = 'table: CTCAE\nversion: "5.0"\nassessed:\n- why: seen\n  terms: [Purpura]\n'
    >>> read_assessed(text, "ctcae-5.0", {"Purpura"})
    {'Purpura': "clinician's assessment: seen"}
    >>> read_assessed(text, "ctcae-5.0", set())
    Traceback (most recent call last):
        ...
    ValueError: Purpura: the table publishes no such term

    Args:
        text: YAML.
        name: Of the table: ``ctcae-5.0``.
        published: Its terms.

    Raises:
        ValueError: It is no YAML, of another table, or has a key or a term that is unknown or
            given twice.
    """
    try:
        if field := next(find_repeated_keys(text), None):
            raise ValueError(f"{field}: given twice")
        file = _File.model_validate(yaml.safe_load(text))
    except (yaml.YAMLError, ValidationError) as error:
        raise ValueError(str(error)) from error
    if f"{file.table.lower()}-{file.version}" != name:
        raise ValueError(f"version: {file.table} {file.version} in {name}")
    found: dict[str, str] = {}
    said = [(group, f"clinician's assessment: {group.why}") for group in file.assessed]
    said += [(group, f"`{group.function}`: {group.why}") for group in file.functions]
    for group, why in said:
        for term in group.terms:
            if term not in published:
                raise ValueError(f"{term}: the table publishes no such term")
            if term in found:
                raise ValueError(f"{term}: given twice")
            found[term] = why
    return found
