"""How much help with breathing: what the device says, and only then the flow.

Source: Lee et al. 2019, Biol Blood Marrow Transplant 25:625-638, table 2; the devices in its
footnotes, and what they leave open: docs/decisions/bedside.md
"""

from decimal import Decimal

from services.safety_rules.domain.syndromes.bedside import (
    NORMAL,
    Charted,
    Level,
    is_at_least,
    number,
)
from services.vocabulary.fact import Fact, Observation
from services.vocabulary.grade import Grade, Input
from services.vocabulary.quantity import Quantity

MEASURES = frozenset({"oxygen-device", "oxygen-flow", "fio2"})

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


def hypoxia(readings: Charted) -> Level:
    """Return the hypoxia of the ASTCT scale; a device stays until it is changed."""
    device = readings.get("oxygen-device")
    flow = _flow_with(device, readings.get("oxygen-flow"))
    if device is None:
        return _by_flow_alone(flow)
    name = _text(device)
    if name == _CANNULA:
        return _cannula(device, flow)
    for devices, grade in _GRADES:
        if name in devices:
            return Level(grade, grade, name, facts=(device,))
    return Level(Grade.NONE, Grade.LIFE_THREATENING, missing=(Input.OXYGEN_DEVICE,))


def _cannula(device: Fact, flow: Fact | None) -> Level:
    litres = _litres(flow)
    if flow is None or litres is None:
        because = "nasal cannula, flow not known"
        missing = (Input.OXYGEN_FLOW,)
        return Level(Grade.MODERATE, Grade.SEVERE, because, missing, (device,))
    if litres <= _LOW_FLOW_UP_TO:
        because = f"nasal cannula at {litres} L/min, at most 6"
        return Level(Grade.MODERATE, Grade.MODERATE, because, facts=(device, flow))
    because = f"nasal cannula at {litres} L/min, more than 6"
    return Level(Grade.SEVERE, Grade.SEVERE, because, facts=(device, flow))


def _by_flow_alone(flow: Fact | None) -> Level:
    """Return what a flow says when no device was ever charted: oxygen, by whatever device."""
    missing = (Input.OXYGEN_DEVICE,)
    litres = _litres(flow)
    if flow is None or litres is None:
        return Level(Grade.NONE, Grade.LIFE_THREATENING, missing=missing)
    if litres == 0:
        return NORMAL
    because = f"oxygen at {litres} L/min, device not known"
    return Level(Grade.MODERATE, Grade.LIFE_THREATENING, because, missing, (flow,))


def _flow_with(device: Fact | None, flow: Fact | None) -> Fact | None:
    """Return *flow*, unless it was charted before the device was changed."""
    if flow is None or (device is not None and flow.observed_at < device.observed_at):
        return None
    return flow


def severity(body: Observation) -> Decimal | int | None:
    """Return how bad a reading is beside others of its measure; None: it cannot be read."""
    if body.measure == "oxygen-device":
        grades = {name: grade for names, grade in _GRADES for name in names}
        return grades.get(body.text, Grade.MODERATE if body.text == _CANNULA else None)
    return number(body, "L/min" if body.measure == "oxygen-flow" else "%")


def inspired_40_percent(readings: Charted) -> tuple[bool | None, Fact | None]:
    """Say whether 40 % oxygen or more is inspired; None: not known with this device."""
    device, fio2 = readings.get("oxygen-device"), readings.get("fio2")
    if fio2 is None or (device is not None and fio2.observed_at < device.observed_at):
        return None, None
    return is_at_least(fio2, Quantity(Decimal(40), "%")), fio2


def device_name(readings: Charted) -> str:
    """Return the name of the device; empty when none was charted."""
    device = readings.get("oxygen-device")
    return "" if device is None else _text(device)


def _litres(flow: Fact | None) -> Decimal | None:
    return number(flow.body, "L/min") if flow and isinstance(flow.body, Observation) else None


def _text(device: Fact) -> str:
    return device.body.text if isinstance(device.body, Observation) else ""
