"""Simulated trials in batches, and what is counted of those that a rule stops."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from services.safety_rules.domain.stopping.families import Floats

_BATCH = 500  # trials: what fits the processor's cache


@dataclass(slots=True)
class StopTally:
    """Sums over trials; a trial that is not stopped counts with all of it."""

    trials: int = 0
    stop_count: int = 0
    enrolled: int = 0
    events: int = 0

    def add_trials(self, entered_at: Floats, stopped_at: Floats) -> None:
        """Add trials, and the participants who had entered by then.

        Args:
            entered_at: Of each participant, shape (trials, participants), in seconds.
            stopped_at: Of each trial, shape (trials,); infinite: never.
        """
        self.trials += len(stopped_at)
        self.stop_count += int(np.isfinite(stopped_at).sum())
        self.enrolled += int((entered_at <= stopped_at[:, None]).sum())

    def add_events(self, event_at: Floats, stopped_at: Floats) -> None:
        """Add the events of the same trials, at *event_at* of the shape of their entries."""
        happened = np.isfinite(event_at) & (event_at <= stopped_at[:, None])
        self.events += int(happened.sum())

    @property
    def p_stop(self) -> float:
        """Share of the trials that were stopped."""
        return self.stop_count / self.trials

    @property
    def standard_error(self) -> float:
        """Standard error of that share."""
        return math.sqrt(self.p_stop * (1 - self.p_stop) / self.trials)

    @property
    def mean_enrolled(self) -> float:
        """Mean of the participants who had entered by then."""
        return self.enrolled / self.trials

    @property
    def mean_events(self) -> float:
        """Mean of the events that had happened by then."""
        return self.events / self.trials


def list_batches(trials: int) -> Iterator[int]:
    """Yield the sizes of the batches that *trials* are drawn in.

    >>> list(list_batches(1200))
    [500, 500, 200]
    """
    for first_trial in range(0, trials, _BATCH):
        yield min(_BATCH, trials - first_trial)
