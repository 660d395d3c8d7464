"""The sensitivity of a decision to the way in which follow-up is counted."""

from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache

from services.safety_rules.domain.stopping.cohort import apply_policy
from services.safety_rules.domain.stopping.path import (
    Limits,
    Timeline,
    make_timeline,
    path_crosses,
    trace_path,
)
from services.safety_rules.domain.stopping.policies import POLICIES
from services.vocabulary.decision import Sensitivity
from services.vocabulary.protocol import Curve, Policy, Rule


def compare_countings(rule: Rule, timeline: Timeline, limit: Limits) -> Iterator[Sensitivity]:
    """Yield the result under each other policy, and with onsets twice as fast or slow.

    The outcomes of *timeline* are as they came, not as one policy counts them.
    """
    for name, policy, curve in _list_alternatives(rule):
        counted_outcomes = apply_policy(timeline.cohort, timeline.outcomes, policy)
        counted_timeline = (
            timeline
            if counted_outcomes is timeline.outcomes
            else make_timeline(timeline.cohort, counted_outcomes)
        )
        rule_path = trace_path(counted_timeline, policy, curve)
        ess = float(rule_path.size[-1])
        yield Sensitivity(
            counting=name,
            ess=ess,
            events=int(counted_timeline.events[-1]),
            boundary=limit.find_boundary_at(ess),
            crossed=path_crosses(rule_path, policy, curve, limit),
        )


def _list_alternatives(rule: Rule) -> Iterator[tuple[str, Policy, Curve]]:
    """Yield the other countings; person-time has none: nobody's weight is chosen."""
    if rule.policy == "person_time":
        return
    for policy, name in POLICIES.items():
        if policy != rule.policy:
            yield name, policy, rule.curve
    if rule.policy == "onset_weighted" and rule.curve.shape != "uniform":
        yield "onset twice as fast", rule.policy, stretch_curve(rule.curve, 0.5)
        yield "onset twice as slow", rule.policy, stretch_curve(rule.curve, 2.0)


@lru_cache(maxsize=256)
def stretch_curve(curve: Curve, factor: float) -> Curve:
    """Return *curve* with every event *factor* times as late; ``uniform`` stays as it is."""
    return replace(
        curve,
        mean_days=curve.mean_days * factor,
        scale_days=curve.scale_days * factor,
        points=tuple((day * factor, part) for day, part in curve.points),
    )
