"""Hypotension of the ASTCT scale: blood pressure, fluids, vasopressors.

Source: Lee et al. 2019, Biol Blood Marrow Transplant 25:625-638, table 2; thresholds are the
protocol's, as the scale has none.
"""

from collections.abc import Iterable, Mapping
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
from services.safety_rules.domain.syndromes.crs_baseline import CrsBaseline
from services.safety_rules.domain.syndromes.vital_signs import PRESSURE_UNIT
from services.vocabulary.clinical_fact import Administration, Observation
from services.vocabulary.fact import Fact
from services.vocabulary.grade import Grade, Input
from services.vocabulary.measure import PlausibleRange
from services.vocabulary.protocol import Bedside
from services.vocabulary.quantity import Quantity

FLUIDS = "fluid-bolus"
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
    baseline: CrsBaseline,
    instant: datetime,
    limits: Bedside,
    *,
    plausible: PlausibleRange,
) -> SignGrade:
    """Return the hypotension of the ASTCT scale at *instant*.

    Args:
        readings: Last of each measure.
        drugs: Running and given by then.
        baseline: Pressures before exposure.
        instant: The instant.
        limits: The protocol's.
        plausible: Systolic pressures that can be, in mm[Hg].
    """
    counted_pressors = _find_acting_facts(limits.vasopressors, drugs, instant)
    uncounted_pressors = _find_acting_facts(limits.vasopressors_not_counted, drugs, instant)
    if len(counted_pressors) >= _SEVERAL:
        is_lasting = find_pressor_overlap(drugs, instant, limits) is not None
        at_least = Grade.LIFE_THREATENING if is_lasting else Grade.SEVERE
        missing = () if is_lasting else (Input.PRESSOR_OVERLAP,)
        because = f"several vasopressors ({_name_drugs(counted_pressors)})"
        facts = tuple(counted_pressors)
        return SignGrade(at_least, Grade.LIFE_THREATENING, because, missing, facts)
    if counted_pressors or uncounted_pressors:
        facts = (*counted_pressors, *uncounted_pressors)
        because = f"a vasopressor ({_name_drugs(facts)})"
        return SignGrade(Grade.SEVERE, Grade.SEVERE, because, facts=facts)
    return _grade_without_vasopressor(
        readings, drugs, baseline, instant, limits, plausible=plausible
    )


def list_running_pressors(drugs: DrugExposures, limits: Bedside) -> Mapping[str, Fact]:
    """Return the vasopressors that run, counted or not, each with the last charted of it."""
    names = (*limits.vasopressors, *limits.vasopressors_not_counted)
    running_facts = ((name, drugs.running_drugs.get(name)) for name in names)
    return {name: fact for name, fact in running_facts if fact and _may_reach_blood(fact)}


def find_pressor_overlap(
    drugs: DrugExposures, instant: datetime, limits: Bedside
) -> datetime | None:
    """Return the instant since which several vasopressors have run at once, long enough to count.

    None: they have not yet run together for the protocol's time, or do not.
    """
    starts = sorted(
        drugs.running_since[name]
        for name in limits.vasopressors
        if name in drugs.running_drugs and _may_reach_blood(drugs.running_drugs[name])
    )
    if len(starts) < _SEVERAL:
        return None
    began_at = starts[_SEVERAL - 1]
    return began_at if instant - began_at >= limits.pressor_overlap else None


def _grade_without_vasopressor(
    readings: ChartedReadings,
    drugs: DrugExposures,
    baseline: CrsBaseline,
    instant: datetime,
    limits: Bedside,
    *,
    plausible: PlausibleRange,
) -> SignGrade:
    """Return the grade of the pressure, and of fluids until a pressure is taken after them."""
    pressure, bolus = readings.get("sbp"), drugs.last_starts.get(FLUIDS)
    is_answered = bolus and pressure and pressure.observed_at > bolus.observed_at
    is_acting = bolus and not is_answered and instant - bolus.observed_at <= limits.vitals_stay
    graded_at = bolus.observed_at if bolus and is_acting else instant
    current_pressure = find_current_reading(readings, "sbp", graded_at, limits.vitals_stay)
    level = _grade_pressure(current_pressure, baseline, limits, plausible)
    return _grade_fluids(bolus, level) if bolus and is_acting else level


def _grade_fluids(bolus: Fact, pressure: SignGrade) -> SignGrade:
    """Return the grade of fluids: for a low pressure, or for another reason.

    Args:
        bolus: The last.
        pressure: The grade of the pressure when it was given.
    """
    because = f"a fluid bolus ({_name_drugs([bolus])})"
    facts = (bolus, *pressure.facts)
    if pressure.at_least >= Grade.MODERATE:
        return SignGrade(Grade.MODERATE, Grade.MODERATE, because, facts=facts)
    missing = pressure.missing or (Input.FLUID_REASON,)
    state = "pressure not certainly low" if pressure.missing else "pressure not low"
    return SignGrade(Grade.NONE, Grade.MODERATE, f"{because}, {state}", missing, facts)


def _grade_pressure(
    pressure: Fact | None, baseline: CrsBaseline, limits: Bedside, plausible: PlausibleRange
) -> SignGrade:
    if pressure is None:
        return SignGrade(Grade.NONE, Grade.MODERATE, missing=(Input.BLOOD_PRESSURE,))
    is_low = _is_low(pressure, baseline, limits, plausible)
    because = f"systolic pressure {_describe_pressure(pressure)}"
    if is_low is None:
        is_number = read_number(pressure.body, PRESSURE_UNIT, plausible) is not None
        unusual = Input.TEXT if baseline.usual_pressure is not None else Input.USUAL_PRESSURE
        missing = unusual if is_number else Input.BLOOD_PRESSURE
        return SignGrade(Grade.NONE, Grade.MODERATE, because, (missing,), (pressure,))
    if not is_low:
        return SignGrade(Grade.NONE, Grade.NONE, facts=(pressure,))
    return SignGrade(
        Grade.MODERATE, Grade.MODERATE, f"{because}, no vasopressor", facts=(pressure,)
    )


def _is_low(
    pressure: Fact, baseline: CrsBaseline, limits: Bedside, plausible: PlausibleRange
) -> bool | None:
    """Return True when *pressure* is low for the participant; None: not known."""

    def reaches(millimetres: Decimal) -> bool | None:
        return reaches_limit(pressure, Quantity(millimetres, PRESSURE_UNIT), plausible)

    is_normal = reaches(limits.sbp_below)
    if is_normal is None or not baseline.pressures:
        return None if is_normal is None else not is_normal
    lowest, usual = baseline.pressures[0], baseline.usual_pressure
    reference = lowest if usual is None else usual
    if is_normal:
        limit = reference - limits.sbp_drop
        number = read_number(pressure.body, PRESSURE_UNIT, plausible)
        is_above = reaches(limit) and number != limit
        return None if is_above is None or (usual is None and not is_above) else not is_above
    if reference >= limits.sbp_below:
        return True
    if usual is not None and reaches(usual):
        return False
    return True if reaches(lowest) is False else None


def _find_acting_facts(names: Iterable[str], drugs: DrugExposures, instant: datetime) -> list[Fact]:
    """Return the fact by which each drug acts: it runs, or a dose is given at this very instant."""
    acting_facts = []
    for name in names:
        dose = drugs.last_doses.get(name)
        is_given_now = dose is not None and dose.observed_at == instant
        acting_fact = drugs.running_drugs.get(name) or (dose if is_given_now else None)
        if acting_fact is not None and _may_reach_blood(acting_fact):
            acting_facts.append(acting_fact)
    return acting_facts


def _may_reach_blood(fact: Fact) -> bool:
    """Return True when a drug may act on the pressure; by an unknown route it may."""
    route = fact.body.route if isinstance(fact.body, Administration) else ""
    return route.strip().upper() not in _ELSEWHERE


def _name_drugs(facts: Iterable[Fact]) -> str:
    return ", ".join(sorted(f.body.drug for f in facts if isinstance(f.body, Administration)))


def _describe_pressure(fact: Fact) -> str:
    value = fact.body.value if isinstance(fact.body, Observation) else None
    return f"{value.value} {value.unit}" if value else "unreadable"
