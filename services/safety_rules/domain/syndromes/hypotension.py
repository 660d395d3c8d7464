"""How much help the circulation needs: blood pressure, fluids, vasopressors.

Source: Lee et al. 2019, Biol Blood Marrow Transplant 25:625-638, table 2; thresholds are the
protocol's, as the scale has none.
"""

from datetime import datetime
from decimal import Decimal

from services.safety_rules.domain.facts.drugs import DrugExposures
from services.safety_rules.domain.syndromes.bedside import (
    ChartedReadings,
    SignGrade,
    find_current_reading,
    reaches_limit,
    read_number,
)
from services.vocabulary.fact import Administration, Fact, Observation
from services.vocabulary.grade import Grade, Input
from services.vocabulary.measure import PlausibleRange
from services.vocabulary.protocol import Bedside
from services.vocabulary.quantity import Quantity

FLUIDS = "fluid-bolus"
PRESSURE_UNIT = "mm[Hg]"
_SEVERAL = 2
# An injection against anaphylaxis, a nebuliser, eye drops: no infusion of a vasopressor.
# Source: HL7 v2.5.1, table 0162
_ELSEWHERE = frozenset(
    {"AP", "B", "DT", "EP", "ET", "ID", "IH", "IHA", "IM", "IN", "IO", "IT", "MM", "MTH", "NEB"}
    | {"NG", "NP", "NS", "NT", "OP", "PO", "PR", "SC", "SL", "SQ", "TD", "TL", "TP"}
)


def grade_hypotension(
    readings: ChartedReadings,
    drugs: DrugExposures,
    usual: Fact | None,
    at: datetime,
    limits: Bedside,
    *,
    plausible: PlausibleRange,
) -> SignGrade:
    """Return the hypotension of the ASTCT scale at *at*.

    Args:
        readings: Last of each measure.
        drugs: What runs and was given.
        usual: The systolic pressure before the study drug; None: not known.
        at: The instant.
        limits: The protocol's.
        plausible: Systolic pressures that can be, in mm[Hg].
    """
    pressors = [
        running for name in limits.vasopressors if (running := _find_acting_fact(name, drugs, at))
    ]
    others = [
        running
        for name in limits.vasopressors_not_counted
        if (running := _find_acting_fact(name, drugs, at))
    ]
    if len(pressors) >= _SEVERAL:
        return _grade_treatment(Grade.LIFE_THREATENING, "several vasopressors", pressors)
    if pressors or others:
        return _grade_treatment(Grade.SEVERE, "a vasopressor", [*pressors, *others])
    return _grade_without_vasopressor(readings, drugs, usual, at, limits, plausible=plausible)


def _grade_without_vasopressor(
    readings: ChartedReadings,
    drugs: DrugExposures,
    usual: Fact | None,
    at: datetime,
    limits: Bedside,
    *,
    plausible: PlausibleRange,
) -> SignGrade:
    pressure = find_current_reading(readings, "sbp", at, limits.vitals_stay)
    bolus = drugs.last_starts.get(FLUIDS)
    since_bolus = pressure is not None and bolus and pressure.observed_at > bolus.observed_at
    if bolus and not since_bolus and at - bolus.observed_at <= limits.vitals_stay:
        return _grade_treatment(Grade.MODERATE, "a fluid bolus", [bolus])
    if pressure is None:
        return SignGrade(Grade.NONE, Grade.MODERATE, missing=(Input.BLOOD_PRESSURE,))
    low = _is_low(pressure, usual, limits, plausible)
    if low is None:
        return SignGrade(Grade.NONE, Grade.MODERATE, missing=(Input.BLOOD_PRESSURE,))
    if not low:
        return SignGrade(Grade.NONE, Grade.NONE, facts=(pressure,))
    because = f"systolic pressure {_describe_pressure(pressure)}, no vasopressor"
    return SignGrade(Grade.MODERATE, Grade.MODERATE, because, facts=(pressure,))


def _is_low(
    pressure: Fact, usual: Fact | None, limits: Bedside, plausible: PlausibleRange
) -> bool | None:
    enough = reaches_limit(pressure, Quantity(limits.sbp_below, PRESSURE_UNIT), plausible)
    if enough is not True or usual is None:
        return None if enough is None else not enough
    before = _read_millimetres(usual)
    if before is None:
        return False
    kept = reaches_limit(pressure, Quantity(before - limits.sbp_drop, PRESSURE_UNIT), plausible)
    exactly = _read_millimetres(pressure) == before - limits.sbp_drop
    return True if exactly else None if kept is None else not kept


def _read_millimetres(fact: Fact) -> Decimal | None:
    return read_number(fact.body, PRESSURE_UNIT) if isinstance(fact.body, Observation) else None


def _find_acting_fact(drug: str, drugs: DrugExposures, at: datetime) -> Fact | None:
    """Return the fact by which *drug* acts: it runs, or a dose is given at this very instant."""
    running, given = drugs.running_drugs.get(drug), drugs.last_doses.get(drug)
    if running is None and given is not None and given.observed_at == at:
        running = given
    return running if running is not None and _may_reach_blood(running) else None


def _may_reach_blood(fact: Fact) -> bool:
    """Say whether a drug may act on the pressure; so it may by a route that is not known."""
    route = fact.body.route if isinstance(fact.body, Administration) else ""
    return route.strip().upper() not in _ELSEWHERE


def _grade_treatment(grade: Grade, what: str, facts: list[Fact]) -> SignGrade:
    names = ", ".join(sorted(getattr(fact.body, "drug", "") for fact in facts))
    return SignGrade(grade, grade, f"{what} ({names})", facts=tuple(facts))


def _describe_pressure(fact: Fact) -> str:
    value = fact.body.value if isinstance(fact.body, Observation) else None
    return f"{value.value} {value.unit}" if value else "unreadable"
