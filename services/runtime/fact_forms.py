"""Facts from JSON in one pass, by forms that are made from the vocabulary.

What recurs in fact after fact is one object in memory: a name, a code, an instant, and a quantity,
of which each text is read once. A number is read only from a text of the one grammar, never from a
number of JSON, which other writers have rounded.
"""

import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cache, lru_cache, reduce
from operator import or_
from typing import Any, get_args

import msgspec
from msgspec import Raw, Struct, structs

from services.vocabulary.fact import Body, Fact, ResultKey
from services.vocabulary.number_text import LONGEST_STORED, STORED_NUMBER
from services.vocabulary.quantity import Quantity

_NUMBER = re.compile(STORED_NUMBER)
_UNIQUE_TEXTS = ("id", "digest")
_MOST_QUANTITIES, _MOST_INSTANTS = 10_000, 1_000  # of which the texts are kept
_NULL = Raw(b"null")
UNREADABLE = (msgspec.MsgspecError, ValueError, RecursionError)  # that a reading may raise

_Read = Callable[[Any], object]
_Types = dict[object, tuple[object, _Read]]


class FactForms:
    """Forms of facts and of all that is in them."""

    def __init__(self, *, is_strict: bool) -> None:
        """Make the forms; *is_strict* ones refuse keys that the vocabulary does not have."""
        self._is_strict = is_strict
        self._completions: dict[type[Struct], _Completion] = {}
        decoded_types: _Types = {
            str: (str, sys.intern),
            datetime: (str, _read_instant),
            Decimal: (str, _read_number),
        }
        read_quantity = self._make_quantity_reader(decoded_types)
        decoded_types[Quantity | None] = (Raw, read_quantity)
        decoded_types[Decimal | None] = (str | None, _read_number_or_null)
        decoded_types[ResultKey | None] = (
            self._make_form(ResultKey, decoded_types) | None,
            self._complete_or_null,
        )
        bodies = [self._make_form(kind, decoded_types) for kind in get_args(Body)]
        decoded_types[Body] = (reduce(or_, bodies), self._complete)
        self._decode = msgspec.json.Decoder(self._make_form(Fact, decoded_types)).decode

    def read_fact(self, record: bytes | str) -> Fact:
        """Return the fact in *record*.

        Raises:
            UNREADABLE: It is none.
        """
        fact: Fact = self._complete(self._decode(record))
        return fact

    def _complete(self, form: Struct) -> Any:  # noqa: ANN401 - of the kind that the form is made for
        return self._completions[type(form)].complete(form)

    def _complete_or_null(self, form: Struct | None) -> object:
        return None if form is None else self._complete(form)

    def _make_quantity_reader(self, decoded_types: _Types) -> _Read:
        form = self._make_form(Quantity, decoded_types)
        decode = msgspec.json.Decoder(form | None).decode

        @lru_cache(_MOST_QUANTITIES)
        def read_text(text: bytes) -> object:
            return self._complete_or_null(decode(text))

        return lambda raw: read_text(bytes(raw))

    def _make_form(self, kind: type[Struct], decoded_types: _Types) -> Any:  # noqa: ANN401 - a type as a value
        """Return the form of *kind*, whose fields of *decoded_types* are read in a second step."""
        fields, readers = [], []
        for index, field in enumerate(structs.fields(kind)):
            decoded_type, read = decoded_types.get(field.type, (field.type, None))
            default = [_NULL if decoded_type is Raw else field.default]
            fields.append((field.name, decoded_type, *(() if field.required else default)))
            if read is not None and field.name not in _UNIQUE_TEXTS:
                readers.append((index, read))
        config = kind.__struct_config__
        form = msgspec.defstruct(
            kind.__name__,
            fields,
            tag_field=config.tag_field,
            tag=config.tag,
            forbid_unknown_fields=self._is_strict,
            gc=False,
        )
        self._completions[form] = _Completion(kind, tuple(readers))
        return form


@cache
def make_strict_forms() -> FactForms:
    """Return the forms that refuse keys that the vocabulary does not have."""
    return FactForms(is_strict=True)


@cache
def make_tolerant_forms() -> FactForms:
    """Return the forms that ignore keys that the vocabulary does not have."""
    return FactForms(is_strict=False)


@dataclass(frozen=True, slots=True)
class _Completion:
    """The second step of reading a value of *kind*: *readers* of fields, by their position."""

    kind: type[Struct]
    readers: tuple[tuple[int, _Read], ...]

    def complete(self, form: Struct) -> Struct:
        values = list(structs.astuple(form))
        for index, read in self.readers:
            values[index] = read(values[index])
        return self.kind(*values)


@lru_cache(_MOST_INSTANTS)
def _read_instant(text: str) -> datetime:
    """Return the instant in *text*: the results of a panel share theirs."""
    return msgspec.convert(text, datetime)


def _read_number(text: str) -> Decimal:
    """Return the number in *text* with every digit.

    Raises:
        ValueError: It is none of the grammar.
    """
    if len(text) > LONGEST_STORED or not _NUMBER.fullmatch(text):
        raise ValueError("no decimal number written as a string")
    return Decimal(text)


def _read_number_or_null(text: str | None) -> Decimal | None:
    return None if text is None else _read_number(text)
