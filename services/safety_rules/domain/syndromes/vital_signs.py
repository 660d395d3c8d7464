"""Vital signs and oxygen, as far as cytokine release syndrome reads them."""

from collections.abc import Mapping
from decimal import Decimal

from services.safety_rules.domain.syndromes.bedside import reaches_limit, read_number
from services.safety_rules.domain.syndromes.hypoxia import OXYGEN_MEASURES, rank_oxygen_severity
from services.vocabulary.clinical_fact import Observation
from services.vocabulary.fact import Fact
from services.vocabulary.measure import Measure
from services.vocabulary.protocol import Bedside
from services.vocabulary.quantity import Quantity

MEASURES = OXYGEN_MEASURES | {"temperature", "sbp"}
PRESSURE_UNIT = "mm[Hg]"
_TEMPERATURE_UNIT = "Cel"


def has_fever(temperature: Fact, limits: Bedside, measures: Mapping[str, Measure]) -> bool | None:
    """Return True when *temperature* is a fever; None: it cannot be read."""
    plausible = measures["temperature"].plausible[_TEMPERATURE_UNIT]
    return reaches_limit(temperature, Quantity(limits.fever_c, _TEMPERATURE_UNIT), plausible)


def rank_severity(body: Observation, measures: Mapping[str, Measure]) -> Decimal | int | None:
    """Return the rank of a reading among others of its measure; None: it cannot be read."""
    plausible = measures[body.measure].plausible
    if body.measure == "temperature":
        return read_number(body, _TEMPERATURE_UNIT, plausible[_TEMPERATURE_UNIT])
    if body.measure == "sbp":
        pressure = read_number(body, PRESSURE_UNIT, plausible[PRESSURE_UNIT])
        return None if pressure is None else -pressure
    return rank_oxygen_severity(body, measures)
