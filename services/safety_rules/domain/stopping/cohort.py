"""The participants that a rule counts, as arrays in entry order."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from services.safety_rules.domain.stopping.families import Floats
from services.vocabulary.protocol import Policy, Rule
from services.vocabulary.standing import CountedEvent, Standing

DAY_S = 86_400.0
NEVER = np.inf


class EventKind(IntEnum):
    """The kinds of event that a count may be of."""

    LOWER = 0
    CONFIRMED = 1
    UPPER = 2


_COMPETING = len(EventKind)  # the row of competing events, after those of the kinds
_NO_EVENTS = (NEVER,) * (_COMPETING + 1)


def choose_event(standing: Standing, kind: EventKind) -> CountedEvent | None:
    """Return the event of *kind*: an upper end is never below its lower end."""
    if kind is EventKind.CONFIRMED:
        return standing.confirmed
    if kind is EventKind.LOWER or standing.upper is None:
        return standing.event
    is_lower_first = standing.event is not None and standing.event.at < standing.upper.at
    return standing.event if is_lower_first else standing.upper


def choose_event_kind(rule: Rule) -> EventKind:
    """Return the kind of event that is the operative count of *rule*."""
    if rule.status == "confirmed":
        return EventKind.CONFIRMED
    return EventKind.UPPER if rule.if_a_grade_is_incomplete == "highest" else EventKind.LOWER


def list_event_instants(standing: Standing) -> Sequence[float]:
    """Return the instant of the event of each kind, and of the competing event, in seconds."""
    if not (standing.event or standing.competing or standing.upper or standing.confirmed):
        return _NO_EVENTS
    events = [choose_event(standing, kind) for kind in EventKind]
    return [to_seconds(event.at if event else None) for event in [*events, standing.competing]]


def make_event_instants(members: Sequence[Standing]) -> Floats:
    """Return `list_event_instants` of each of *members*, shape (4, members)."""
    instants = np.array([list_event_instants(member) for member in members])
    return instants.reshape(-1, len(_NO_EVENTS)).T.copy()


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
        event_instants: Of each `EventKind`, and of competing events, shape (4, members); infinite
            when not by the data cut.
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
    event_instants: Floats = field(default_factory=lambda: make_event_instants(()))


@dataclass(frozen=True, slots=True)
class Outcomes:
    """The instants of each member's event and of its outcome, in seconds; infinite when never.

    *closed_at* is the earlier of the event and a competing one: from then on the member counts in
    full.
    """

    event_at: Floats
    closed_at: Floats

    def count_events(self) -> int:
        """Return the number of members with an event."""
        return int(np.count_nonzero(self.event_at < NEVER))

    def equals(self, other: "Outcomes") -> bool:
        """Return True when both are of the same instants."""
        return np.array_equal(self.event_at, other.event_at) and np.array_equal(
            self.closed_at, other.closed_at
        )


def find_outcomes(cohort: Cohort, kind: EventKind) -> Outcomes:
    """Return the outcome of each member by the data cut, for the events of *kind*."""
    event_at, competing_at = cohort.event_instants[kind], cohort.event_instants[_COMPETING]
    return Outcomes(
        event_at=np.where(event_at <= competing_at, event_at, NEVER),
        closed_at=np.minimum(event_at, competing_at),
    )


def apply_policy(cohort: Cohort, outcomes: Outcomes, policy: Policy) -> Outcomes:
    """Return the outcomes at the instants at which they count under *policy*.

    At once, but under ``complete`` when the window is over. To count events at once and the others
    when complete would be the naive count.
    """
    if policy != "complete":
        return outcomes
    return Outcomes(
        event_at=find_window_ends(cohort, outcomes.event_at),
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


def to_seconds(instant: datetime | None) -> float:
    """Return seconds since 1970; infinite for None."""
    return NEVER if instant is None else instant.timestamp()
