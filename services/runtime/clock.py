"""The clock of the machine, and its only reader."""

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]


def now_utc() -> datetime:
    """Return this instant, aware, in UTC, to the microsecond."""
    return datetime.now(tz=UTC)
