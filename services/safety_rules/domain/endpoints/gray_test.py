"""Gray's test: do groups of participants differ in the cumulative incidence of an event?

Without competing events its score is that of the log-rank test.

Source: Gray 1988, Annals of Statistics 16:1141-1154, with the weight 1 (rho 0)
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from services.safety_rules.domain.endpoints.risk_sets import CENSORED, Spell
from services.safety_rules.domain.stopping.families import Floats


@dataclass(frozen=True, slots=True)
class GrayTest:
    """The result: *statistic* is chi-squared with *degrees_of_freedom* when no group differs."""

    statistic: float
    degrees_of_freedom: int
    p_value: float


@dataclass(frozen=True, slots=True)
class _Day:
    """One day with events; arrays have a place for each group.

    Args:
        at_risk: Participants at risk.
        events: With the event.
        competing: With another.
        free_before: Probability of no event before the day (Kaplan and Meier, of the group).
        free: The same after it.
        size: At risk for the subdistribution: *at_risk* / *free_before*, 0 when nobody is.
        incidence: Of the event up to and with the day, in all groups together.
        weight: Covariance of the score's increments, shape (groups, groups).
        drift: Sum of *weight* times the hazard up to and with the day, shape (groups, groups).
    """

    at_risk: Floats
    events: Floats
    competing: Floats
    free_before: Floats
    free: Floats
    size: Floats
    incidence: float
    weight: Floats
    drift: Floats


def compare_incidence(groups: Mapping[str, Sequence[Spell]], cause: str) -> GrayTest | None:
    """Return Gray's test of *cause* between *groups*; None when there is nothing to compare.

    Nothing to compare: fewer than two groups with anybody, no event, or no day on which two groups
    are at risk.

    Args:
        groups: The spells of each, all from the same day on: no delayed entry.
        cause: The event; every other cause competes with it.

    Raises:
        ValueError: The spells begin on different days.
    """
    spells = [tuple(group) for _, group in sorted(groups.items()) if group]
    if len({spell.entry for group in spells for spell in group}) > 1:
        raise ValueError("groups are compared from one day on: entry must not be delayed")
    days = list(_follow_days(spells, cause))
    if len(spells) <= 1 or not any(day.events.any() for day in days):
        return None
    score = np.zeros(len(spells))
    incidence = np.zeros(len(spells))
    for day in days:
        expected = day.size * (1 - incidence)
        score += day.events - day.events.sum() * expected / expected.sum()
        incidence = incidence + day.free_before * _divide(day.events, day.at_risk)
    covariance = _sum_covariance(days)
    rank = len(spells) - 1
    if np.linalg.matrix_rank(covariance[:rank, :rank]) < rank:
        return None
    statistic = float(score[:rank] @ np.linalg.solve(covariance[:rank, :rank], score[:rank]))
    return GrayTest(statistic, rank, float(special.chdtrc(rank, statistic)))


def _follow_days(groups: Sequence[Sequence[Spell]], cause: str) -> Iterator[_Day]:
    """Yield each day with an event of any kind, in order."""
    free_before = np.ones(len(groups))
    incidence_before, drift = 0.0, np.zeros((len(groups), len(groups)))
    for day in sorted({s.last for group in groups for s in group if s.cause != CENSORED}):
        at_risk = _count([[s.last >= day for s in group] for group in groups])
        events = _count([[s.last == day and s.cause == cause for s in group] for group in groups])
        ended = _count([[s.last == day and s.cause != CENSORED for s in group] for group in groups])
        free = free_before * (1 - _divide(ended, at_risk))
        size = _divide(at_risk, free_before)
        incidence = incidence_before + float(events.sum() / size.sum())
        weight = np.diag(size) - np.outer(size, size) / size.sum()
        if incidence > incidence_before:
            drift = drift + weight * events.sum() / (size.sum() * (1 - incidence_before))
        yield _Day(
            at_risk, events, ended - events, free_before, free, size, incidence, weight, drift
        )
        free_before, incidence_before = free, incidence


def _sum_covariance(days: Sequence[_Day]) -> Floats:
    """Return the covariance of the scores, shape (groups, groups)."""
    groups = len(days[0].at_risk)
    covariance = np.zeros((groups, groups))
    for day in days:
        drift_left = days[-1].drift - day.drift
        share = _divide(np.full(groups, 1 - day.incidence), day.free)
        total = float(day.events.sum())
        for k in np.flatnonzero(day.at_risk).tolist():
            if total:
                before = day.free_before[k]
                ties = 1 - (total - 1) / (day.size.sum() * before - 1) if total > 1 else 1.0
                variance = ties * before * total / (day.size.sum() * day.at_risk[k])
                still_free = 1 - share[k] if day.free[k] else 1.0
                influence = day.weight[:, k] + still_free * drift_left[:, k]
                covariance += np.outer(influence, influence) * variance
            if day.competing[k] and day.free[k]:
                count, at_risk = day.competing[k], day.at_risk[k]
                ties = 1 - (count - 1) / (at_risk - 1) if count > 1 else 1.0
                variance = ties * (day.free_before[k] / at_risk) ** 2 * count
                influence = share[k] * drift_left[:, k]
                covariance += np.outer(influence, influence) * variance
    return covariance


def _count(rows: Sequence[Sequence[bool]]) -> Floats:
    return np.array([float(sum(row)) for row in rows])


def _divide(numbers: Floats, divisors: Floats) -> Floats:
    """Return the quotients, 0 where the divisor is."""
    return np.divide(numbers, divisors, out=np.zeros(len(numbers)), where=divisors > 0)
