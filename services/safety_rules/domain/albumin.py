"""The albumin that goes with a calcium: the nearest in time."""

from bisect import bisect_left, bisect_right, insort
from datetime import datetime, timedelta

from services.vocabulary.fact import Fact, Observation
from services.vocabulary.quantity import Quantity

# Source: docs/decisions/grading.md, "Calcium"
WITHIN = timedelta(hours=24)


class AlbuminReadings:
    """The albumin values of one participant that stand."""

    def __init__(self) -> None:
        """Start with none."""
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
        """Return the value nearest to *at* within 24 h; of two as near, the earlier; else None."""
        since = bisect_left(self._readings, (at - WITHIN, ""))
        until = bisect_right(self._readings, (at + WITHIN, "\uffff"))
        near = min(
            self._readings[since:until],
            key=lambda reading: (abs(reading[0] - at), reading),
            default=None,
        )
        return None if near is None else self._values[near[1]]
