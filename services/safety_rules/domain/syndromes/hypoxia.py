"""Hypoxia of the ASTCT scale: by the oxygen device, and only then by the flow.

Source: Lee et al. 2019, Biol Blood Marrow Transplant 25:625-638, table 2; the devices in its
footnotes, and where they are silent: docs/decisions/bedside.md
"""

from decimal import Decimal

from services.safety_rules.domain.syndromes.bedside import (
    NOT_AFFECTED,
    ChartedReadings,
    SignGrade,
    reaches_limit,
    read_number,
)
from services.vocabulary.clinical_fact import Observation
from services.vocabulary.fact import Fact
from services.vocabulary.grade import Grade, Input
from services.vocabulary.quantity import Quantity

OXYGEN_MEASURES = frozenset({"oxygen-device", "oxygen-flow", "fio2"})

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
_CANNULA = "nasal-cannula"


def grade_hypoxia(readings: ChartedReadings) -> SignGrade:
    """Return the hypoxia of the ASTCT scale; a device stays until it is changed."""
    device = readings.get("oxygen-device")
    flow = _select_current_flow(device, readings.get("oxygen-flow"))
    if device is None:
        return _grade_flow_alone(flow)
    name = _read_text(device)
    if name == _CANNULA:
        return _grade_cannula(device, flow)
    for devices, grade in _GRADES:
        if name in devices:
            return SignGrade(grade, grade, name, facts=(device,))
    return SignGrade(Grade.NONE, Grade.LIFE_THREATENING, missing=(Input.OXYGEN_DEVICE,))


def _grade_cannula(device: Fact, flow: Fact | None) -> SignGrade:
    litres = _read_litres(flow)
    if flow is None or litres is None:
        because = "nasal cannula, flow not known"
        missing = (Input.OXYGEN_FLOW,)
        return SignGrade(Grade.MODERATE, Grade.SEVERE, because, missing, (device,))
    if litres <= _LOW_FLOW_UP_TO:
        because = f"nasal cannula at {litres} L/min, at most 6"
        return SignGrade(Grade.MODERATE, Grade.MODERATE, because, facts=(device, flow))
    because = f"nasal cannula at {litres} L/min, more than 6"
    return SignGrade(Grade.SEVERE, Grade.SEVERE, because, facts=(device, flow))


def _grade_flow_alone(flow: Fact | None) -> SignGrade:
    """Return the grade of a flow without a charted device: oxygen, by whatever device."""
    missing = (Input.OXYGEN_DEVICE,)
    litres = _read_litres(flow)
    if flow is None or litres is None:
        return SignGrade(Grade.NONE, Grade.LIFE_THREATENING, missing=missing)
    if litres == 0:
        return NOT_AFFECTED
    because = f"oxygen at {litres} L/min, device not known"
    return SignGrade(Grade.MODERATE, Grade.LIFE_THREATENING, because, missing, (flow,))


def _select_current_flow(device: Fact | None, flow: Fact | None) -> Fact | None:
    """Return *flow*, unless it was charted before the device was changed."""
    if flow is None or (device is not None and flow.observed_at < device.observed_at):
        return None
    return flow


def rank_oxygen_severity(body: Observation) -> Decimal | int | None:
    """Return the rank of a reading among others of its measure; None: it cannot be read."""
    if body.measure == "oxygen-device":
        grades = {name: grade for names, grade in _GRADES for name in names}
        return grades.get(body.text, Grade.MODERATE if body.text == _CANNULA else None)
    return read_number(body, "L/min" if body.measure == "oxygen-flow" else "%")


def find_inspired_40_percent(readings: ChartedReadings) -> tuple[bool | None, Fact | None]:
    """Return True when 40 % oxygen or more is inspired, with its fact; None: not known."""
    device, fio2 = readings.get("oxygen-device"), readings.get("fio2")
    if fio2 is None or (device is not None and fio2.observed_at < device.observed_at):
        return None, None
    return reaches_limit(fio2, Quantity(Decimal(40), "%")), fio2


def find_device_name(readings: ChartedReadings) -> str:
    """Return the name of the device; empty when none was charted."""
    device = readings.get("oxygen-device")
    return "" if device is None else _read_text(device)


def _read_litres(flow: Fact | None) -> Decimal | None:
    return read_number(flow.body, "L/min") if flow and isinstance(flow.body, Observation) else None


def _read_text(device: Fact) -> str:
    return device.body.text if isinstance(device.body, Observation) else ""
