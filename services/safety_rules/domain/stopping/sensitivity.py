"""The same facts, counted in the other ways: whether the answer hangs on how they are counted."""

from collections.abc import Iterator
from dataclasses import replace

from services.safety_rules.domain.stopping.cohort import Cohort, Outcomes, as_counted
from services.safety_rules.domain.stopping.path import Limits, crosses, track
from services.safety_rules.domain.stopping.pending import POLICIES, looked_up
from services.vocabulary.decision import Sensitivity
from services.vocabulary.protocol import Curve, Policy, Rule


def sensitivity(rule: Rule, of: Cohort, happened: Outcomes, limit: Limits) -> Iterator[Sensitivity]:
    """Yield what the rule says under each other policy, and with onsets twice as fast or slow.

    *happened* is as it came, not as one policy counts it.
    """
    for counting, policy, curve in _others(rule):
        counted = as_counted(of, happened, policy)
        known = track(of, counted, policy, curve)
        ess = float(known.size[-1])
        yield Sensitivity(
            counting=counting,
            ess=ess,
            events=int(known.events[-1]),
            boundary=limit.at(looked_up(ess)),
            crossed=(
                crosses(of, counted, policy, curve, limit) if limit.looks else known.crosses(limit)
            ),
        )


def _others(rule: Rule) -> Iterator[tuple[str, Policy, Curve]]:
    for policy, counting in POLICIES.items():
        if policy != rule.policy:
            yield counting, policy, rule.curve
    if rule.policy == "onset_weighted" and rule.curve.shape != "uniform":
        yield "onset twice as fast", rule.policy, stretched(rule.curve, 0.5)
        yield "onset twice as slow", rule.policy, stretched(rule.curve, 2.0)


def stretched(curve: Curve, by: float) -> Curve:
    """Return *curve* with every event *by* times as late; ``uniform`` stays as it is."""
    return replace(
        curve,
        mean_days=curve.mean_days * by,
        scale_days=curve.scale_days * by,
        points=tuple((day * by, part) for day, part in curve.points),
    )
