"""What a stopping rule says at a data cut."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

import numpy as np

from services.safety_rules.domain.stopping.cohort import (
    Cohort,
    Outcomes,
    apply_policy,
    compute_sizes,
    find_outcomes,
    select_cohort,
)
from services.safety_rules.domain.stopping.path import (
    SignedLimits,
    list_path_points,
    path_crosses,
    read_limits,
)
from services.safety_rules.domain.stopping.pending import SLACK, find_table_row
from services.safety_rules.domain.stopping.pending_outcome import (
    PendingOutcome,
    find_pending_outcome,
)
from services.safety_rules.domain.stopping.sensitivity import compare_countings
from services.vocabulary.decision import Contributor, Decision, Signal
from services.vocabulary.fact import Answer, Determination
from services.vocabulary.protocol import Protocol, Rule
from services.vocabulary.standing import CountedEvent, ObservedStanding, Standing


def decide_rule(
    protocol: Protocol,
    rule: Rule,
    observed: Sequence[ObservedStanding],
    as_of: datetime,
    determination: Determination | None = None,
    *,
    data_cut: Mapping[str, int] | None = None,
) -> Decision:
    """Return what *rule* says of what was known at *as_of*.

    Args:
        protocol: That the rule belongs to.
        rule: Without a fault (see `rule_faults`).
        observed: Every participant of the study, in any order, with the standing under this rule.
        as_of: The data cut, aware; what is dated later has not happened yet.
        determination: The DSMB's last answer to this rule.
        data_cut: Kept with the decision as it is.

    Raises:
        ValueError: A standing is under another rule, or an exposed one has no end of window.
    """
    of, limit = select_cohort(rule, observed, as_of), read_limits(rule)
    happened = find_outcomes(of, choose_operative_event(rule))
    counted = apply_policy(of, happened, rule.policy)
    points = list_path_points(of, counted, rule.policy, rule.curve, limit)
    since = next((point.at for point in points if point.crossed), None)
    ahead = find_pending_outcome(rule, of, happened, limit, crossed=since is not None)
    operatively = (happened, since is not None)
    confirmed, upper = find_outcomes(of, _confirmed), find_outcomes(of, _upper)
    events, x = _count(counted), find_table_row(ahead.size)
    contributors = _contributors(of, counted)
    return Decision(
        study=protocol.study,
        rule=rule.id,
        title=rule.title,
        signal=_signal(rule, ahead, crossed=since is not None),
        data_to=of.data_to,
        as_of=as_of,
        events=events,
        confirmed=_count(confirmed),
        upper=_count(upper),
        evaluable=len(of.members),
        not_exposed=of.not_exposed,
        beyond_plan=of.beyond_plan,
        complete=ahead.complete,
        pending=len(ahead.weights),
        ess=ahead.size,
        boundary=limit.find_boundary(x),
        events_left=0 if since else max(limit.find_boundary(x) - events, 0),
        free_until_rise=_free_until_rise(limit, x),
        crossed_since=since,
        certain=ahead.certain,
        possible=ahead.possible,
        p_cross_p0=ahead.p_cross_p0,
        p_cross_posterior=ahead.p_cross_posterior,
        predictive=ahead.predictive,
        posterior=ahead.rate,
        confirmed_crossed=_crossed(rule, of, confirmed, limit, known=operatively),
        upper_crossed=_crossed(rule, of, upper, limit, known=operatively),
        path=points,
        pending_weights=ahead.weights,
        sensitivity=tuple(compare_countings(rule, of, happened, limit)),
        contributors=contributors,
        steps=rule.stop_when.boundary,
        n=rule.stop_when.n,
        recommend=rule.then.recommend,
        tell=rule.then.tell,
        acknowledge_within_s=round(rule.then.acknowledge_within.total_seconds()),
        protocol=protocol.label,
        watch_only=rule.watch_only,
        determination=determination.answer.value if determination else "",
        silenced_at_events=_silenced(determination, events, contributors),
        cut=data_cut,
        in_words=rule.in_words,
        conditional_p0=ahead.conditional_p0,
        looks=rule.looks,
    )


def find_crossing_date(
    rule: Rule, observed: Sequence[ObservedStanding], as_of: datetime
) -> datetime | None:
    """Return since which event date *rule* is at its boundary, as `decide` says; None: it is not.

    Raises:
        ValueError: A standing is under another rule, or an exposed one has no end of window.
    """
    of = select_cohort(rule, observed, as_of)
    counted = apply_policy(of, find_outcomes(of, choose_operative_event(rule)), rule.policy)
    points = list_path_points(of, counted, rule.policy, rule.curve, read_limits(rule))
    return next((point.at for point in points if point.crossed), None)


def count_looks_reached(rule: Rule, observed: Sequence[ObservedStanding], as_of: datetime) -> int:
    """Return how many of the rule's grouped looks the effective size has reached.

    Raises:
        ValueError: A standing is under another rule, or an exposed one has no end of window.
    """
    of = select_cohort(rule, observed, as_of)
    counted = apply_policy(of, find_outcomes(of, choose_operative_event(rule)), rule.policy)
    size = compute_sizes(of, counted, rule.policy, rule.curve, np.array([of.as_of]))[0]
    return sum(bool(size >= look - SLACK) for look in rule.looks)


def choose_operative_event(rule: Rule) -> Callable[[Standing], CountedEvent | None]:
    """Return which event of a standing counts in the rule's operative number."""
    if rule.status == "confirmed":
        return _confirmed
    return _upper if rule.if_a_grade_is_incomplete == "highest" else _lower


def _lower(standing: Standing) -> CountedEvent | None:
    return standing.event


def _confirmed(standing: Standing) -> CountedEvent | None:
    return standing.confirmed


def _upper(standing: Standing) -> CountedEvent | None:
    """The earlier of both: an upper end is never below its lower end."""
    if standing.upper is None or standing.event is None:
        return standing.upper or standing.event
    return standing.event if standing.event.at < standing.upper.at else standing.upper


def _count(happened: Outcomes) -> int:
    return int(np.isfinite(happened.event_at).sum())


def _crossed(
    rule: Rule, of: Cohort, happened: Outcomes, limit: SignedLimits, *, known: tuple[Outcomes, bool]
) -> bool:
    """Whether these outcomes cross; *known* are others of which that is known, often the same."""
    other, crossed = known
    if np.array_equal(other.event_at, happened.event_at) and np.array_equal(
        other.closed_at, happened.closed_at
    ):
        return crossed
    counted = apply_policy(of, happened, rule.policy)
    return path_crosses(of, counted, rule.policy, rule.curve, limit)


def _signal(rule: Rule, ahead: PendingOutcome, *, crossed: bool) -> Signal:
    if crossed:
        return Signal.BOUNDARY_REACHED
    likely = ahead.p_cross_p0 >= rule.warn_at
    return Signal.BOUNDARY_LIKELY if likely else Signal.CONTINUE


def _free_until_rise(limit: SignedLimits, x: int) -> int | None:
    now = limit.find_boundary(x)
    return next(
        (k - x for k in range(x + 1, len(limit.table)) if limit.find_boundary(k) > now), None
    )


def _silenced(
    determination: Determination | None, events: int, contributors: Sequence[Contributor]
) -> int | None:
    """After *continue* the rule is silent until an event counts that the DSMB did not know of."""
    if determination is None or determination.answer is not Answer.CONTINUE:
        return None
    known = determination.participants
    is_new = bool(known) and any(one.participant not in known for one in contributors)
    return determination.events if events <= determination.events and not is_new else None


def _contributors(of: Cohort, happened: Outcomes) -> tuple[Contributor, ...]:
    """The events by date; days are known of the event at lower grades."""
    found = [
        (event, member)
        for event, member in zip(happened.counted_events, of.members, strict=True)
        if event is not None
    ]
    found.sort(key=lambda pair: (pair[0].at, pair[1].participant))
    return tuple(
        Contributor(
            participant=member.participant,
            grade=event.grade,
            confirmed=event.confirmed,
            transplant_day=member.transplant_day if _same(event, member) else None,
            treatment_day=member.treatment_day if _same(event, member) else None,
        )
        for event, member in found
    )


def _same(event: CountedEvent, member: Standing) -> bool:
    return member.event is not None and member.event.at == event.at
