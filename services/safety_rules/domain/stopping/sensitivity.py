"""The sensitivity of a decision to the way in which follow-up is counted."""

from collections.abc import Collection, Iterator
from dataclasses import replace
from functools import lru_cache

from services.safety_rules.domain.stopping.cohort import Outcomes
from services.safety_rules.domain.stopping.follow_up import FollowUp, measure_follow_up
from services.safety_rules.domain.stopping.path import Limits
from services.safety_rules.domain.stopping.policies import POLICIES
from services.vocabulary.decision import Sensitivity
from services.vocabulary.protocol import Curve, Policy, Rule


def compare_countings(
    rule: Rule,
    follow_up: FollowUp,
    complete: Outcomes,
    limit: Limits,
    crossed_names: Collection[str],
) -> Iterator[Sensitivity]:
    """Yield the result of each other counting.

    Args:
        rule: With its own policy and curve.
        follow_up: At the data cut, of outcomes as they came.
        complete: The outcomes that ``complete`` counts.
        limit: The boundary.
        crossed_names: The names of the countings that crossed; see `rule_history.RuleHistory`.
    """
    for name, policy, curve in list_countings(rule):
        outcomes, counted_follow_up = follow_up.outcomes, follow_up
        if policy == "complete":
            outcomes = complete
            counted_follow_up = measure_follow_up(follow_up.cohort, complete, follow_up.instants)
        ess = float(counted_follow_up.weigh(policy, curve).sum())
        yield Sensitivity(
            counting=name,
            ess=ess,
            events=outcomes.count_events(),
            boundary=limit.find_boundary_at(ess),
            crossed=name in crossed_names,
        )


@lru_cache(maxsize=256)
def _stretch_curve(curve: Curve, factor: float) -> Curve:
    """Return *curve* with every event *factor* times as late; ``uniform`` stays as it is."""
    return replace(
        curve,
        mean_days=curve.mean_days * factor,
        scale_days=curve.scale_days * factor,
        points=tuple((day * factor, part) for day, part in curve.points),
    )


def list_countings(rule: Rule) -> Iterator[tuple[str, Policy, Curve]]:
    """Yield the other policies, and onsets twice as fast or slow, each with its name.

    Person-time has none: nobody's weight is chosen.
    """
    if rule.policy == "person_time":
        return
    for policy, name in POLICIES.items():
        if policy != rule.policy:
            yield name, policy, rule.curve
    if rule.policy == "onset_weighted" and rule.curve.shape != "uniform":
        yield "onset twice as fast", rule.policy, _stretch_curve(rule.curve, 0.5)
        yield "onset twice as slow", rule.policy, _stretch_curve(rule.curve, 2.0)
