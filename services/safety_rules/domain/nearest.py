"""What was measured beside a reading: the albumin of a calcium, the count of a fever."""

from bisect import bisect_left, bisect_right, insort
from datetime import datetime, timedelta

from services.vocabulary.fact import Fact, Observation
from services.vocabulary.quantity import Quantity

# Source: docs/decisions/grading.md, "Calcium", "Febrile neutropenia"
WITHIN = {"albumin": timedelta(hours=24), "neutrophils": timedelta(hours=72)}


class NearestReadings:
    """The values of one measure of one participant that stand."""

    def __init__(self, within: timedelta) -> None:
        """Start with none; one further away than *within* is not beside."""
        self._within = within
        self._readings: list[tuple[datetime, str]] = []
        self._values: dict[str, Quantity] = {}

    def change(self, fact: Fact, *, stands: bool) -> None:
        """Let *fact* stand, or stand no longer; one without a number is no reading."""
        if not isinstance(fact.body, Observation) or fact.body.value is None:
            return
        if stands:
            insort(self._readings, (fact.observed_at, fact.id))
            self._values[fact.id] = fact.body.value
        else:
            self._readings.remove((fact.observed_at, fact.id))
            del self._values[fact.id]

    def nearest(self, at: datetime) -> Quantity | None:
        """Return the value nearest to *at*; of two as near, the earlier; None if none is near."""
        since = bisect_left(self._readings, (at - self._within, ""))
        until = bisect_right(self._readings, (at + self._within, "\uffff"))
        near = min(
            self._readings[since:until],
            key=lambda reading: (abs(reading[0] - at), reading),
            default=None,
        )
        return None if near is None else self._values[near[1]]
