"""The participants that a rule counts, as arrays in entry order."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from operator import itemgetter

import numpy as np
import numpy.typing as npt

from services.safety_rules.domain.stopping.families import Floats
from services.safety_rules.domain.stopping.pending import weigh_follow_up
from services.safety_rules.domain.stopping.person_time import measure_person_time
from services.vocabulary.protocol import Curve, Policy, Rule
from services.vocabulary.standing import CountedEvent, ObservedStanding, Standing

DAY_S = 86_400.0
NEVER = np.inf
_MOMENT = timedelta(seconds=1)

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
    """The instants of each member's event and of its outcome, in seconds; infinite when never.

    *closed_at* is the earlier of the event and a competing one: from then on the member counts in
    full.
    """

    counted_events: tuple[CountedEvent | None, ...]
    event_at: Floats
    closed_at: Floats


def select_cohort(rule: Rule, observed: Sequence[ObservedStanding], as_of: datetime) -> Cohort:
    """Return the first n that were exposed by *as_of*.

    Raises:
        ValueError: A standing is under another rule, or an exposed one has no end of window.
    """
    exposed_standings: list[tuple[datetime, str, ObservedStanding]] = []
    participants = [one for one in observed if not one.standing.merged_into]
    for observed_standing in participants:
        standing = observed_standing.standing
        if standing.rule != rule.id:
            raise ValueError(f"a standing under {standing.rule} is none under {rule.id}")
        if standing.exposed_at is None or standing.exposed_at > as_of:
            continue
        if standing.window_ends_at is None:
            raise ValueError(f"an exposed standing under {rule.id} has no end of its window")
        exposed_standings.append((standing.exposed_at, standing.participant, observed_standing))
    exposed_standings.sort(key=itemgetter(0, 1))
    counted_standings = [one for *_, one in exposed_standings[: rule.stop_when.n]]
    members = tuple(one.standing for one in counted_standings)
    data_cut = as_of.timestamp()
    entered_at = np.array([_to_seconds(member.exposed_at, data_cut) for member in members])
    window_ends_at = np.array([_to_seconds(member.window_ends_at, NEVER) for member in members])
    observed_until = np.array([one.observed_until.timestamp() for one in counted_standings])
    frozen_at = np.array([_to_seconds(member.frozen_at, data_cut) for member in members])
    return Cohort(
        members=members,
        entered_at=entered_at,
        window_ends_at=window_ends_at,
        followed_until=np.minimum(
            np.minimum(window_ends_at, observed_until), np.minimum(frozen_at, data_cut)
        ),
        is_frozen=frozen_at < window_ends_at,
        as_of=data_cut,
        not_exposed=len(participants) - len(exposed_standings),
        beyond_plan=len(exposed_standings) - len(counted_standings),
        data_to=min(max(one.observed_until for one in counted_standings), as_of)
        if counted_standings
        else None,
    )


def list_uncountable(observed: Iterable[ObservedStanding], as_of: datetime) -> list[Standing]:
    """Return the standings of treated participants who cannot be counted, by pseudonym.

    An event after *as_of* has not happened yet.
    """
    standings = [one.standing for one in observed if one.standing.missing_anchor]
    return [
        one if one.upper is not None and one.upper.at <= as_of else replace(one, upper=None)
        for one in sorted(standings, key=lambda one: one.participant)
    ]


def add_possible_events(
    observed: Sequence[ObservedStanding], as_of: datetime
) -> Sequence[ObservedStanding]:
    """Return *observed*, with each participant who cannot be counted and may have an event.

    That one counts in full from the event on; the same sequence when there is none.
    """
    possible_events = {
        one.participant: one.upper.at for one in list_uncountable(observed, as_of) if one.upper
    }
    if not possible_events:
        return observed
    return [_count_from(one, possible_events.get(one.standing.participant)) for one in observed]


def _count_from(observed: ObservedStanding, event_at: datetime | None) -> ObservedStanding:
    if event_at is None:
        return observed
    standing = replace(observed.standing, exposed_at=event_at, window_ends_at=event_at + _MOMENT)
    return replace(observed, standing=standing)


def find_outcomes(cohort: Cohort, choose_event: ChooseEvent) -> Outcomes:
    """Return the outcome of each member by the data cut, for the events of *choose_event*."""
    counted_events = [*map(choose_event, cohort.members)]
    event_at, competing_at = (
        np.full(len(counted_events), NEVER),
        np.full(len(counted_events), NEVER),
    )
    for k, (event, member) in enumerate(zip(counted_events, cohort.members, strict=True)):
        if event is not None:
            event_at[k] = _to_seconds(event.at, cohort.as_of)
        if member.competing is not None:
            competing_at[k] = _to_seconds(member.competing.at, cohort.as_of)
    closed_at = np.minimum(event_at, competing_at)
    event_at[competing_at < event_at] = NEVER
    for k in np.flatnonzero(event_at == NEVER).tolist():
        counted_events[k] = None
    return Outcomes(counted_events=tuple(counted_events), event_at=event_at, closed_at=closed_at)


def apply_policy(cohort: Cohort, outcomes: Outcomes, policy: Policy) -> Outcomes:
    """Return the outcomes at the instants at which they count under *policy*.

    At once, but under ``complete`` when the window is over. To count events at once and the others
    when complete would be the naive count.
    """
    if policy != "complete":
        return outcomes
    event_at = find_window_ends(cohort, outcomes.event_at)
    return Outcomes(
        counted_events=tuple(
            one if at < NEVER else None
            for one, at in zip(outcomes.counted_events, event_at.tolist(), strict=True)
        ),
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


def compute_sizes(
    cohort: Cohort, outcomes: Outcomes, policy: Policy, curve: Curve, instants: Floats
) -> Floats:
    """Return the effective sample size at each of *instants*, in seconds; see `compute_weights`."""
    return np.asarray(compute_weights(cohort, outcomes, policy, curve, instants).sum(axis=-1))


def compute_weights(
    cohort: Cohort, outcomes: Outcomes, policy: Policy, curve: Curve, instants: Floats
) -> Floats:
    """Return the weight of each member at each of *instants*, from 0 to 1, shape (k, members).

    Under ``person_time`` it is the person-time of each until the outcome, in the curve's unit. Of
    many trials at once: *instants* of shape (trials, k), the arrays of cohort and outcomes of shape
    (trials, 1, members), the result of shape (trials, k, members).
    """
    instants_by_member = instants[..., None]
    if policy == "person_time":
        ends_at = np.where(
            np.isfinite(outcomes.closed_at), outcomes.closed_at, cohort.followed_until
        )
        days = (np.minimum(instants_by_member, ends_at) - cohort.entered_at) / DAY_S
        return measure_person_time(curve, np.maximum(days, 0.0))
    followed_days = (
        np.minimum(instants_by_member, cohort.followed_until) - cohort.entered_at
    ) / DAY_S
    open_weight = weigh_follow_up(
        policy,
        curve,
        np.maximum(followed_days, 0.0),
        (cohort.window_ends_at - cohort.entered_at) / DAY_S,
    )
    weight = np.where(outcomes.closed_at <= instants_by_member, 1.0, open_weight)
    return np.where(cohort.entered_at <= instants_by_member, weight, 0.0)


def to_instant(seconds: float) -> datetime:
    """Return the UTC instant of *seconds* since 1970."""
    return datetime.fromtimestamp(seconds, UTC)


def _to_seconds(instant: datetime | None, data_cut: float) -> float:
    """Return seconds since 1970; infinite for an instant after the data cut."""
    seconds = instant.timestamp() if instant is not None else NEVER
    return seconds if seconds <= data_cut else NEVER
