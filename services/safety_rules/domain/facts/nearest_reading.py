"""What was measured beside a reading: the albumin of a calcium, the count of a fever."""

from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from datetime import datetime, timedelta

from services.vocabulary.fact import Fact, Observation
from services.vocabulary.quantity import Quantity

# Source: docs/decisions/grading.md, "Calcium", "Febrile neutropenia"
COMPANION_WINDOWS = {"albumin": timedelta(hours=24), "neutrophils": timedelta(hours=72)}

_LAST = "\uffff"  # after every id


class NearestReadings:
    """The values of one measure of one participant that stand."""

    def __init__(self, window: timedelta) -> None:
        """Start with none; one further away than *window* is not beside."""
        self._window = window
        self._readings: list[tuple[datetime, str]] = []
        self._values: dict[str, Quantity] = {}

    def change(self, fact: Fact, *, stands: bool) -> tuple[datetime, datetime] | None:
        """Let *fact* stand, or stand no longer; one without a number is no reading.

        Returns:
            Between which instants, both inside, something else is nearest than before; None: as
            it is no reading, that is so nowhere.
        """
        if not isinstance(fact.body, Observation) or fact.body.value is None:
            return None
        reading = (fact.observed_at, fact.id)
        at = bisect_left(self._readings, reading)
        if stands:
            self._readings.insert(at, reading)
            self._values[fact.id] = fact.body.value
        else:
            del self._readings[at], self._values[fact.id]
        return self._find_affected_period(fact.observed_at)

    def find_nearest(self, at: datetime) -> Quantity | None:
        """Return the value nearest to *at*; of two as near, the earlier; None if none is near."""
        readings = self._readings
        following = bisect_left(readings, (at, ""))
        near = readings[following : following + 1]
        if following:
            before = readings[following - 1][0]
            near.append(readings[bisect_left(readings, (before, ""))])
        found = min(near, key=lambda reading: (abs(reading[0] - at), reading), default=None)
        if found is None or abs(found[0] - at) > self._window:
            return None
        return self._values[found[1]]

    def _find_affected_period(self, at: datetime) -> tuple[datetime, datetime]:
        """Return to what *at* may be nearest: up to half way to the readings on either side."""
        since, until = at - self._window, at + self._window
        before = bisect_left(self._readings, (at, ""))
        after = bisect_right(self._readings, (at, _LAST), before)
        if before > 0:
            since = max(since, at - (at - self._readings[before - 1][0]) / 2)
        if after < len(self._readings):
            until = min(until, at + (self._readings[after][0] - at) / 2)
        return since, until


def find_nearest_value(
    beside: Mapping[str, NearestReadings], measure: str, at: datetime
) -> Quantity | None:
    """Return the value of *measure* nearest to *at*, of readings by measure; None: none is near."""
    return beside[measure].find_nearest(at)
