"""Hypotension of the ASTCT scale: blood pressure, fluids, vasopressors.

Source: Lee et al. 2019, Biol Blood Marrow Transplant 25:625-638, table 2; thresholds are the
protocol's, as the scale has none.
"""

from datetime import datetime

from services.safety_rules.domain.facts.drugs import DrugExposures
from services.safety_rules.domain.syndromes.bedside import (
    ChartedReadings,
    SignGrade,
    find_current_reading,
    reaches_limit,
    read_number,
)
from services.vocabulary.clinical_fact import Administration, Observation
from services.vocabulary.fact import Fact
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
    usual_pressure: Fact | None,
    instant: datetime,
    limits: Bedside,
    *,
    plausible: PlausibleRange,
) -> SignGrade:
    """Return the hypotension of the ASTCT scale at *instant*.

    Args:
        readings: Last of each measure.
        drugs: Running and given by then.
        usual_pressure: The systolic pressure before the study drug; None: not known.
        instant: The instant.
        limits: The protocol's.
        plausible: Systolic pressures that can be, in mm[Hg].
    """
    counted_pressors = [
        fact for name in limits.vasopressors if (fact := _find_acting_fact(name, drugs, instant))
    ]
    uncounted_pressors = [
        fact
        for name in limits.vasopressors_not_counted
        if (fact := _find_acting_fact(name, drugs, instant))
    ]
    if len(counted_pressors) >= _SEVERAL:
        return _grade_treatment(Grade.LIFE_THREATENING, "several vasopressors", counted_pressors)
    if counted_pressors or uncounted_pressors:
        return _grade_treatment(
            Grade.SEVERE, "a vasopressor", [*counted_pressors, *uncounted_pressors]
        )
    return _grade_without_vasopressor(
        readings, drugs, usual_pressure, instant, limits, plausible=plausible
    )


def _grade_without_vasopressor(
    readings: ChartedReadings,
    drugs: DrugExposures,
    usual_pressure: Fact | None,
    instant: datetime,
    limits: Bedside,
    *,
    plausible: PlausibleRange,
) -> SignGrade:
    pressure = find_current_reading(readings, "sbp", instant, limits.vitals_stay)
    bolus = drugs.last_starts.get(FLUIDS)
    since_bolus = pressure is not None and bolus and pressure.observed_at > bolus.observed_at
    if bolus and not since_bolus and instant - bolus.observed_at <= limits.vitals_stay:
        return _grade_treatment(Grade.MODERATE, "a fluid bolus", [bolus])
    if pressure is None:
        return SignGrade(Grade.NONE, Grade.MODERATE, missing=(Input.BLOOD_PRESSURE,))
    is_low = _is_low(pressure, usual_pressure, limits, plausible)
    if is_low is None:
        return SignGrade(Grade.NONE, Grade.MODERATE, missing=(Input.BLOOD_PRESSURE,))
    if not is_low:
        return SignGrade(Grade.NONE, Grade.NONE, facts=(pressure,))
    because = f"systolic pressure {_describe_pressure(pressure)}, no vasopressor"
    return SignGrade(Grade.MODERATE, Grade.MODERATE, because, facts=(pressure,))


def _is_low(
    pressure: Fact, usual_pressure: Fact | None, limits: Bedside, plausible: PlausibleRange
) -> bool | None:
    is_above_limit = reaches_limit(pressure, Quantity(limits.sbp_below, PRESSURE_UNIT), plausible)
    if is_above_limit is not True or usual_pressure is None:
        return None if is_above_limit is None else not is_above_limit
    usual_value = read_number(usual_pressure.body, PRESSURE_UNIT, plausible)
    if usual_value is None:
        return False
    is_above_drop = reaches_limit(
        pressure, Quantity(usual_value - limits.sbp_drop, PRESSURE_UNIT), plausible
    )
    value = read_number(pressure.body, PRESSURE_UNIT, plausible)
    is_at_drop = value == usual_value - limits.sbp_drop
    return True if is_at_drop else None if is_above_drop is None else not is_above_drop


def _find_acting_fact(drug: str, drugs: DrugExposures, instant: datetime) -> Fact | None:
    """Return the fact by which *drug* acts: it runs, or a dose is given at this very instant."""
    acting_fact, dose_fact = drugs.running_drugs.get(drug), drugs.last_doses.get(drug)
    if acting_fact is None and dose_fact is not None and dose_fact.observed_at == instant:
        acting_fact = dose_fact
    return acting_fact if acting_fact is not None and _may_reach_blood(acting_fact) else None


def _may_reach_blood(fact: Fact) -> bool:
    """Return True when a drug may act on the pressure; by an unknown route it may."""
    route = fact.body.route if isinstance(fact.body, Administration) else ""
    return route.strip().upper() not in _ELSEWHERE


def _grade_treatment(grade: Grade, treatment: str, facts: list[Fact]) -> SignGrade:
    names = ", ".join(sorted(getattr(fact.body, "drug", "") for fact in facts))
    return SignGrade(grade, grade, f"{treatment} ({names})", facts=tuple(facts))


def _describe_pressure(fact: Fact) -> str:
    value = fact.body.value if isinstance(fact.body, Observation) else None
    return f"{value.value} {value.unit}" if value else "unreadable"
