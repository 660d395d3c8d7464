"""HL7 times: as precise as they were sent, in UTC, with a note about what was assumed.

Source: HL7 v2.5.1, 2.A.22 (DTM)
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache
from zoneinfo import ZoneInfo

_FORMS = {4: "%Y", 6: "%Y%m", 8: "%Y%m%d", 10: "%Y%m%d%H", 12: "%Y%m%d%H%M", 14: "%Y%m%d%H%M%S"}
_DAY = 8
EARLIEST_YEAR = 1900  # systems that have no date write year 1, or 1753
_FRACTION_DIGITS = 6


@dataclass(frozen=True, slots=True)
class Time:
    """An instant in UTC; *notes* say what the text left open."""

    at: datetime
    notes: tuple[str, ...] = ()


@lru_cache(maxsize=65_536)
def read_time(text: str, zone: str, offset: str = "") -> Time | None:
    """Return the instant in *text*; None when it is no time.

    >>> read_time("202603080230", "America/New_York").notes
    ('local time that the clocks skipped',)
    >>> read_time("20260301080000-0500", "Europe/Berlin").at.isoformat()
    '2026-03-01T13:00:00+00:00'
    >>> read_time("2026-03-01", "UTC") is None
    True

    Args:
        text: ``YYYY[MM[DD[HH[MM[SS[.S[S[S[S]]]]]]]]][+/-ZZZZ]``.
        zone: IANA name, for a text without an offset.
        offset: Of the whole message, for the same; empty: the zone.
    """
    local, own = _split(text.strip())
    whole, _, fraction = local.partition(".")
    form = _FORMS.get(len(whole))
    if form is None or not whole.isdecimal() or (fraction and not fraction.isdecimal()):
        return None
    try:
        naive = datetime.strptime(whole, form)  # noqa: DTZ007 - the zone follows
        if naive.year < EARLIEST_YEAR:
            return None
        naive = naive.replace(microsecond=int((fraction or "0")[:_FRACTION_DIGITS].ljust(6, "0")))
        local_time = naive.replace(tzinfo=_offset(own or offset) or ZoneInfo(zone))
        at = local_time.astimezone(UTC)
        odd = () if own or offset else _odd(local_time, at)
    except (ValueError, OverflowError):  # the last day of year 9999 is another such date
        return None
    notes = ("time of day not reported",) if len(whole) <= _DAY else ()
    return Time(at, (*notes, *odd))


def offset_of(text: str) -> str:
    """Return the offset that *text* says; empty when it says none."""
    return _split(text.strip())[1]


def _odd(local: datetime, at: datetime) -> tuple[str, ...]:
    """Say what the change of the clocks makes of a local time."""
    if at.astimezone(local.tzinfo).replace(tzinfo=None) != local.replace(tzinfo=None):
        return ("local time that the clocks skipped",)
    if local.utcoffset() != local.replace(fold=1).utcoffset():
        return ("local time that came twice; the first is taken",)
    return ()


def _split(text: str) -> tuple[str, str]:
    for sign in "+-":
        at = text.find(sign)
        if at > 0:
            return text[:at], text[at:]
    return text, ""


def _offset(text: str) -> timezone | None:
    if not text:
        return None
    if len(text) != len("+0000") or not text[1:].isdecimal():
        raise ValueError(f"no offset: {text}")
    span = timedelta(hours=int(text[1:3]), minutes=int(text[3:5]))
    return timezone(-span if text[0] == "-" else span)
