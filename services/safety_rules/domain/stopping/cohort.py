"""The participants that a rule counts, as arrays in entry order."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt

from services.safety_rules.domain.stopping.families import Floats
from services.vocabulary.protocol import Policy
from services.vocabulary.standing import CountedEvent, Standing

DAY_S = 86_400.0
NEVER = np.inf

ChooseEvent = Callable[[Standing], CountedEvent | None]


@dataclass(frozen=True, slots=True)
class Cohort:
    """Exposed participants within the plan; arrays are of one length, in seconds since 1970.

    Args:
        members: By first infusion, then pseudonym.
        entered_at: First infusion.
        window_ends_at: End of the window.
        followed_until: The end of follow-up: window end, last observed, frozen or data cut.
        is_frozen: Follow-up ended for good before the window did.
        as_of: The data cut.
        not_exposed: The number of participants who are not counted; merged ones are one.
        beyond_plan: The number exposed after the first n.
        data_to: Last instant at which a member was observed; None without members.
        event_rows: Places in *members* of those of whom an event of any kind is known.
    """

    members: tuple[Standing, ...]
    entered_at: Floats
    window_ends_at: Floats
    followed_until: Floats
    is_frozen: npt.NDArray[np.bool_]
    as_of: float
    not_exposed: int
    beyond_plan: int
    data_to: datetime | None
    event_rows: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Outcomes:
    """The instants of each member's event and of its outcome, in seconds; infinite when never.

    *closed_at* is the earlier of the event and a competing one: from then on the member counts in
    full.
    """

    counted_events: tuple[CountedEvent | None, ...]
    event_at: Floats
    closed_at: Floats


def find_outcomes(cohort: Cohort, choose_event: ChooseEvent) -> Outcomes:
    """Return the outcome of each member by the data cut, for the events of *choose_event*."""
    counted_events: list[CountedEvent | None] = [None] * len(cohort.members)
    event_at = np.full(len(counted_events), NEVER)
    closed_at = event_at.copy()
    for k in cohort.event_rows:
        member = cohort.members[k]
        event = choose_event(member)
        moment = _to_seconds(event.at, cohort.as_of) if event else NEVER
        competing_at = _to_seconds(member.competing.at, cohort.as_of) if member.competing else NEVER
        closed_at[k] = min(moment, competing_at)
        if moment < NEVER and moment <= competing_at:
            counted_events[k], event_at[k] = event, moment
    return Outcomes(counted_events=tuple(counted_events), event_at=event_at, closed_at=closed_at)


def apply_policy(cohort: Cohort, outcomes: Outcomes, policy: Policy) -> Outcomes:
    """Return the outcomes at the instants at which they count under *policy*.

    At once, but under ``complete`` when the window is over. To count events at once and the others
    when complete would be the naive count.
    """
    if policy != "complete":
        return outcomes
    event_at = find_window_ends(cohort, outcomes.event_at)
    counted_events: list[CountedEvent | None] = [None] * len(outcomes.counted_events)
    for k in np.flatnonzero(event_at < NEVER).tolist():
        counted_events[k] = outcomes.counted_events[k]
    return Outcomes(
        counted_events=tuple(counted_events),
        event_at=event_at,
        closed_at=find_window_ends(cohort, outcomes.closed_at),
    )


def find_window_ends(cohort: Cohort, instants: Floats) -> Floats:
    """Return the ended window of each finite instant; infinite when it has not ended."""
    return np.where(
        np.isfinite(instants) & (cohort.window_ends_at <= cohort.as_of),
        cohort.window_ends_at,
        NEVER,
    )


def to_instant(seconds: float) -> datetime:
    """Return the UTC instant of *seconds* since 1970."""
    return datetime.fromtimestamp(seconds, UTC)


def _to_seconds(instant: datetime | None, data_cut: float) -> float:
    """Return seconds since 1970; infinite for an instant after the data cut."""
    seconds = instant.timestamp() if instant is not None else NEVER
    return seconds if seconds <= data_cut else NEVER
