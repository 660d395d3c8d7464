"""The column type of instants: fixed-width UTC text, so that text order is time order."""

from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import Dialect, String
from sqlalchemy.types import TypeDecorator


@lru_cache(maxsize=4096)  # an instant is written to several columns, and audited
def write_instant(value: datetime) -> str:
    """Return *value* as 27 characters.

    >>> write_instant(datetime(2026, 3, 1, 8, tzinfo=UTC))
    '2026-03-01T08:00:00.000000Z'
    >>> write_instant(datetime(2026, 3, 1, 8))
    Traceback (most recent call last):
        ...
    ValueError: an instant without a time zone: 2026-03-01T08:00:00

    Raises:
        ValueError: *value* is naive.
    """
    if value.tzinfo is None:
        raise ValueError(f"an instant without a time zone: {value.isoformat()}")
    utc = value if value.tzinfo is UTC else value.astimezone(UTC)
    return utc.isoformat(timespec="microseconds")[:26] + "Z"


class Instant(TypeDecorator[datetime]):
    """An aware instant, read back in UTC."""

    impl = String(27)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> str | None:
        """Refuse a naive instant.

        Raises:
            ValueError: *value* is naive.
        """
        del dialect
        return None if value is None else write_instant(value)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:  # noqa: ANN401  the library's signature
        """Return the stored instant.

        Raises:
            ValueError: The text was not written by this type.
        """
        del dialect
        return None if value is None else self.parse(value)

    @staticmethod
    def parse(text: str) -> datetime:
        """Return the instant of a text of `write_instant`.

        Raises:
            ValueError: *text* is something else.
        """
        return datetime.fromisoformat(text)
