"""HL7 times: read as precisely as they were sent, in UTC, with a note of each assumption.

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
class Hl7Time:
    """An instant in UTC; *notes* are the assumptions that the text made necessary."""

    instant: datetime
    notes: tuple[str, ...] = ()


@lru_cache(maxsize=65_536)
def read_time(text: str, zone: str, offset: str = "") -> Hl7Time | None:
    """Return the instant in *text*; None when it is no time.

    >>> read_time("202603080230", "America/New_York").notes
    ('local time that the clocks skipped',)
    >>> read_time("20260301080000-0500", "Europe/Berlin").instant.isoformat()
    '2026-03-01T13:00:00+00:00'
    >>> read_time("2026-03-01", "UTC") is None
    True

    Args:
        text: ``YYYY[MM[DD[HH[MM[SS[.S[S[S[S]]]]]]]]][+/-ZZZZ]``.
        zone: IANA name, for a text without an offset.
        offset: Of the whole message, for the same; empty: the zone.
    """
    local, own_offset = _split_offset(text.strip())
    digits, _, fraction = local.partition(".")
    form = _FORMS.get(len(digits))
    if form is None or not digits.isdecimal() or (fraction and not fraction.isdecimal()):
        return None
    try:
        naive = datetime.strptime(digits, form)  # noqa: DTZ007 - the zone follows
        if naive.year < EARLIEST_YEAR:
            return None
        naive = naive.replace(microsecond=int((fraction or "0")[:_FRACTION_DIGITS].ljust(6, "0")))
        local_time = naive.replace(tzinfo=_parse_offset(own_offset or offset) or ZoneInfo(zone))
        instant = local_time.astimezone(UTC)
        clock_notes = () if own_offset or offset else _find_clock_notes(local_time, instant)
    except (ValueError, OverflowError):  # the last day of year 9999 is another such date
        return None
    notes = ("time of day not reported",) if len(digits) <= _DAY else ()
    return Hl7Time(instant, (*notes, *clock_notes))


def find_offset(text: str) -> str:
    """Return the offset in *text*; empty when there is none."""
    return _split_offset(text.strip())[1]


def _find_clock_notes(local: datetime, instant: datetime) -> tuple[str, ...]:
    """Return a note on a local time that the clocks skipped or passed twice."""
    if instant.astimezone(local.tzinfo).replace(tzinfo=None) != local.replace(tzinfo=None):
        return ("local time that the clocks skipped",)
    if local.utcoffset() != local.replace(fold=1).utcoffset():
        return ("local time that came twice; the first is taken",)
    return ()


def _split_offset(text: str) -> tuple[str, str]:
    for sign in "+-":
        position = text.find(sign)
        if position > 0:
            return text[:position], text[position:]
    return text, ""


def _parse_offset(text: str) -> timezone | None:
    if not text:
        return None
    if len(text) != len("+0000") or not text[1:].isdecimal():
        raise ValueError(f"no offset: {text}")
    span = timedelta(hours=int(text[1:3]), minutes=int(text[3:5]))
    return timezone(-span if text[0] == "-" else span)
