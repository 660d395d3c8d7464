"""Simulated trials: what happened to each participant, and when it became known."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from services.safety_rules.domain.stopping.cohort import NEVER, Cohort, Outcomes
from services.safety_rules.domain.stopping.families import Floats


@dataclass(frozen=True, slots=True)
class SimulatedTrials:
    """Instants in seconds, shape (trials, participants), by entry; infinite: never.

    Args:
        entered_at: First infusion.
        window_ends_at: End of the window.
        event_at: The event; it counts only before the competing one and the end of follow-up.
        competing_at: The competing event.
        left_at: The end of follow-up before that of the window.
        event_known_at: The report of the event.
        competing_known_at: The report of the competing event.
        false_at: An event that was none.
        false_known_at: Its report.
        corrected_at: The correction of that report.
    """

    entered_at: Floats
    window_ends_at: Floats
    event_at: Floats
    competing_at: Floats
    left_at: Floats
    event_known_at: Floats
    competing_known_at: Floats
    false_at: Floats
    false_known_at: Floats
    corrected_at: Floats

    def make_cohort(self) -> Cohort:
        """Return all participants followed to their end, as `compute_sizes` reads many trials."""
        entered_at, window_ends_at = self.entered_at[:, None, :], self.window_ends_at[:, None, :]
        left_at = self.left_at[:, None, :]
        return Cohort(
            (),
            entered_at,
            window_ends_at,
            np.minimum(window_ends_at, left_at),
            left_at < window_ends_at,
            float(self.window_ends_at.max()),
            0,
            0,
            None,
        )

    def select(self, part: npt.NDArray[np.bool_] | tuple[slice, slice]) -> "SimulatedTrials":
        """Return the trials, or participants, of *part*: an index of arrays of this shape."""
        return SimulatedTrials(*(getattr(self, name)[part] for name in self.__slots__))

    def list_reports(self) -> Floats:
        """Return every instant at which something became known, by trial, shape (trials, reports).

        In order; infinite places are at the end.
        """
        kinds = (
            self.event_known_at,
            self.competing_known_at,
            self.false_known_at,
            self.corrected_at,
        )
        reports = np.sort(np.concatenate(kinds, axis=1), axis=1)
        return np.asarray(reports[:, : int(np.isfinite(reports).sum(axis=1).max(initial=0))])

    def make_outcomes(self, known_at: Floats | None = None) -> Outcomes:
        """Return the outcomes as they were known at *known_at*, shape (trials,); None: in the end.

        In the end nothing that was corrected is left.
        """
        moment = (
            np.full((len(self.entered_at), 1), NEVER) if known_at is None else known_at[:, None]
        )
        event_at = np.where(self.event_known_at <= moment, self.event_at, NEVER)
        is_believed = (self.false_known_at <= moment) & (moment < self.corrected_at)
        event_at = np.minimum(event_at, np.where(is_believed, self.false_at, NEVER))
        competing_at = np.where(self.competing_known_at <= moment, self.competing_at, NEVER)
        closed_at = np.minimum(event_at, competing_at)
        event_at = np.where(competing_at < event_at, NEVER, event_at)
        return Outcomes(event_at[:, None, :], closed_at[:, None, :])


def make_trials(
    entered_at: Floats, window_ends_at: Floats, event_at: Floats, **instants: Floats
) -> SimulatedTrials:
    """Return trials in which an event is known at once, and nothing else happens but *instants*.

    Args:
        entered_at: Shape (trials, participants), by entry, in seconds.
        window_ends_at: Of the same shape.
        event_at: Of the same shape.
        instants: Other fields of `SimulatedTrials`.
    """
    never = np.full(entered_at.shape, NEVER)
    fields = {
        "competing_at": never,
        "left_at": never,
        "event_known_at": event_at,
        "competing_known_at": instants.get("competing_at", never),
        "false_at": never,
        "false_known_at": instants.get("false_at", never),
        "corrected_at": never,
    }
    return SimulatedTrials(entered_at, window_ends_at, event_at, **(fields | instants))
