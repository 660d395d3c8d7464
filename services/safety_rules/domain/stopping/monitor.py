"""The decision of a stopping rule at a data cut."""

from collections.abc import Sequence
from datetime import datetime

import numpy as np

from services.safety_rules.domain.stopping.cohort import (
    Outcomes,
    apply_policy,
    choose_event_kind,
    find_outcomes,
)
from services.safety_rules.domain.stopping.follow_up import (
    FollowUp,
    compute_sizes,
    measure_follow_up,
)
from services.safety_rules.domain.stopping.path import (
    Limits,
    SignedLimits,
    list_path_points,
    read_limits,
)
from services.safety_rules.domain.stopping.pending_outcome import (
    PendingOutcome,
    find_pending_outcome,
)
from services.safety_rules.domain.stopping.person_time_outcome import find_person_time_outcome
from services.safety_rules.domain.stopping.rule_history import HistoryCache, find_known_outcomes
from services.safety_rules.domain.stopping.rule_standings import RuleStandings
from services.safety_rules.domain.stopping.sensitivity import compare_countings
from services.vocabulary.decision import Contributor, Decision, Signal, Uncountable
from services.vocabulary.judgement import Answer, Determination
from services.vocabulary.protocol import Protocol, Rule
from services.vocabulary.standing import ObservedStanding


def decide_rule(
    protocol: Protocol,
    rule: Rule,
    observed: Sequence[ObservedStanding],
    as_of: datetime,
    determination: Determination | None = None,
) -> Decision:
    """Return the decision of *rule* at the data cut *as_of*.

    Args:
        protocol: That the rule belongs to.
        rule: Without a fault (see `find_rule_faults`).
        observed: Every participant of the study, in any order, with the standing under this rule.
        as_of: The data cut, aware; later events have not happened yet.
        determination: The DSMB's last answer to this rule.

    Raises:
        ValueError: A standing is under another rule, or an exposed one has no end of window.
    """
    standings = RuleStandings(rule, observed)
    return decide_standings(protocol, standings, HistoryCache(rule), as_of, determination)


def decide_standings(
    protocol: Protocol,
    standings: RuleStandings,
    histories: HistoryCache,
    as_of: datetime,
    determination: Determination | None = None,
) -> Decision:
    """Return `decide_rule` of *standings*, kept from one look to the next as *histories* are."""
    rule, limit, cohort = standings.rule, histories.limit, standings.select_cohort(as_of)
    possible = standings.add_possible_events(as_of)
    upper_cohort = cohort if possible is standings else possible.select_cohort(as_of)
    known_outcomes = find_known_outcomes(rule, cohort, upper_cohort)
    counted_outcomes = known_outcomes.select_counted(rule)
    history = histories.find_history(known_outcomes)
    crossed_at = history.crossing.at if history.crossing else None
    follow_up = measure_follow_up(cohort, known_outcomes.operative, np.array([cohort.as_of]))
    pending_outcome = _find_outcome(
        rule, follow_up, counted_outcomes, limit, is_crossed=crossed_at is not None
    )
    contributors = histories.find_contributors(known_outcomes)
    events, boundary = counted_outcomes.count_events(), limit.find_boundary_at(pending_outcome.size)
    return Decision(
        study=protocol.study,
        rule=rule.id,
        title=rule.title,
        signal=_choose_signal(rule, pending_outcome, is_crossed=crossed_at is not None),
        data_to=cohort.data_to,
        as_of=as_of,
        events=events,
        confirmed=known_outcomes.confirmed.count_events(),
        upper=known_outcomes.upper.count_events(),
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
        confirmed_crossed=history.confirmed_crossed,
        upper_crossed=history.upper_crossed,
        path=history.points,
        pending_weights=pending_outcome.weights,
        sensitivity=tuple(
            compare_countings(
                rule, follow_up, known_outcomes.complete, limit, history.crossed_countings
            )
        ),
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


def _find_outcome(
    rule: Rule, follow_up: FollowUp, counted_outcomes: Outcomes, limit: Limits, *, is_crossed: bool
) -> PendingOutcome:
    if isinstance(limit, SignedLimits):
        return find_pending_outcome(rule, follow_up, counted_outcomes, limit, is_crossed=is_crossed)
    return find_person_time_outcome(
        rule, follow_up.cohort, follow_up.outcomes, limit, is_crossed=is_crossed
    )


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
