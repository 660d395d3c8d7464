"""Feeds: when laboratories and vital signs of each site, and of each participant, came last."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from services.runtime.measures import load_measures
from services.store.feed_arrivals import FeedArrival, load_feed_arrivals
from services.store.session import Connection
from services.vocabulary.measure import MeasureKind

HISTORY = timedelta(days=28)
_OVERLAP = timedelta(days=2)  # what was observed so long before it came is noticed
_HOUR = timedelta(hours=1)
_MEASURE = re.compile(r'"measure":"([^"]+)"')


class Feed(StrEnum):
    """The kind of observations that a site sends."""

    LABS = "labs"
    VITALS = "vitals"


@dataclass(slots=True)
class FeedHistory:
    """The arrivals of the last 28 days, read from the journal bit by bit.

    Args:
        arrivals: Hours in which something of a site and feed came, with the last instant of each.
        vitals_at: Instant of a participant's last vital sign, by pseudonym.
    """

    arrivals: dict[tuple[str, Feed], dict[datetime, datetime]] = field(default_factory=dict)
    vitals_at: dict[str, datetime] = field(default_factory=dict)
    _read_at: datetime | None = None

    def read(self, conn: Connection, study: str, instant: datetime) -> None:
        """Add what came begins_at the last call, and forget what is older than 28 days."""
        begins_at = instant - HISTORY
        if self._read_at is not None:
            begins_at = max(begins_at, self._read_at - _OVERLAP)
        for row in load_feed_arrivals(conn, study, begins_at):
            match = _MEASURE.search(row.payload)
            feed = _FEED_OF_KIND.get(_find_kind(match[1])) if match else None
            if feed is not None and row.received_at <= instant:
                self._add(row, feed)
        self._forget_before(instant - HISTORY)
        self._read_at = instant

    def list_arrivals(self, site: str, feed: Feed) -> list[datetime]:
        """Return the arrivals of a feed, one for each hour, in order."""
        return sorted(self.arrivals.get((site, feed), {}).values())

    def _add(self, row: FeedArrival, feed: Feed) -> None:
        by_hour = self.arrivals.setdefault((row.site, feed), {})
        hour = row.received_at.replace(minute=0, second=0, microsecond=0)
        by_hour[hour] = max(by_hour.get(hour, row.received_at), row.received_at)
        if feed is Feed.VITALS:
            last_at = self.vitals_at.get(row.subject, row.received_at)
            self.vitals_at[row.subject] = max(last_at, row.received_at)

    def _forget_before(self, oldest: datetime) -> None:
        for by_hour in self.arrivals.values():
            for hour in _list_hours_before(by_hour, oldest):
                del by_hour[hour]


_FEED_OF_KIND: Mapping[MeasureKind | None, Feed] = {
    MeasureKind.LABORATORY: Feed.LABS,
    MeasureKind.BEDSIDE: Feed.VITALS,
}


def _find_kind(measure: str) -> MeasureKind | None:
    found_measure = load_measures().get(measure)
    return found_measure.kind if found_measure else None


def _list_hours_before(hours: Iterable[datetime], oldest: datetime) -> list[datetime]:
    return [hour for hour in hours if hour < oldest - _HOUR]
