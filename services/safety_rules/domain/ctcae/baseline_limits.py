"""The baseline beside its own limits of normal, in words.

Source: docs/decisions/grading.md, "normal or abnormal baseline"
"""

from collections.abc import Iterator

from services.safety_rules.domain.ctcae.compiled import MeasureGrading
from services.safety_rules.domain.ctcae.criterion import ArmPopulation, Condition
from services.safety_rules.domain.ctcae.grading import (
    Baseline,
    BaselineKnown,
    Reading,
    report_baseline,
)
from services.vocabulary.grade import Input

_JUDGED_ARMS = (ArmPopulation.NORMAL_BASELINE, ArmPopulation.ABNORMAL_BASELINE)


def describe_baseline(grading: MeasureGrading, reading: Reading, baseline: Baseline) -> str:
    """Return on which side of its own limits *baseline* lies, as far as a grade asks.

    Empty: no grade asks, it has no limits of its own, or the side is not known.
    """
    if not isinstance(baseline, BaselineKnown) or baseline.own_limits is None:
        return ""
    report = report_baseline(grading, baseline, reading)
    if report is None:
        return ""
    sides = []
    for name in dict.fromkeys(_list_judging_limits(grading)):
        is_beyond = report.is_beyond(name)
        if is_beyond is not None:
            side = "above" if name is Input.ULN else "below"
            sides.append(f"baseline {'' if is_beyond else 'not '}{side} its own {name}")
    return "; ".join(sides)


def _list_judging_limits(grading: MeasureGrading) -> Iterator[Input]:
    """Yield the limits of normal that *grading* judges a baseline by."""
    for ladder in grading.in_any_unit:
        if ladder.population in _JUDGED_ARMS:
            yield grading.direction.limit
        for _, any_of in ladder.rungs:
            if any(one.condition is Condition.BASELINE_BELOW_LLN for one in any_of):
                yield Input.LLN
