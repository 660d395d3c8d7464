"""The rates of an infusion in the unit in which the protocol writes them."""

from dataclasses import replace

from services.safety_rules.domain.ctcae.units import rescale_quantity
from services.safety_rules.domain.facts.infusion import Infusion


def convert_rates(infusion: Infusion, unit: str) -> Infusion:
    """Return *infusion* with its rates in *unit*; one that does not convert stays as reported."""
    periods = (
        replace(one, rate=one.rate and (rescale_quantity(one.rate, unit) or one.rate))
        for one in infusion.periods
    )
    return replace(infusion, periods=tuple(periods))
