"""Hypoxia of the ASTCT scale: by the oxygen device, and only then by the flow.

Source: Lee et al. 2019, Biol Blood Marrow Transplant 25:625-638, table 2; the devices in its
footnotes, and where they are silent: docs/decisions/bedside.md
"""

from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType

from services.safety_rules.domain.syndromes.bedside import (
    NOT_AFFECTED,
    ChartedReadings,
    SignGrade,
    reaches_limit,
    read_number,
)
from services.safety_rules.domain.syndromes.oxygen_support import (
    CANNULA,
    OxygenSupport,
    compare_with_usual,
)
from services.vocabulary.clinical_fact import Observation
from services.vocabulary.fact import Fact
from services.vocabulary.grade import Grade, Input
from services.vocabulary.measure import Measure
from services.vocabulary.quantity import Quantity

_UNITS = {"oxygen-flow": "L/min", "fio2": "%"}
OXYGEN_MEASURES = frozenset({"oxygen-device", *_UNITS})

NO_HYPOXIA = frozenset({"room-air", "home-cpap", "ventilator-airway-protection"})
LOW_FLOW = frozenset({"blow-by"})
HIGH_FLOW = frozenset(
    {"high-flow-cannula", "simple-mask", "non-rebreather", "venturi", "trach-collar"}
)
POSITIVE_PRESSURE = frozenset({"cpap", "bipap", "ventilator"})

_GRADES = (
    (NO_HYPOXIA, Grade.NONE),
    (LOW_FLOW, Grade.MODERATE),
    (HIGH_FLOW, Grade.SEVERE),
    (POSITIVE_PRESSURE, Grade.LIFE_THREATENING),
)
_LOW_FLOW_UP_TO = Decimal(6)  # L/min


def grade_hypoxia(
    readings: ChartedReadings,
    measures: Mapping[str, Measure],
    usual_supports: Mapping[str, OxygenSupport] = MappingProxyType({}),
) -> SignGrade:
    """Return the hypoxia of the ASTCT scale; a device stays until it is changed.

    Args:
        readings: Last of each measure.
        measures: By name; they bound the flows that can be.
        usual_supports: By device, what the participant had before exposure.
    """
    support = find_support(readings, measures)
    level = _grade_support(support, readings)
    usual_support = usual_supports.get(support.device)
    if usual_support is None or level.at_most is Grade.NONE:
        return level
    return compare_with_usual(level, support, usual_support)


def find_support(readings: ChartedReadings, measures: Mapping[str, Measure]) -> OxygenSupport:
    """Return the current device, with the settings that were charted since it is in use."""
    device = readings.get("oxygen-device")
    flow, fio2 = (_select_current_setting(device, readings.get(name)) for name in _UNITS)
    return OxygenSupport(
        find_device_name(readings), _read_setting(flow, measures), _read_setting(fio2, measures)
    )


def find_last_charting(readings: ChartedReadings) -> Fact | None:
    """Return the last that was charted of the current device and its settings; None: nothing."""
    device = readings.get("oxygen-device")
    settings = (_select_current_setting(device, readings.get(name)) for name in _UNITS)
    charted_facts = [fact for fact in (device, *settings) if fact is not None]
    return max(charted_facts, key=lambda fact: fact.observed_at, default=None)


def _grade_support(support: OxygenSupport, readings: ChartedReadings) -> SignGrade:
    device, flow = readings.get("oxygen-device"), readings.get("oxygen-flow")
    if device is None:
        return _grade_flow_alone(flow, support.flow)
    if support.device == CANNULA:
        return _grade_cannula(device, flow, support.flow)
    for devices, grade in _GRADES:
        if support.device in devices:
            return SignGrade(grade, grade, support.device, facts=(device,))
    return SignGrade(Grade.NONE, Grade.LIFE_THREATENING, missing=(Input.OXYGEN_DEVICE,))


def _grade_cannula(device: Fact, flow: Fact | None, litres: Decimal | None) -> SignGrade:
    if flow is None or litres is None:
        because = "nasal cannula, flow not known"
        missing = (Input.OXYGEN_FLOW,)
        return SignGrade(Grade.MODERATE, Grade.SEVERE, because, missing, (device,))
    if litres <= _LOW_FLOW_UP_TO:
        because = f"nasal cannula at {litres} L/min, at most 6"
        return SignGrade(Grade.MODERATE, Grade.MODERATE, because, facts=(device, flow))
    because = f"nasal cannula at {litres} L/min, more than 6"
    return SignGrade(Grade.SEVERE, Grade.SEVERE, because, facts=(device, flow))


def _grade_flow_alone(flow: Fact | None, litres: Decimal | None) -> SignGrade:
    """Return the grade of a flow without a charted device: oxygen, by whatever device."""
    missing = (Input.OXYGEN_DEVICE,)
    if flow is None or litres is None:
        return SignGrade(Grade.NONE, Grade.LIFE_THREATENING, missing=missing)
    if litres == 0:
        return NOT_AFFECTED
    because = f"oxygen at {litres} L/min, device not known"
    return SignGrade(Grade.MODERATE, Grade.LIFE_THREATENING, because, missing, (flow,))


def _select_current_setting(device: Fact | None, setting: Fact | None) -> Fact | None:
    """Return *setting*, unless it was charted before the device was changed."""
    if setting is None or (device is not None and setting.observed_at < device.observed_at):
        return None
    return setting


def rank_oxygen_severity(
    body: Observation, measures: Mapping[str, Measure]
) -> Decimal | int | None:
    """Return the rank of a reading among others of its measure; None: it cannot be read."""
    if body.measure == "oxygen-device":
        grades = {name: grade for names, grade in _GRADES for name in names}
        return grades.get(body.text, Grade.MODERATE if body.text == CANNULA else None)
    return _read_number(body, measures)


def find_inspired_40_percent(
    readings: ChartedReadings, measures: Mapping[str, Measure]
) -> bool | None:
    """Return True when 40 % oxygen or more is inspired; None: not known."""
    fio2 = _select_current_setting(readings.get("oxygen-device"), readings.get("fio2"))
    if fio2 is None:
        return None
    return reaches_limit(fio2, Quantity(Decimal(40), "%"), measures["fio2"].plausible["%"])


def find_device_name(readings: ChartedReadings) -> str:
    """Return the name of the device; empty when none was charted."""
    device = readings.get("oxygen-device")
    return "" if device is None else _read_text(device)


def _read_setting(fact: Fact | None, measures: Mapping[str, Measure]) -> Decimal | None:
    """Return a flow in L/min or an inspired oxygen in %; None: not known."""
    body = fact.body if fact else None
    return _read_number(body, measures) if isinstance(body, Observation) else None


def _read_number(body: Observation, measures: Mapping[str, Measure]) -> Decimal | None:
    unit = _UNITS[body.measure]
    return read_number(body, unit, measures[body.measure].plausible[unit])


def _read_text(device: Fact) -> str:
    return device.body.text if isinstance(device.body, Observation) else ""
