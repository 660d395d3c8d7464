"""The path of a rule up to its last event: later follow-up changes nothing in it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from services.safety_rules.domain.stopping.cohort import (
    NEVER,
    Cohort,
    EventKind,
    Outcomes,
    apply_policy,
    choose_event,
    choose_event_kind,
    find_outcomes,
)
from services.safety_rules.domain.stopping.path import (
    Limits,
    RulePath,
    make_points,
    make_timeline,
    path_crosses,
    read_limits,
    trace_path,
)
from services.safety_rules.domain.stopping.sensitivity import list_countings
from services.vocabulary.decision import Contributor, PathPoint
from services.vocabulary.protocol import Curve, Policy, Rule
from services.vocabulary.standing import CountedEvent, Standing


@dataclass(frozen=True, slots=True)
class KnownOutcomes:
    """The outcomes of a rule's participants at a data cut, for each of its counts.

    Args:
        cohort: The participants.
        operative: As they came.
        complete: The same at the end of each window: what the policy ``complete`` counts.
        confirmed: Of confirmed events alone.
        upper_cohort: The participants, with those who cannot be counted and may have an event.
        upper: Of events at upper grades, of *upper_cohort*.
    """

    cohort: Cohort
    operative: Outcomes
    complete: Outcomes
    confirmed: Outcomes
    upper_cohort: Cohort
    upper: Outcomes

    def select_counted(self, rule: Rule) -> Outcomes:
        """Return the operative outcomes as the policy of *rule* counts them."""
        return self.complete if rule.policy == "complete" else self.operative

    def list_counted(self, rule: Rule) -> Sequence[Standing]:
        """Return the members with an event that counts, in entry order."""
        has_event = self.select_counted(rule).event_at < NEVER
        return [self.cohort.members[k] for k in np.flatnonzero(has_event).tolist()]


def find_known_outcomes(rule: Rule, cohort: Cohort, upper_cohort: Cohort) -> KnownOutcomes:
    """Return the outcomes of a cohort for each count of *rule*."""
    operative = find_outcomes(cohort, choose_event_kind(rule))
    return KnownOutcomes(
        cohort=cohort,
        operative=operative,
        complete=apply_policy(cohort, operative, "complete"),
        confirmed=find_outcomes(cohort, EventKind.CONFIRMED),
        upper_cohort=upper_cohort,
        upper=find_outcomes(upper_cohort, EventKind.UPPER),
    )


@dataclass(frozen=True, slots=True)
class RuleHistory:
    """The path of a rule, and the other counts that crossed at any date.

    Args:
        points: In clinical time.
        confirmed_crossed: True if the path of confirmed events crossed.
        upper_crossed: The same of events at upper grades.
        crossed_countings: The names of `sensitivity.list_countings` that crossed.
    """

    points: tuple[PathPoint, ...]
    confirmed_crossed: bool
    upper_crossed: bool
    crossed_countings: Collection[str]

    @property
    def crossing(self) -> PathPoint | None:
        """The first point at which the boundary was reached; None: at none."""
        return next((point for point in self.points if point.crossed), None)


def trace_history(rule: Rule, known_outcomes: KnownOutcomes, limit: Limits) -> RuleHistory:
    """Return the history of *rule* up to the data cut."""
    at_once = make_timeline(known_outcomes.cohort, known_outcomes.operative)
    when_complete = make_timeline(known_outcomes.cohort, known_outcomes.complete)

    def trace(policy: Policy, curve: Curve) -> RulePath:
        return trace_path(when_complete if policy == "complete" else at_once, policy, curve)

    points = make_points(trace(rule.policy, rule.curve), limit)
    is_crossed = any(point.crossed for point in points)

    def crosses(cohort: Cohort, outcomes: Outcomes) -> bool:
        if cohort is known_outcomes.cohort and outcomes.equals(known_outcomes.operative):
            return is_crossed
        timeline = make_timeline(cohort, apply_policy(cohort, outcomes, rule.policy))
        return path_crosses(trace_path(timeline, rule.policy, rule.curve), limit)

    return RuleHistory(
        points=points,
        confirmed_crossed=crosses(known_outcomes.cohort, known_outcomes.confirmed),
        upper_crossed=crosses(known_outcomes.upper_cohort, known_outcomes.upper),
        crossed_countings=[
            name
            for name, policy, curve in list_countings(rule)
            if path_crosses(trace(policy, curve), limit)
        ],
    )


class HistoryCache:
    """The last history and contributors of one rule, for as long as they are the same."""

    def __init__(self, rule: Rule) -> None:
        """Hold none yet."""
        self._rule, self.limit = rule, read_limits(rule)
        self._history: RuleHistory | None = None
        self._instants = b""
        self._contributors: tuple[Contributor, ...] = ()
        self._members: Sequence[Standing] = ()

    def find_history(self, known_outcomes: KnownOutcomes) -> RuleHistory:
        """Return `trace_history`, kept from the call before when nothing it depends on changed."""
        instants = _list_instants(known_outcomes, self.limit)
        if self._history is None or instants != self._instants:
            self._history = trace_history(self._rule, known_outcomes, self.limit)
            self._instants = instants
        return self._history

    def find_contributors(self, known_outcomes: KnownOutcomes) -> tuple[Contributor, ...]:
        """Return `list_contributors`, kept while they are the same members."""
        members = known_outcomes.list_counted(self._rule)
        if members != self._members:
            self._contributors = list_contributors(members, choose_event_kind(self._rule))
            self._members = members
        return self._contributors


def _list_instants(known_outcomes: KnownOutcomes, limit: Limits) -> bytes:
    """Return the instants that a history depends on: of follow-up, that until the last event.

    A size that is compared as soon as it is reached depends on all of it.
    """
    cohorts = (
        [known_outcomes.cohort]
        if known_outcomes.upper_cohort is known_outcomes.cohort
        else [known_outcomes.cohort, known_outcomes.upper_cohort]
    )
    events = np.concatenate(
        [known_outcomes.complete.event_at, *(one.event_instants.ravel() for one in cohorts)]
    )
    last_event_at = events[events < NEVER].max(initial=0.0)
    ends_at = NEVER if limit.compared_sizes else last_event_at
    compared_until = known_outcomes.cohort.as_of if limit.compared_sizes else 0.0
    other_instants = [
        instants
        for one in cohorts
        for instants in (
            one.entered_at,
            one.window_ends_at,
            np.minimum(one.followed_until, ends_at),
            one.window_ends_at <= one.as_of,
        )
    ]
    return np.concatenate(
        [[compared_until, len(known_outcomes.cohort.members)], events, *other_instants]
    ).tobytes()


def list_contributors(members: Sequence[Standing], kind: EventKind) -> tuple[Contributor, ...]:
    """Return the events of *kind* of *members* by date."""
    events = [(event, one) for one in members if (event := choose_event(one, kind)) is not None]
    events.sort(key=lambda pair: (pair[0].at, pair[1].participant))
    return tuple(_make_contributor(*pair) for pair in events)


def _make_contributor(event: CountedEvent, member: Standing) -> Contributor:
    """Return a contributor; days are known of the event at lower grades."""
    has_days = member.event is not None and member.event.at == event.at
    return Contributor(
        participant=member.participant,
        grade=event.grade,
        confirmed=event.confirmed,
        transplant_day=member.transplant_day if has_days else None,
        treatment_day=member.treatment_day if has_days else None,
    )
