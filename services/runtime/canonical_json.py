"""Canonical JSON of the vocabulary: one text for one value.

`services.runtime.wire` reads it. To write it takes no validation library, which loads slowly.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from importlib import import_module
from typing import Any

from msgspec import Struct


def write_canonical(value: object) -> str:
    """Return the canonical JSON of *value*: sorted keys, no spaces, nothing left out.

    Decimals are strings, instants end in ``Z``, durations are ISO 8601, sets are sorted, an
    integer enum is its number and a mapping an object.

    >>> from services.vocabulary.quantity import Quantity
    >>> write_canonical((Quantity(Decimal("0.490"), "10*9/L"), timedelta(hours=36)))
    '[{"censoring":null,"unit":"10*9/L","value":"0.490"},"P1DT12H"]'
    >>> write_canonical(object())
    Traceback (most recent call last):
        ...
    TypeError: not part of the vocabulary: object

    Raises:
        TypeError: It holds something that is not part of the vocabulary.
        ValueError: An instant is not in UTC, or a float is infinite or not a number.
    """
    return _encode(value)


def digest_canonical(value: object) -> str:
    """Return the sha256 of `write_canonical`, in 64 hexadecimal digits."""
    return hashlib.sha256(write_canonical(value).encode()).hexdigest()


def _write_plain(value: object) -> object:
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in fields(value)}
    return _list_entries(value) if isinstance(value, Struct) else _write_part(value)


def _write_part(value: object) -> object:
    match value:
        case datetime():
            return _write_instant(value)
        case Decimal():
            return str(value)
        case timedelta():
            return _write_duration(value)
        case Mapping():
            return dict(value)
        case frozenset():
            return sorted(value)
    raise TypeError(f"not part of the vocabulary: {type(value).__name__}")


def _list_entries(value: Struct) -> dict[str, object]:
    """Return the fields of *value*, and its tag if it has one."""
    entries = {name: getattr(value, name) for name in value.__struct_fields__}
    config = value.__struct_config__
    return entries if config.tag_field is None else entries | {config.tag_field: config.tag}


def _write_duration(value: timedelta) -> str:
    """Return *value* in ISO 8601; few values hold a duration."""
    return str(_load_duration_adapter().dump_python(value, mode="json"))


@cache
def _load_duration_adapter() -> Any:  # noqa: ANN401 - of a library that is loaded only here
    return import_module("pydantic").TypeAdapter(timedelta)


def _write_instant(value: datetime) -> str:
    if value.utcoffset() != timedelta(0):
        raise ValueError(f"not in UTC: {value.isoformat()}")
    return value.astimezone(UTC).isoformat().removesuffix("+00:00") + "Z"


_encode = json.JSONEncoder(
    default=_write_plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
).encode
