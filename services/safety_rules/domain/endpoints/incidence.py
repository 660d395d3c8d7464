"""Cumulative incidence by Aalen and Johansen, with delayed entry."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from services.safety_rules.domain.endpoints.intervals import estimate_incidence
from services.safety_rules.domain.endpoints.risk_sets import RiskSet
from services.vocabulary.endpoint import CurvePoint


@dataclass(frozen=True, slots=True)
class _Moments:
    """Probability of having had nothing, of having had the event; their variances, covariance.

    The probabilities are exact: 0 and 1 are told from what is close to them.
    """

    free: Fraction = Fraction(1)
    event: Fraction = Fraction(0)
    var_free: float = 0.0
    covariance: float = 0.0
    var_event: float = 0.0

    def after(self, one: RiskSet, cause: str) -> "_Moments":
        """Go through one risk set, whose outcomes are multinomial given who is at risk."""
        n, d, k = one.at_risk, one.failed, one.events_by_cause.get(cause, 0)
        stay, hazard = (n - d) / n, k / n
        spread = float(self.free) ** 2 / n  # of a multinomial outcome of one day
        return _Moments(
            free=self.free * Fraction(n - d, n),
            event=self.event + self.free * Fraction(k, n),
            var_free=self.var_free * stay**2 + spread * stay * (1 - stay),
            covariance=stay * (self.covariance + hazard * self.var_free) - spread * stay * hazard,
            var_event=self.var_event
            + 2 * hazard * self.covariance
            + hazard**2 * self.var_free
            + spread * hazard * (1 - hazard),
        )


def aalen_johansen(sets: Sequence[RiskSet], cause: str) -> Iterator[CurvePoint]:
    """Yield the cumulative incidence of *cause* from each day of *sets* on.

    The variance is the Greenwood-type estimator, which without censoring and delayed entry is that
    of a proportion, F(1 - F)/n; the interval is that of log(-log(1 - F)).

    Args:
        sets: In the order of their days (see `risk_sets`).
        cause: Whose incidence; every other cause competes with it.

    Source: Andersen, Borgan, Gill, Keiding 1993, Statistical Models Based on Counting Processes,
        IV.4; for delayed entry Allignol, Schumacher, Beyersmann 2010, Biometrical J 52:126-137
    """
    now = _Moments()
    for one in sets:
        now = now.after(one, cause)
        events = one.events_by_cause.get(cause, 0)
        yield CurvePoint(
            one.day,
            one.at_risk,
            events,
            one.failed - events,
            estimate_incidence(float(now.event), now.var_event),
        )
