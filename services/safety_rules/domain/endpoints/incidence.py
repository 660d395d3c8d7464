"""Cumulative incidence by Aalen and Johansen, with delayed entry."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from services.safety_rules.domain.endpoints.confidence_intervals import estimate_incidence
from services.safety_rules.domain.endpoints.risk_sets import RiskSet
from services.vocabulary.endpoint import CurvePoint


@dataclass(frozen=True, slots=True)
class _Moments:
    """The probabilities of no event and of the event, with variances and covariance.

    The probabilities are exact fractions, so that 0 and 1 are distinct from values close to them.
    """

    free: Fraction = Fraction(1)
    event: Fraction = Fraction(0)
    var_free: float = 0.0
    covariance: float = 0.0
    var_event: float = 0.0

    def add_risk_set(self, risk_set: RiskSet, cause: str) -> "_Moments":
        """Return the moments after one risk set, whose outcomes are multinomial."""
        n, d, k = risk_set.at_risk, risk_set.event_count, risk_set.events_by_cause.get(cause, 0)
        stay, hazard = (n - d) / n, k / n
        unit_variance = float(self.free) ** 2 / n  # of a multinomial outcome of one day
        return _Moments(
            free=self.free * Fraction(n - d, n),
            event=self.event + self.free * Fraction(k, n),
            var_free=self.var_free * stay**2 + unit_variance * stay * (1 - stay),
            covariance=stay * (self.covariance + hazard * self.var_free)
            - unit_variance * stay * hazard,
            var_event=self.var_event
            + 2 * hazard * self.covariance
            + hazard**2 * self.var_free
            + unit_variance * hazard * (1 - hazard),
        )


def aalen_johansen(sets: Sequence[RiskSet], cause: str) -> Iterator[CurvePoint]:
    """Yield the cumulative incidence of *cause* from each day of *sets* on.

    The variance is the Greenwood-type estimator, which without censoring and delayed entry is that
    of a proportion, F(1 - F)/n; the interval is that of log(-log(1 - F)).

    Args:
        sets: In the order of their days (see `find_risk_sets`).
        cause: Whose incidence; every other cause competes with it.

    Source: Andersen, Borgan, Gill, Keiding 1993, Statistical Models Based on Counting Processes,
        IV.4; for delayed entry Allignol, Schumacher, Beyersmann 2010, Biometrical J 52:126-137
    """
    moments = _Moments()
    for risk_set in sets:
        moments = moments.add_risk_set(risk_set, cause)
        events = risk_set.events_by_cause.get(cause, 0)
        yield CurvePoint(
            risk_set.day,
            risk_set.at_risk,
            events,
            risk_set.event_count - events,
            estimate_incidence(float(moments.event), moments.var_event),
        )
