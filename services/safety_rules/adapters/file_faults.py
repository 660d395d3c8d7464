"""What is wrong with a file, in the words of the person who has to put it right."""

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from pydantic import ValidationError


def first_fault(error: ValidationError, written: object) -> tuple[str, str]:
    """Return the field and the problem to show of all that is wrong with a file.

    A key that is not known comes first: what then seems to be missing is often that key.

    Args:
        error: Of the file's model.
        written: What the file says.
    """
    found = error.errors()
    unknown = [one for one in found if one["type"] == "extra_forbidden"]
    first = (unknown or found)[0]
    place = first["loc"]
    return _path(place, written), _problem(first, [one for one in found if one is not first])


def _problem(fault: Mapping[str, Any], others: Sequence[Mapping[str, Any]]) -> str:
    kind, said = fault["type"], str(fault["msg"])
    if kind == "extra_forbidden":
        return "is no key that is known here: " + _hint(fault["loc"], others)
    if kind == "missing":
        return "is missing: add it"
    if kind in ("model_type", "model_attributes_type", "dict_type"):
        return "must be keys with values (key: value)"
    if kind in ("value_error", "assertion_error"):
        return said.removeprefix("Value error, ")
    given = fault["input"]
    shown = f", not {given!r}" if isinstance(given, str | int | float) else ""
    return said.replace("Input should be", "must be").replace("String should", "must") + shown


def _hint(place: Sequence[int | str], others: Sequence[Mapping[str, Any]]) -> str:
    beside = [one["loc"] for one in others if one["type"] == "missing"]
    missing = [str(loc[-1]) for loc in beside if loc[:-1] == place[:-1]]
    near = get_close_matches(str(place[-1]), missing, n=1)
    return f"did you mean {near[0]!r}?" if near else "correct its spelling, or remove it"


def _path(place: Sequence[int | str], written: object) -> str:
    """Return the path, a rule by its id rather than by its place in the list.

    >>> _path(("rules", 0, "warn_at"), {"rules": [{"id": "TRIAL.S1"}]})
    'rules.TRIAL.S1.warn_at'
    >>> _path(("rules", 0, "warn_at"), {"rules": [{}]})
    'rules.0.warn_at'
    >>> _path((), None)
    'file'
    """
    words = [str(part) for part in place]
    rules = written.get("rules") if isinstance(written, dict) else None
    if place[:1] == ("rules",) and len(place) > 1 and isinstance(rules, list):
        rule = rules[int(place[1])]
        words[1] = str(rule.get("id", place[1])) if isinstance(rule, dict) else words[1]
    return ".".join(words) or "file"
