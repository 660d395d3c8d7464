"""The follow-up of a cohort at some instants: who counts in full, and who is still at risk."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from services.safety_rules.domain.stopping.cohort import DAY_S, Cohort, Outcomes
from services.safety_rules.domain.stopping.families import Floats
from services.safety_rules.domain.stopping.pending import weigh_follow_up
from services.safety_rules.domain.stopping.person_time import measure_person_time
from services.vocabulary.protocol import Curve, Policy


@dataclass(frozen=True)
class FollowUp:
    """Members that have entered or count in full at each instant; the follow-up of the others.

    Args:
        cohort: With arrays of shape (..., members).
        outcomes: Of the same shape.
        instants: In seconds, shape (..., instants).
        has_entered: Shape (..., instants, members).
        is_whole: True from the outcome or the end of the window on; of the same shape.
    """

    cohort: Cohort
    outcomes: Outcomes
    instants: Floats
    has_entered: npt.NDArray[np.bool_]
    is_whole: npt.NDArray[np.bool_]

    @cached_property
    def is_at_risk(self) -> npt.NDArray[np.bool_]:
        """Entered, and not whole."""
        return np.asarray(self.has_entered & ~self.is_whole)

    @cached_property
    def days_at_risk(self) -> tuple[Floats, Floats]:
        """Days since entry, and length of the window, of each True of *is_at_risk* in turn."""
        entered_at, at_risk = self.cohort.entered_at, self.is_at_risk
        followed_until = np.minimum(self.instants[..., None], self.cohort.followed_until)
        days = (followed_until - entered_at)[at_risk] / DAY_S
        window_days = (self.cohort.window_ends_at - entered_at) / DAY_S
        return np.maximum(days, 0.0), (at_risk * window_days)[at_risk]

    def weigh(self, policy: Policy, curve: Curve) -> Floats:
        """Return the weight of each member at each instant, from 0 to 1."""
        if policy == "everyone_treated":
            return self.has_entered.astype(np.float64)
        weights = (self.is_whole & self.has_entered).astype(np.float64)
        if policy != "complete":
            weights[self.is_at_risk] = weigh_follow_up(policy, curve, *self.days_at_risk)
        return weights


def measure_follow_up(cohort: Cohort, outcomes: Outcomes, instants: Floats) -> FollowUp:
    """Return the follow-up at *instants*, in seconds.

    Of many trials at once: *instants* of shape (trials, k), the arrays of cohort and outcomes of
    shape (trials, 1, members).
    """
    is_followed = cohort.followed_until >= cohort.window_ends_at
    whole_at = np.where(
        is_followed, np.minimum(outcomes.closed_at, cohort.window_ends_at), outcomes.closed_at
    )
    instants_by_member = instants[..., None]
    return FollowUp(
        cohort,
        outcomes,
        instants,
        cohort.entered_at <= instants_by_member,
        whole_at <= instants_by_member,
    )


def compute_sizes(
    cohort: Cohort, outcomes: Outcomes, policy: Policy, curve: Curve, instants: Floats
) -> Floats:
    """Return the effective sample size at each of *instants*, in seconds; see `compute_weights`."""
    return np.asarray(compute_weights(cohort, outcomes, policy, curve, instants).sum(axis=-1))


def compute_weights(
    cohort: Cohort, outcomes: Outcomes, policy: Policy, curve: Curve, instants: Floats
) -> Floats:
    """Return the weight of each member at each of *instants*, from 0 to 1, shape (k, members).

    Under ``person_time`` it is the person-time of each until the outcome, in the curve's unit. For
    many trials at once see `measure_follow_up`; the result is of shape (trials, k, members).
    """
    if policy != "person_time":
        return measure_follow_up(cohort, outcomes, instants).weigh(policy, curve)
    ends_at = np.where(np.isfinite(outcomes.closed_at), outcomes.closed_at, cohort.followed_until)
    days = (np.minimum(instants[..., None], ends_at) - cohort.entered_at) / DAY_S
    return measure_person_time(curve, np.maximum(days, 0.0))
