"""The same facts, counted in the other ways: whether the answer hangs on how they are counted."""

from collections.abc import Iterator
from dataclasses import replace

from services.safety_rules.domain.stopping.cohort import Cohort, Outcomes, apply_policy
from services.safety_rules.domain.stopping.path import SignedLimits, path_crosses, trace_path
from services.safety_rules.domain.stopping.pending import POLICIES, find_table_row
from services.vocabulary.decision import Sensitivity
from services.vocabulary.protocol import Curve, Policy, Rule


def compare_countings(
    rule: Rule, of: Cohort, happened: Outcomes, limit: SignedLimits
) -> Iterator[Sensitivity]:
    """Yield what the rule says under each other policy, and with onsets twice as fast or slow.

    *happened* is as it came, not as one policy counts it.
    """
    for counting, policy, curve in _others(rule):
        counted = apply_policy(of, happened, policy)
        known = trace_path(of, counted, policy, curve)
        ess = float(known.size[-1])
        yield Sensitivity(
            counting=counting,
            ess=ess,
            events=int(known.events[-1]),
            boundary=limit.find_boundary(find_table_row(ess)),
            crossed=(
                path_crosses(of, counted, policy, curve, limit)
                if limit.looks
                else known.crosses_boundary(limit)
            ),
        )


def _others(rule: Rule) -> Iterator[tuple[str, Policy, Curve]]:
    for policy, counting in POLICIES.items():
        if policy != rule.policy:
            yield counting, policy, rule.curve
    if rule.policy == "onset_weighted" and rule.curve.shape != "uniform":
        yield "onset twice as fast", rule.policy, stretch_curve(rule.curve, 0.5)
        yield "onset twice as slow", rule.policy, stretch_curve(rule.curve, 2.0)


def stretch_curve(curve: Curve, by: float) -> Curve:
    """Return *curve* with every event *by* times as late; ``uniform`` stays as it is."""
    return replace(
        curve,
        mean_days=curve.mean_days * by,
        scale_days=curve.scale_days * by,
        points=tuple((day * by, part) for day, part in curve.points),
    )
