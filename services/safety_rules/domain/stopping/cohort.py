"""The participants that a rule counts, as arrays in entry order."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from operator import itemgetter

import numpy as np
import numpy.typing as npt

from services.safety_rules.domain.stopping.families import Floats
from services.safety_rules.domain.stopping.pending import weigh_follow_up
from services.vocabulary.protocol import Curve, Policy, Rule
from services.vocabulary.standing import CountedEvent, ObservedStanding, Standing

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
        followed_until: Until when follow-up counts: window end, last observed, frozen or data cut.
        is_frozen: Follow-up ended for good before the window did.
        as_of: The data cut.
        not_exposed: How many of the study are not counted.
        beyond_plan: How many were exposed after the first n.
        data_to: Last instant at which a member was observed; None without members.
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


@dataclass(frozen=True, slots=True)
class Outcomes:
    """When each member had the event or a competing one, in seconds; infinite when never.

    *closed_at* is the earlier of both: from then on the member counts in full.
    """

    counted_events: tuple[CountedEvent | None, ...]
    event_at: Floats
    closed_at: Floats


def select_cohort(rule: Rule, observed: Sequence[ObservedStanding], as_of: datetime) -> Cohort:
    """Return the first n that were exposed by *as_of*.

    Raises:
        ValueError: A standing is under another rule, or an exposed one has no end of window.
    """
    exposed: list[tuple[datetime, str, ObservedStanding]] = []
    for one in observed:
        standing = one.standing
        if standing.rule != rule.id:
            raise ValueError(f"a standing under {standing.rule} is none under {rule.id}")
        if standing.exposed_at is None or standing.exposed_at > as_of:
            continue
        if standing.window_ends_at is None:
            raise ValueError(f"an exposed standing under {rule.id} has no end of its window")
        exposed.append((standing.exposed_at, standing.participant, one))
    exposed.sort(key=itemgetter(0, 1))
    within = [one for *_, one in exposed[: rule.stop_when.n]]
    members = tuple(one.standing for one in within)
    cut = as_of.timestamp()
    entered = np.array([_seconds(member.exposed_at, cut) for member in members])
    ends = np.array([_seconds(member.window_ends_at, NEVER) for member in members])
    until = np.array([one.observed_until.timestamp() for one in within])
    froze = np.array([_seconds(member.frozen_at, cut) for member in members])
    return Cohort(
        members=members,
        entered_at=entered,
        window_ends_at=ends,
        followed_until=np.minimum(np.minimum(ends, until), np.minimum(froze, cut)),
        is_frozen=froze < ends,
        as_of=cut,
        not_exposed=len(observed) - len(exposed),
        beyond_plan=len(exposed) - len(within),
        data_to=min(max(one.observed_until for one in within), as_of) if within else None,
    )


def find_outcomes(of: Cohort, chosen: ChooseEvent) -> Outcomes:
    """Return what happened to each member by the data cut, of the *chosen* events."""
    counted = [*map(chosen, of.members)]
    event_at, other_at = np.full(len(counted), NEVER), np.full(len(counted), NEVER)
    for k, (event, member) in enumerate(zip(counted, of.members, strict=True)):
        if event is not None:
            event_at[k] = _seconds(event.at, of.as_of)
        if member.competing is not None:
            other_at[k] = _seconds(member.competing.at, of.as_of)
    closed = np.minimum(event_at, other_at)
    event_at[other_at < event_at] = NEVER
    for k in np.flatnonzero(event_at == NEVER).tolist():
        counted[k] = None
    return Outcomes(counted_events=tuple(counted), event_at=event_at, closed_at=closed)


def apply_policy(of: Cohort, happened: Outcomes, policy: Policy) -> Outcomes:
    """Return when the outcomes count: at once, but under ``complete`` when the window is over.

    To count events at once and the others when complete would be the naive count.
    """
    if policy != "complete":
        return happened
    event = find_window_ends(of, happened.event_at)
    return Outcomes(
        counted_events=tuple(
            one if at < NEVER else None
            for one, at in zip(happened.counted_events, event.tolist(), strict=True)
        ),
        event_at=event,
        closed_at=find_window_ends(of, happened.closed_at),
    )


def find_window_ends(of: Cohort, at: Floats) -> Floats:
    """Return the end of the window of each of those instants that are, if it has come."""
    return np.where(np.isfinite(at) & (of.window_ends_at <= of.as_of), of.window_ends_at, NEVER)


def compute_sizes(
    of: Cohort, happened: Outcomes, policy: Policy, curve: Curve, at: Floats
) -> Floats:
    """Return the effective sample size at each of the instants *at*, in seconds; see `worth`."""
    return np.asarray(compute_weights(of, happened, policy, curve, at).sum(axis=-1))


def compute_weights(
    of: Cohort, happened: Outcomes, policy: Policy, curve: Curve, at: Floats
) -> Floats:
    """Return what each member counts for at each of *at*, from 0 to 1, shape (k, members).

    Of many trials at once: *at* of shape (trials, k), the arrays of cohort and outcomes of shape
    (trials, 1, members), the result of shape (trials, k, members).
    """
    now = at[..., None]
    days = (np.minimum(now, of.followed_until) - of.entered_at) / DAY_S
    open_weight = weigh_follow_up(
        policy, curve, np.maximum(days, 0.0), (of.window_ends_at - of.entered_at) / DAY_S
    )
    weight = np.where(happened.closed_at <= now, 1.0, open_weight)
    return np.where(of.entered_at <= now, weight, 0.0)


def to_instant(seconds: float) -> datetime:
    """Return the instant, in UTC."""
    return datetime.fromtimestamp(seconds, UTC)


def _seconds(at: datetime | None, cut: float) -> float:
    """Seconds since 1970; infinite for what has not happened by the cut."""
    seconds = at.timestamp() if at is not None else NEVER
    return seconds if seconds <= cut else NEVER
