"""Silence: the time within which a feed usually speaks, and whether it has been quiet for longer.

Source: docs/decisions/alerts.md, "Silence"
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

_LEAST_HISTORY = timedelta(days=7)
_LEAST_GAPS = 8
_OUTAGES = 2  # longer gaps than the usual: they are not learned
_MARGIN = 1.5
_SHORTEST = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Rhythm:
    """The expected rhythm of a feed.

    Args:
        usual_gap: It speaks at least so often.
        zone: In which the hours are counted.
        begins_at: Local time; outside of *begins_at* to *ends_at* no time counts. None: all day.
        ends_at: Local time, later than *begins_at*.
        is_learned: From its own past; False: as ``sites.yaml`` expects.
    """

    usual_gap: timedelta
    zone: ZoneInfo
    begins_at: time | None = None
    ends_at: time | None = None
    is_learned: bool = False


def learn_rhythm(arrivals: Sequence[datetime], zone: ZoneInfo) -> Rhythm | None:
    """Return the rhythm of a feed from its *arrivals* (aware, rising); None: too few to tell.

    The third longest gap, and half as much again: weekends are usual, two outages are not.
    """
    gaps = sorted((later - earlier for earlier, later in pairwise(arrivals)), reverse=True)
    if len(gaps) < _LEAST_GAPS or arrivals[-1] - arrivals[0] < _LEAST_HISTORY:
        return None
    return Rhythm(max(_SHORTEST, _MARGIN * gaps[_OUTAGES]), zone, is_learned=True)


def is_silent(rhythm: Rhythm, last_at: datetime, instant: datetime) -> bool:
    """Return True when a feed that spoke last at *last_at* is overdue at *instant* (both aware)."""
    return count_expected_time(rhythm, last_at, instant) > rhythm.usual_gap


def count_expected_time(rhythm: Rhythm, first: datetime, last: datetime) -> timedelta:
    """Return the time from *first* to *last* in which something is expected.

    >>> day = Rhythm(timedelta(hours=6), ZoneInfo("Europe/Berlin"), time(6), time(22))
    >>> evening = datetime(2026, 3, 2, 20, tzinfo=UTC)  # 21:00 in Berlin
    >>> count_expected_time(day, evening, evening + timedelta(hours=10)) / timedelta(hours=1)
    2.0
    """
    if rhythm.begins_at is None or rhythm.ends_at is None or last <= first:
        return max(timedelta(), last - first)
    day, last_day = first.astimezone(rhythm.zone).date(), last.astimezone(rhythm.zone).date()
    total = timedelta()
    while day <= last_day:
        begin = datetime.combine(day, rhythm.begins_at, rhythm.zone).astimezone(UTC)
        end = datetime.combine(day, rhythm.ends_at, rhythm.zone).astimezone(UTC)
        total += max(timedelta(), min(last, end) - max(first, begin))
        day += timedelta(days=1)
    return total
