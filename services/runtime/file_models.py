"""The model of a file that people write, and its faults in words that say what to do."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from difflib import get_close_matches
from typing import Annotated, Any, TypeVar, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError

from services.runtime.file_error import FileFault, UntrustedFileError
from services.runtime.strict_yaml import Document, Place
from services.vocabulary.printable_text import quote_text

_Model = TypeVar("_Model", bound=BaseModel)

_IN_WORDS: Mapping[str, str] = {
    "bool_type": "must be true or false",
    "dict_type": "must be keys with values (key: value)",
    "float_type": "must be a number",
    "int_type": "must be a whole number",
    "mapping_type": "must be keys with values (key: value)",
    "missing": "is missing: add it",
    "model_type": "must be keys with values (key: value)",
    "too_short": "must list at least {min_length}",
    "tuple_type": "must be a list",
}

_DURATION_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


def parse_number_key(key: object) -> object:
    """Return the whole number that a key, which is always text, stands for.

    >>> parse_number_key("3"), parse_number_key("03")
    (3, '03')
    """
    if isinstance(key, str) and re.fullmatch(r"0|[1-9][0-9]{0,8}", key):
        return int(key)
    return key


def _parse_duration(text: object) -> object:
    """Return the duration that *text* names.

    >>> _parse_duration("72h")
    datetime.timedelta(days=3)
    >>> _parse_duration("soon")
    Traceback (most recent call last):
        ...
    ValueError: a duration is written like 30m, 72h or 14d, not 'soon'
    """
    match = re.fullmatch(r"([0-9]{1,5})([mhd])", text) if isinstance(text, str) else None
    if not match:
        raise ValueError(f"a duration is written like 30m, 72h or 14d, not {text!r}")
    return timedelta(**{_DURATION_UNITS[match[2]]: int(match[1])})


NumberKey = Annotated[int, BeforeValidator(parse_number_key)]
Duration = Annotated[timedelta, BeforeValidator(_parse_duration)]


class StrictModel(BaseModel):
    """A part of a file in which every key is known, and no value is taken for another type."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


def read_model(document: Document, kind: type[_Model]) -> _Model:
    """Return the values of *document* as a *kind*.

    Raises:
        UntrustedFileError: A key is missing or unknown, or a value is not what *kind* says; with
            all faults of the file, in the order of its lines.
    """
    try:
        return kind.model_validate(document.value)
    except ValidationError as error:
        faults = sorted(_list_faults(error, document, kind), key=lambda fault: fault.line)
        raise UntrustedFileError(faults) from error


def _list_faults(
    error: ValidationError, document: Document, kind: type[BaseModel]
) -> Iterator[FileFault]:
    """Yield one fault for each place, without those that only follow from another.

    A key that is misspelt is not missing too; a list whose items are wrong is not empty.
    """
    details = [(_find_place(detail, document), detail) for detail in error.errors()]
    missing = {place for place, detail in details if detail["type"] == "missing"}
    told_places = {place[:end] for place, _ in details for end in range(len(place))}
    for place, detail in details:
        if detail["type"] == "extra_forbidden":
            names = _list_names(kind, place)
            name = _guess_name(place, names, missing, document)
            told_places.add((*place[:-1], name))
            hint = f"did you mean {name!r}?" if name else f"it is one of: {', '.join(names)}"
            yield document.fault_at(place, f"there is no such key; {hint}")
    for place, detail in details:
        if detail["type"] != "extra_forbidden" and place not in told_places:
            told_places.add(place)
            yield document.fault_at(place, _describe_fault(detail))


def _find_place(detail: Mapping[str, Any], document: Document) -> Place:
    """Return the place of a fault, without what is no key: the branch of a union, ``[key]``."""
    place: Place = ()
    for step in detail["loc"]:
        if (*place, step) in document.lines:
            place = (*place, step)
    return (*place, detail["loc"][-1]) if detail["type"] == "missing" else place


def _describe_fault(detail: Mapping[str, Any]) -> str:
    kind, message, value = detail["type"], str(detail["msg"]), detail["input"]
    is_scalar = isinstance(value, str | int | float)
    if kind == "string_type":
        return "must be text" + (": put it in quotes" if is_scalar else "")
    if kind in _IN_WORDS:
        return _IN_WORDS[kind].format(**detail.get("ctx", {}))
    if kind in ("value_error", "assertion_error"):
        return message.removeprefix("Value error, ").removeprefix("Assertion failed, ")
    words = message.replace("Input should be", "must be").replace("String should", "must")
    return words + (f", not {quote_text(repr(value))}" if is_scalar else "")


def _guess_name(
    place: Place, names: Sequence[str], missing: Iterable[Place], document: Document
) -> str:
    """Return the name that the unknown key at *place* may stand for; empty when none is like it."""
    parent, word = place[:-1], quote_text(str(place[-1]))
    missing_names = [str(other[-1]) for other in missing if other[:-1] == parent]
    absent_names = [name for name in names if (*parent, name) not in document.lines]
    similar_names = get_close_matches(word, missing_names, 1) or get_close_matches(
        word, absent_names, 1
    )
    return similar_names[0] if similar_names else ""


def _list_names(kind: type[BaseModel], place: Place) -> list[str]:
    """Return the keys that *kind* knows beside that at *place*."""
    models = [kind]
    for step in place[:-1]:
        inner_models = [
            inner
            for model in models
            for name, field in model.model_fields.items()
            if (field.alias or name) == step
            for inner in _list_models(field.annotation)
        ]
        models = inner_models or models
    return [field.alias or name for model in models for name, field in model.model_fields.items()]


def _list_models(annotation: object) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _list_models(argument)
