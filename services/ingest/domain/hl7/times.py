"""HL7 times: read as precisely as they were sent, in UTC, with a note of each assumption.

Source: HL7 v2.5.1, 2.A.22 (DTM)
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache
from zoneinfo import ZoneInfo

_LENGTHS = frozenset({4, 6, 8, 10, 12, 14})  # digits: to the year, month, day, hour, minute, second
_DAY, _TO_THE_SECOND = 8, 14
_LONGEST = 64  # characters: what is longer is no time, and fills no memory
EARLIEST_YEAR = 1900  # systems that have no date write year 1, or 1753
_FRACTION_DIGITS = 6


@dataclass(frozen=True, slots=True)
class Hl7Time:
    """An instant in UTC; *notes* are the assumptions that the text made necessary."""

    instant: datetime
    notes: tuple[str, ...] = ()


def read_time(
    text: str, zone: str, offset: str = "", *, by_site_clock: bool = False
) -> Hl7Time | None:
    """Return the instant in *text*; None when it is no time.

    >>> read_time("202603080230", "America/New_York").notes
    ('local time that the clocks skipped',)
    >>> read_time("20260301080000-0500", "Europe/Berlin").instant.isoformat()
    '2026-03-01T13:00:00+00:00'
    >>> read_time("2026-03-01", "UTC") is None
    True
    >>> new_york = "America/New_York"
    >>> read_time("20260307120000", new_york, "-0400", by_site_clock=True).instant.isoformat()
    '2026-03-07T17:00:00+00:00'

    Args:
        text: ``YYYY[MM[DD[HH[MM[SS[.S[S[S[S]]]]]]]]][+/-ZZZZ]``.
        zone: IANA name, for a text without an offset.
        offset: Of the whole message, for the same; empty: the zone.
        by_site_clock: True when *offset* is that of *zone* as the message was sent: a time from
            the other side of a clock change has the other offset of the zone.
    """
    return _read_time(text, zone, offset, by_site_clock) if len(text) <= _LONGEST else None


@lru_cache(maxsize=65_536)
def _read_time(text: str, zone: str, offset: str, by_site_clock: bool) -> Hl7Time | None:  # noqa: FBT001 - positions make the key
    local, own_offset = _split_offset(text.strip())
    digits, _, fraction = local.partition(".")
    if len(digits) not in _LENGTHS or not digits.isdecimal():
        return None
    if fraction and not fraction.isdecimal():
        return None
    try:
        naive = _read_digits(digits, fraction)
        if naive.year < EARLIEST_YEAR:
            return None
        fixed_zone = _parse_offset(own_offset or offset)
        is_of_other_season = (
            not own_offset and by_site_clock and not _has_offset(naive, zone, fixed_zone)
        )
        local_time = naive.replace(
            tzinfo=ZoneInfo(zone) if fixed_zone is None or is_of_other_season else fixed_zone
        )
        instant = local_time.astimezone(UTC)
        clock_notes = () if fixed_zone else _find_clock_notes(local_time, instant)
    except (ValueError, OverflowError):  # the last day of year 9999 is another such date
        return None
    notes = ("time of day not reported",) if len(digits) <= _DAY else ()
    season_note = ("the clocks changed before it was sent",) if is_of_other_season else ()
    return Hl7Time(instant, (*notes, *clock_notes, *season_note))


def _read_digits(digits: str, fraction: str) -> datetime:
    """Return the local time; months and days that are not given are the first.

    Raises:
        ValueError: There is no such time.
    """
    month, day = int(digits[4:6] or 1), int(digits[6:8] or 1)
    hour, minute, second = int(digits[8:10] or 0), int(digits[10:12] or 0), int(digits[12:14] or 0)
    microsecond = int(fraction[:_FRACTION_DIGITS].ljust(_FRACTION_DIGITS, "0")) if fraction else 0
    return datetime(int(digits[:4]), month, day, hour, minute, second, microsecond)  # noqa: DTZ001 - the zone follows


def find_offset(text: str) -> str:
    """Return the offset in *text*; empty when there is none."""
    return _split_offset(text.strip())[1]


def read_local_time(text: str) -> str:
    """Return date and time of day in *text* to the second, without the offset.

    >>> read_local_time("202603071200-0500")
    '20260307120000'
    """
    digits, _, fraction = _split_offset(text.strip())[0].partition(".")
    return digits.ljust(_TO_THE_SECOND, "0") + (f".{fraction}" if fraction.strip("0") else "")


def is_site_clock(sent_at: datetime, zone: str, offset: str) -> bool:
    """Return True when *offset* is the one that *zone* has at *sent_at*."""
    try:
        local_time = sent_at.astimezone(ZoneInfo(zone))
    except OverflowError:  # the clocks of the zone would show a year that there is not
        return False
    return bool(offset) and local_time.utcoffset() == _parse_span(offset)


def _has_offset(naive: datetime, zone: str, fixed_zone: timezone | None) -> bool:
    """Return True when the clocks of *zone* can show *naive* at the offset of *fixed_zone*."""
    local_times = (naive.replace(tzinfo=ZoneInfo(zone), fold=fold) for fold in (0, 1))
    return any(
        local_time.utcoffset() == naive.replace(tzinfo=fixed_zone).utcoffset()
        for local_time in local_times
    )


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


@lru_cache(maxsize=1024)
def _parse_offset(text: str) -> timezone | None:
    return timezone(_parse_span(text)) if text else None


def _parse_span(text: str) -> timedelta:
    if len(text) != len("+0000") or not text[1:].isdecimal():
        raise ValueError(f"no offset: {text}")
    span = timedelta(hours=int(text[1:3]), minutes=int(text[3:5]))
    return -span if text[0] == "-" else span
