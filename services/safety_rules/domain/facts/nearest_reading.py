"""Companion readings, nearest in time: the albumin of a calcium, the count of a fever."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from datetime import datetime, timedelta

from services.vocabulary.clinical_fact import Observation
from services.vocabulary.fact import Fact
from services.vocabulary.quantity import Quantity

# Source: docs/decisions/grading.md, "Calcium", "Febrile neutropenia"
COMPANION_WINDOWS = {"albumin": timedelta(hours=24), "neutrophils": timedelta(hours=72)}

_LAST = "\uffff"  # after every id


class NearestReadings:
    """The standing values of one measure of one participant."""

    def __init__(self, window: timedelta) -> None:
        """Start with none; a value further away than *window* is not near."""
        self._window = window
        self._readings: list[tuple[datetime, str]] = []
        self._facts: dict[str, tuple[Fact, Quantity]] = {}

    def change(self, fact: Fact, *, stands: bool) -> tuple[datetime, datetime] | None:
        """Add or remove *fact*; one without a number is no reading.

        Returns:
            First and last instant of the period in which the nearest value may have changed; None
            when *fact* is no reading.
        """
        if not isinstance(fact.body, Observation) or fact.body.value is None:
            return None
        reading = (fact.observed_at, fact.id)
        index = bisect_left(self._readings, reading)
        if stands:
            self._readings.insert(index, reading)
            self._facts[fact.id] = fact, fact.body.value
        else:
            del self._readings[index], self._facts[fact.id]
        return self._find_affected_period(fact.observed_at)

    def list_nearest(self, instant: datetime) -> Sequence[Quantity]:
        """Return the values nearest to *instant*, of two instants the earlier; or none."""
        return [self._facts[fact][1] for _, fact in self._select_nearest(instant)]

    def list_nearest_facts(self, instant: datetime) -> Sequence[Fact]:
        """Return the facts of `list_nearest`."""
        return [self._facts[fact][0] for _, fact in self._select_nearest(instant)]

    def list_facts_before(self, instant: datetime) -> Sequence[Fact]:
        """Return all facts before *instant*, in time order."""
        end = bisect_left(self._readings, (instant, ""))
        return [self._facts[fact][0] for _, fact in self._readings[:end]]

    def _select_nearest(self, instant: datetime) -> Sequence[tuple[datetime, str]]:
        """Return instants and ids of the readings nearest to *instant*."""
        readings = self._readings
        next_index = bisect_left(readings, (instant, ""))
        neighbours = readings[next_index : next_index + 1]
        if next_index:
            previous_at = readings[next_index - 1][0]
            neighbours.append(readings[bisect_left(readings, (previous_at, ""))])
        nearest = min(
            neighbours, key=lambda reading: (abs(reading[0] - instant), reading), default=None
        )
        if nearest is None or abs(nearest[0] - instant) > self._window:
            return ()
        last_index = bisect_right(readings, (nearest[0], _LAST))
        first_index = bisect_left(readings, (nearest[0], ""), 0, last_index)
        return readings[first_index:last_index]

    def _find_affected_period(self, instant: datetime) -> tuple[datetime, datetime]:
        """Return the period nearest to *instant*: up to half way to the readings on either side."""
        start, end = instant - self._window, instant + self._window
        left_index = bisect_left(self._readings, (instant, ""))
        right_index = bisect_right(self._readings, (instant, _LAST), left_index)
        if left_index > 0:
            start = max(start, instant - (instant - self._readings[left_index - 1][0]) / 2)
        if right_index < len(self._readings):
            end = min(end, instant + (self._readings[right_index][0] - instant) / 2)
        return start, end
