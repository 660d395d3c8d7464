"""Facts with every field, also those that say what they say by default.

So the first release wrote them, and of such a text their digests are made.
"""

from functools import cache
from typing import Any

import msgspec
from msgspec import Raw, Struct, structs

from services.vocabulary.fact import Body, Fact
from services.vocabulary.quantity import Quantity

_encode = msgspec.json.Encoder().encode


def write_full_fact(fact: Fact) -> bytes:
    """Return *fact* as one JSON object on one line."""
    full_fact = _fill(fact)
    full_fact.body = Raw(write_full_body(fact.body))
    full_fact.result_key = fact.result_key and _fill(fact.result_key)
    return _encode(full_fact)


def write_full_body(body: Body) -> bytes:
    """Return *body* as JSON, its kind after its fields.

    >>> from services.vocabulary.clinical_fact import Movement
    >>> write_full_body(Movement("ward"))
    b'{"to":"ward","cancelled":false,"planned":null,"kind":"movement"}'
    """
    tag = _make_tag(type(body))
    return b"".join((b"{", _encode(_fill(body))[len(tag) + 1 : -1], tag, b"}"))


def _fill(value: Struct) -> Any:  # noqa: ANN401 - of a type that is made here
    """Return *value*, and the quantities in it, as structs that leave out no field."""
    parts = [
        _FullQuantity(part.value, part.unit, part.censoring) if type(part) is Quantity else part
        for part in structs.astuple(value)
    ]
    return _make_full_kind(type(value))(*parts)


@cache
def _make_full_kind(kind: type[Struct]) -> type[Struct]:
    config = kind.__struct_config__
    fields = [(name, Any) for name in kind.__struct_fields__]
    return msgspec.defstruct(
        kind.__name__, fields, tag_field=config.tag_field, tag=config.tag, gc=False
    )


@cache
def _make_tag(kind: type[Struct]) -> bytes:
    """Return the tag of *kind* as the last entry of an object: the encoder writes it first."""
    config = kind.__struct_config__
    return f',"{config.tag_field}":"{config.tag}"'.encode()


_FullQuantity: Any = _make_full_kind(Quantity)
