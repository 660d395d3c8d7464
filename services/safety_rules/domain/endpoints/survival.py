"""Survival by Kaplan and Meier, with delayed entry."""

from collections.abc import Iterator, Sequence
from fractions import Fraction

from services.safety_rules.domain.endpoints.confidence_intervals import estimate_survival
from services.safety_rules.domain.endpoints.risk_sets import RiskSet
from services.vocabulary.endpoint import CurvePoint


def kaplan_meier(sets: Sequence[RiskSet]) -> Iterator[CurvePoint]:
    """Yield the estimate from each day of *sets* on: events of every cause end the survival.

    The variance is Greenwood's, the interval that of log(-log).

    Args:
        sets: In the order of their days (see `find_risk_sets`).
    """
    survival, greenwood = Fraction(1), 0.0
    for risk_set in sets:
        n, d = risk_set.at_risk, risk_set.event_count
        survival *= Fraction(n - d, n)
        if d < n:
            greenwood += d / (n * (n - d))
        yield CurvePoint(risk_set.day, n, d, 0, estimate_survival(float(survival), greenwood))
