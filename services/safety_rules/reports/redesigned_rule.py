"""A rule of a protocol whose boundary is calibrated anew."""

from collections.abc import Mapping, Sequence

from services.safety_rules.domain.stopping.design import Design, make_design
from services.safety_rules.domain.stopping.families import FAMILIES
from services.vocabulary.protocol import Rule

_NOTHING: Mapping[str, Sequence[float]] = {}


def redesign_rule(
    rule: Rule,
    alpha: float,
    *,
    n: int | None = None,
    changes: Mapping[str, Sequence[float]] = _NOTHING,
    rates: Sequence[float] = (),
) -> Design:
    """Return the family of *rule* at another error, size or parameters.

    Args:
        rule: That counts participants.
        alpha: Nominal one-sided type I error.
        n: Planned maximum, with those of the rule's looks that it reaches; None: the rule's own.
        changes: Parameters of the family that are others than the rule's.
        rates: Event rates of the characteristics.

    Raises:
        ValueError: The rule has no family to calibrate, or a number is out of range.
        NeverStopsError: No count would ever stop.
    """
    when = rule.stop_when
    if when.method not in FAMILIES:
        raise ValueError(f"{rule.id} is a {when.method}: it has no family to calibrate anew")
    size = when.n if n is None else n
    looks = tuple(look for look in rule.looks if look <= size)
    parameters = {**when.parameters, **changes}
    return make_design(when.method, when.p0, alpha, size, looks=looks, rates=rates, **parameters)
