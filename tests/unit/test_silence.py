"""Silence by expected rhythm: what is usual, and what is longer than that."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from services.alerts.domain.silence import Rhythm, count_expected_time, is_silent, learn_rhythm

BERLIN = ZoneInfo("Europe/Berlin")
HOUR = timedelta(hours=1)
MONDAY = datetime(2026, 3, 2, 8, tzinfo=UTC)


def hours_later(hour):
    return MONDAY + hour * HOUR


@pytest.mark.parametrize(
    ("silent_hours", "is_late"), [(23, False), (24, False), (24.001, True), (-1, False)]
)
def test_a_feed_is_silent_after_the_time_that_the_file_gives_not_at_it(silent_hours, is_late):
    rhythm = Rhythm(24 * HOUR, BERLIN)
    assert is_silent(rhythm, MONDAY, hours_later(silent_hours)) is is_late


BY_DAY = Rhythm(6 * HOUR, BERLIN, time(6), time(22))


@pytest.mark.parametrize(
    ("first", "last", "expected_hours"),
    [
        ("2026-03-02T20:00", "2026-03-03T03:00", 1),  # 21:00 to 04:00 in Berlin
        ("2026-03-02T20:00", "2026-03-03T10:00", 6),  # and 06:00 to 11:00
        ("2026-03-02T22:00", "2026-03-03T04:00", 0),  # all of it at night
        ("2026-03-02T08:00", "2026-03-04T08:00", 32),  # two days of 16 h
        ("2026-03-28T20:00", "2026-03-29T06:00", 3),  # the clock goes forward: 06:00 is 04:00 UTC
        ("2026-03-03T08:00", "2026-03-02T08:00", 0),  # a clock that was set back
    ],
)
def test_only_the_hours_of_the_site_count(first, last, expected_hours):
    instants = [datetime.fromisoformat(text).replace(tzinfo=UTC) for text in (first, last)]
    assert count_expected_time(BY_DAY, *instants) == expected_hours * HOUR


def daily(days, *, without=()):
    return [hours_later(24 * day) for day in range(days) if day not in without]


@pytest.mark.parametrize(
    ("arrivals", "within_hours"),
    [
        (daily(28), 36),
        (daily(28, without=(5, 6, 12, 13, 19, 20, 26, 27)), 108),  # no results at the weekend
        (daily(28, without=(10, 11, 12)), 36),  # one outage is not usual
        (daily(28, without=(3, 10, 11, 12)), 36),  # nor are two
        (daily(28, without=(3, 10, 17)), 72),  # three are
        ([hours_later(hour / 4) for hour in range(28 * 96)], 1),  # an hour at least
    ],
)
def test_a_rhythm_is_learned_from_the_third_longest_gap(arrivals, within_hours):
    rhythm = learn_rhythm(arrivals, BERLIN)
    assert (rhythm.usual_gap, rhythm.is_learned) == (within_hours * HOUR, True)


@pytest.mark.parametrize("arrivals", [[], daily(1), daily(8), [hours_later(n) for n in range(100)]])
def test_too_short_a_past_teaches_nothing(arrivals):
    assert learn_rhythm(arrivals, BERLIN) is None


def test_nine_days_with_a_result_each_are_enough():
    assert learn_rhythm(daily(9), BERLIN).usual_gap == 36 * HOUR
