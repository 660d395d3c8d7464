"""Event rates, or hazard ratios, over which a curve is drawn."""

_POINTS = 60


def make_rate_grid(p0: float, highest: float = 0.0) -> tuple[float, ...]:
    """Return event rates for a curve, from 0 to well above *p0* and *highest*."""
    top = min(1.0, max(3 * p0, 1.6 * highest, 0.1))
    return tuple(top * k / _POINTS for k in range(_POINTS + 1))


def make_ratio_grid(highest: float = 0.0) -> tuple[float, ...]:
    """Return hazard ratios for a curve, from 0 to well above 1 and *highest*."""
    top = max(4.0, 1.6 * highest)
    return tuple(top * k / _POINTS for k in range(_POINTS + 1))
