"""Facts as the journal keeps them: without the fields that say what they say by default.

Every release reads such a fact, as it reads one of a sender who left them out.
"""

import re
from collections.abc import Iterator
from functools import cache
from typing import get_args

import msgspec
from msgspec import NODEFAULT, Struct, structs

from services.runtime.wire import write_fact
from services.vocabulary.fact import Fact


def write_compact_fact(fact: Fact) -> bytes:
    """Return *fact* as one JSON object on one line; what it leaves out is read as the default.

    >>> from datetime import UTC, datetime
    >>> from services.vocabulary.clinical_fact import Observation
    >>> at = datetime(2026, 3, 1, 8, tzinfo=UTC)
    >>> fact = Fact("f1", "P-1", at, at, Observation("sbp", text="high"), "d")
    >>> write_compact_fact(fact).decode()[101:]
    '"body":{"measure":"sbp","text":"high","kind":"observation"},"digest":"d","site":"","status":"F"}'
    """
    return _match_defaults().sub(b"", write_fact(fact))


@cache
def _match_defaults() -> re.Pattern[bytes]:
    """Return the pattern of a field with its default, behind another one.

    A quotation mark inside a text is escaped, so no text has such a part.
    """
    fields = [field for kind in _list_structs(Fact) for field in structs.fields(kind)]
    texts = {
        b'"%b":%b' % (field.encode_name.encode(), msgspec.json.encode(_find_default(field)))
        for field in fields
        if _find_default(field) is not NODEFAULT
        and not any(_may_differ(other, field) for other in fields if other.name == field.name)
    }
    return re.compile(b",(?:%b)(?=[,}])" % b"|".join(re.escape(text) for text in sorted(texts)))


def _find_default(field: structs.FieldInfo) -> object:
    return field.default if field.default_factory is NODEFAULT else field.default_factory()


def _may_differ(other: structs.FieldInfo, field: structs.FieldInfo) -> bool:
    """Return True when *other*, of the same name, may have the default of *field* as a value."""
    default = _find_default(field)
    if default is None and type(None) not in get_args(other.type):
        return False
    return _find_default(other) != default


def _list_structs(kind: object) -> Iterator[type[Struct]]:
    """Yield *kind*, as far as it is a struct, and all that are in its fields."""
    if isinstance(kind, type) and issubclass(kind, Struct):
        yield kind
        for field in structs.fields(kind):
            yield from _list_structs(field.type)
    for part in get_args(kind):
        yield from _list_structs(part)
