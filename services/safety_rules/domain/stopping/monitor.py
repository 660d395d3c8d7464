"""The decision of a stopping rule at a data cut."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import numpy as np

from services.safety_rules.domain.stopping.cohort import (
    Cohort,
    EventKind,
    Outcomes,
    apply_policy,
    find_outcomes,
    list_counted_events,
)
from services.safety_rules.domain.stopping.follow_up import compute_sizes
from services.safety_rules.domain.stopping.path import (
    Limits,
    RulePath,
    SignedLimits,
    list_path_points,
    make_points,
    make_timeline,
    path_crosses,
    read_limits,
    trace_path,
)
from services.safety_rules.domain.stopping.pending_outcome import (
    PendingOutcome,
    find_pending_outcome,
)
from services.safety_rules.domain.stopping.person_time_outcome import find_person_time_outcome
from services.safety_rules.domain.stopping.rule_standings import RuleStandings
from services.safety_rules.domain.stopping.sensitivity import compare_countings
from services.vocabulary.decision import Contributor, Decision, Signal, Uncountable
from services.vocabulary.judgement import Answer, Determination
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
    """Return the decision of *rule* at the data cut *as_of*.

    Args:
        protocol: That the rule belongs to.
        rule: Without a fault (see `find_rule_faults`).
        observed: Every participant of the study, in any order, with the standing under this rule.
        as_of: The data cut, aware; later events have not happened yet.
        determination: The DSMB's last answer to this rule.
        data_cut: Kept with the decision as it is.

    Raises:
        ValueError: A standing is under another rule, or an exposed one has no end of window.
    """
    standings = RuleStandings(rule, observed)
    return decide_standings(protocol, rule, standings, as_of, determination, data_cut=data_cut)


def decide_standings(
    protocol: Protocol,
    rule: Rule,
    standings: RuleStandings,
    as_of: datetime,
    determination: Determination | None = None,
    *,
    data_cut: Mapping[str, int] | None = None,
) -> Decision:
    """Return `decide_rule` of *standings*, which are kept from one look to the next."""
    cohort, limit = standings.select_cohort(as_of), read_limits(rule)
    kind = choose_event_kind(rule)
    outcomes = find_outcomes(cohort, kind)
    counted_outcomes = apply_policy(cohort, outcomes, rule.policy)
    timeline = make_timeline(cohort, outcomes)
    rule_path = trace_path(
        timeline if counted_outcomes is outcomes else make_timeline(cohort, counted_outcomes),
        rule.policy,
        rule.curve,
    )
    points = make_points(rule_path, rule.policy, rule.curve, limit)
    crossed_at = next((point.at for point in points if point.crossed), None)
    pending_outcome = _find_outcome(
        rule, outcomes, rule_path, limit, is_crossed=crossed_at is not None
    )
    operative_crossing = (cohort, outcomes, crossed_at is not None)
    confirmed = find_outcomes(cohort, EventKind.CONFIRMED)
    possible = standings.add_possible_events(as_of)
    upper_cohort = cohort if possible is standings else possible.select_cohort(as_of)
    upper = find_outcomes(upper_cohort, EventKind.UPPER)
    events, boundary = (
        _count_events(counted_outcomes),
        limit.find_boundary_at(pending_outcome.size),
    )
    contributors = _list_contributors(cohort, counted_outcomes, kind)
    return Decision(
        study=protocol.study,
        rule=rule.id,
        title=rule.title,
        signal=_choose_signal(rule, pending_outcome, is_crossed=crossed_at is not None),
        data_to=cohort.data_to,
        as_of=as_of,
        events=events,
        confirmed=_count_events(confirmed),
        upper=_count_events(upper),
        evaluable=len(cohort.members),
        not_exposed=cohort.not_exposed,
        beyond_plan=cohort.beyond_plan,
        complete=pending_outcome.complete,
        pending=len(pending_outcome.weights),
        ess=pending_outcome.size,
        boundary=boundary,
        events_left=0 if crossed_at else max(boundary - events, 0),
        free_until_rise=limit.count_free_until_rise(pending_outcome.size),
        crossed_since=crossed_at,
        certain=pending_outcome.certain,
        possible=pending_outcome.possible,
        p_cross_p0=pending_outcome.p_cross_p0,
        p_cross_posterior=pending_outcome.p_cross_posterior,
        predictive=pending_outcome.predictive,
        posterior=pending_outcome.rate,
        confirmed_crossed=_is_crossed(
            rule, cohort, confirmed, limit, compared_crossing=operative_crossing
        ),
        upper_crossed=_is_crossed(
            rule, upper_cohort, upper, limit, compared_crossing=operative_crossing
        ),
        path=points,
        pending_weights=pending_outcome.weights,
        sensitivity=tuple(compare_countings(rule, timeline, limit)),
        contributors=contributors,
        steps=rule.stop_when.boundary,
        n=rule.stop_when.n,
        recommend=rule.consequence.recommend,
        tell=rule.consequence.tell,
        acknowledge_within_s=round(rule.consequence.acknowledge_within.total_seconds()),
        protocol=protocol.label,
        watch_only=rule.watch_only,
        determination=determination.answer.value if determination else "",
        silenced_at_events=_find_silenced_at(determination, events, contributors),
        cut=data_cut,
        in_words=rule.in_words,
        conditional_p0=pending_outcome.conditional_p0,
        looks=rule.looks,
        person_time=rule.stop_when.person_time,
        events_left_from_new=0
        if crossed_at
        else limit.count_events_from_new(
            pending_outcome.size, events, rule.stop_when.n - len(cohort.members)
        ),
        prior=pending_outcome.prior,
        method=rule.stop_when.method,
        p0=rule.stop_when.p0,
        alpha=rule.stop_when.alpha,
        uncountable=tuple(
            Uncountable(one.participant, one.missing_anchor, one.upper is not None)
            for one in standings.list_uncountable(as_of)
        ),
    )


def find_crossing_date(
    rule: Rule, observed: Sequence[ObservedStanding], as_of: datetime
) -> datetime | None:
    """Return the event date from which *rule* is at its boundary; None: it is not.

    Raises:
        ValueError: A standing is under another rule, or an exposed one has no end of window.
    """
    cohort = RuleStandings(rule, observed).select_cohort(as_of)
    counted_outcomes = apply_policy(
        cohort, find_outcomes(cohort, choose_event_kind(rule)), rule.policy
    )
    points = list_path_points(cohort, counted_outcomes, rule.policy, rule.curve, read_limits(rule))
    return next((point.at for point in points if point.crossed), None)


def count_looks_reached(rule: Rule, observed: Sequence[ObservedStanding], as_of: datetime) -> int:
    """Return the number of the rule's grouped looks that the effective size has reached.

    Raises:
        ValueError: A standing is under another rule, or an exposed one has no end of window.
    """
    cohort = RuleStandings(rule, observed).select_cohort(as_of)
    counted_outcomes = apply_policy(
        cohort, find_outcomes(cohort, choose_event_kind(rule)), rule.policy
    )
    size = compute_sizes(
        cohort, counted_outcomes, rule.policy, rule.curve, np.array([cohort.as_of])
    )[0]
    limit = read_limits(rule)
    return sum(bool(size >= look - limit.slack) for look in limit.compared_sizes)


def choose_event_kind(rule: Rule) -> EventKind:
    """Return the kind of event that is the operative count."""
    if rule.status == "confirmed":
        return EventKind.CONFIRMED
    return EventKind.UPPER if rule.if_a_grade_is_incomplete == "highest" else EventKind.LOWER


def _count_events(outcomes: Outcomes) -> int:
    return int(np.isfinite(outcomes.event_at).sum())


def _find_outcome(
    rule: Rule, outcomes: Outcomes, rule_path: RulePath, limit: Limits, *, is_crossed: bool
) -> PendingOutcome:
    if isinstance(limit, SignedLimits):
        return find_pending_outcome(rule, outcomes, rule_path, limit, is_crossed=is_crossed)
    cohort = rule_path.timeline.cohort
    return find_person_time_outcome(rule, cohort, outcomes, limit, is_crossed=is_crossed)


def _is_crossed(
    rule: Rule,
    cohort: Cohort,
    outcomes: Outcomes,
    limit: Limits,
    *,
    compared_crossing: tuple[Cohort, Outcomes, bool],
) -> bool:
    """Return True when *outcomes* cross; *compared_crossing* has often the same outcomes."""
    compared_cohort, compared_outcomes, is_crossed = compared_crossing
    if cohort is compared_cohort and outcomes.equals(compared_outcomes):
        return is_crossed
    timeline = make_timeline(cohort, apply_policy(cohort, outcomes, rule.policy))
    rule_path = trace_path(timeline, rule.policy, rule.curve)
    return path_crosses(rule_path, rule.policy, rule.curve, limit)


def _choose_signal(rule: Rule, pending_outcome: PendingOutcome, *, is_crossed: bool) -> Signal:
    if is_crossed:
        return Signal.BOUNDARY_REACHED
    likely = pending_outcome.p_cross_p0 >= rule.warn_at
    return Signal.BOUNDARY_LIKELY if likely else Signal.CONTINUE


def _find_silenced_at(
    determination: Determination | None, events: int, contributors: Sequence[Contributor]
) -> int | None:
    """Return the number of events up to which *continue* silences the rule; None: it is not silent.

    It is silent until an event counts that the DSMB did not know of.
    """
    if determination is None or determination.answer is not Answer.CONTINUE:
        return None
    known_participants = determination.participants
    is_new = bool(known_participants) and any(
        one.participant not in known_participants for one in contributors
    )
    return determination.events if events <= determination.events and not is_new else None


def _list_contributors(
    cohort: Cohort, outcomes: Outcomes, kind: EventKind
) -> tuple[Contributor, ...]:
    """Return the events by date; days are known of the event at lower grades."""
    counted_events = sorted(
        list_counted_events(cohort, outcomes, kind),
        key=lambda pair: (pair[0].at, pair[1].participant),
    )
    return tuple(_make_contributor(*pair) for pair in counted_events)


def _make_contributor(event: CountedEvent, member: Standing) -> Contributor:
    has_days = member.event is not None and member.event.at == event.at
    return Contributor(
        participant=member.participant,
        grade=event.grade,
        confirmed=event.confirmed,
        transplant_day=member.transplant_day if has_days else None,
        treatment_day=member.treatment_day if has_days else None,
    )
