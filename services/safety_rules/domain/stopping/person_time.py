"""Person-time of follow-up: days, or the events that a curve of hazards expects of them."""

import math
from collections.abc import Sequence

import numpy as np

from services.safety_rules.domain.stopping.families import Floats
from services.vocabulary.protocol import Curve

LONGEST_CURVE = 100  # points


def measure_person_time(curve: Curve, days: Floats) -> Floats:
    """Return the person-time of *days* of follow-up each, of any shape.

    It is those days under ``uniform``, where one hazard holds for all of them; else the expected
    events. After its last point, a curve goes on with its last hazard.
    """
    if curve.shape == "uniform":
        return days
    ends, totals = _list_corners(curve)
    extra_events = (
        np.maximum(days - ends[-1], 0) * (totals[-1] - totals[-2]) / (ends[-1] - ends[-2])
    )
    return np.asarray(np.interp(days, ends, totals) + extra_events)


def compute_expected_risk(curve: Curve, days: float) -> float:
    """Return the risk of an event within *days* that a curve of hazards expects.

    >>> compute_expected_risk(Curve("risk", points=((30, 0.02), (183, 0.08))), 183)
    0.08
    """
    return round(-math.expm1(-float(measure_person_time(curve, np.array(days)))), 12)


def find_hazard_faults(curve: Curve) -> Sequence[str]:
    """Return the faults of a curve of hazards; empty when person-time can be measured by it.

    >>> find_hazard_faults(Curve("hazard", points=((30, 0.001), (183, 0.0))))
    ['hazard must be above 0 events per day up to each day, not 0.0 up to day 183']
    >>> find_hazard_faults(Curve("risk", points=((30, 0.05), (183, 0.02))))
    ['risk must rise, above 0 and below 1, not fall to 0.02 by day 183']
    """
    if curve.shape == "uniform":
        return []
    if curve.shape not in ("hazard", "risk"):
        return [f"{curve.shape} is no curve of person_time: uniform, hazard or risk"]
    days = [day for day, _ in curve.points]
    if not 1 <= len(days) <= LONGEST_CURVE:
        return [f"{curve.shape} must have 1 to {LONGEST_CURVE} points"]
    if days != sorted(set(days)) or not (days[0] > 0 and math.isfinite(days[-1])):
        return [f"{curve.shape} must have days that rise from above 0, not {days}"]
    if curve.shape == "hazard":
        return [
            f"hazard must be above 0 events per day up to each day, not {value} up to day {day:g}"
            for day, value in curve.points
            if not 0 < value < math.inf
        ]
    earlier = [0.0, *(value for _, value in curve.points)]
    return [
        f"risk must rise, above 0 and below 1, not fall to {value} by day {day:g}"
        if value < 1
        else f"risk must rise, above 0 and below 1, not {value} by day {day:g}"
        for (day, value), previous in zip(curve.points, earlier, strict=False)
        if not previous < value < 1
    ]


def _list_corners(curve: Curve) -> tuple[Floats, Floats]:
    """Return the days at which the hazard changes, from 0 on, and the events expected by then."""
    points = np.array(((0.0, 0.0), *curve.points))
    days, values = points[:, 0], points[:, 1]
    if curve.shape == "risk":
        return days, -np.log1p(-values)
    return days, np.append(0.0, np.cumsum(np.diff(days) * values[1:]))
