"""How much help the circulation needs: blood pressure, fluids, vasopressors.

Source: Lee et al. 2019, Biol Blood Marrow Transplant 25:625-638, table 2; thresholds are the
protocol's, as the scale has none.
"""

from datetime import datetime
from decimal import Decimal

from services.safety_rules.domain.facts.drugs import Drugs
from services.safety_rules.domain.syndromes.bedside import (
    Charted,
    Level,
    is_at_least,
    number,
    still_true,
)
from services.vocabulary.fact import Administration, Fact, Observation
from services.vocabulary.grade import Grade, Input
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


def hypotension(
    readings: Charted, drugs: Drugs, usual: Fact | None, at: datetime, limits: Bedside
) -> Level:
    """Return the hypotension of the ASTCT scale at *at*.

    Args:
        readings: Last of each measure.
        drugs: What runs and was given.
        usual: The systolic pressure before the study drug; None: not known.
        at: The instant.
        limits: The protocol's.
    """
    pressors = [running for name in limits.vasopressors if (running := _acts(name, drugs, at))]
    others = [
        running for name in limits.vasopressors_not_counted if (running := _acts(name, drugs, at))
    ]
    if len(pressors) >= _SEVERAL:
        return _treated(Grade.LIFE_THREATENING, "several vasopressors", pressors)
    if pressors or others:
        return _treated(Grade.SEVERE, "a vasopressor", [*pressors, *others])
    return _untreated(readings, drugs, usual, at, limits)


def _untreated(
    readings: Charted, drugs: Drugs, usual: Fact | None, at: datetime, limits: Bedside
) -> Level:
    pressure = still_true(readings, "sbp", at, limits.vitals_stay)
    bolus = drugs.begun.get(FLUIDS)
    since_bolus = pressure is not None and bolus and pressure.observed_at > bolus.observed_at
    if bolus and not since_bolus and at - bolus.observed_at <= limits.vitals_stay:
        return _treated(Grade.MODERATE, "a fluid bolus", [bolus])
    if pressure is None:
        return Level(Grade.NONE, Grade.MODERATE, missing=(Input.BLOOD_PRESSURE,))
    low = _is_low(pressure, usual, limits)
    if low is None:
        return Level(Grade.NONE, Grade.MODERATE, missing=(Input.BLOOD_PRESSURE,))
    if not low:
        return Level(Grade.NONE, Grade.NONE, facts=(pressure,))
    because = f"systolic pressure {_shown(pressure)}, no vasopressor"
    return Level(Grade.MODERATE, Grade.MODERATE, because, facts=(pressure,))


def _is_low(pressure: Fact, usual: Fact | None, limits: Bedside) -> bool | None:
    enough = is_at_least(pressure, Quantity(limits.sbp_below, "mm[Hg]"))
    if enough is not True or usual is None:
        return None if enough is None else not enough
    before = _millimetres(usual)
    if before is None:
        return False
    kept = is_at_least(pressure, Quantity(before - limits.sbp_drop, "mm[Hg]"))
    exactly = _millimetres(pressure) == before - limits.sbp_drop
    return True if exactly else None if kept is None else not kept


def _millimetres(fact: Fact) -> Decimal | None:
    return number(fact.body, "mm[Hg]") if isinstance(fact.body, Observation) else None


def _acts(drug: str, drugs: Drugs, at: datetime) -> Fact | None:
    """Return the fact by which *drug* acts: it runs, or a dose is given at this very instant."""
    running, given = drugs.running.get(drug), drugs.given.get(drug)
    if running is None and given is not None and given.observed_at == at:
        running = given
    return running if running is not None and _into_the_blood(running) else None


def _into_the_blood(fact: Fact) -> bool:
    """Say whether a drug may act on the pressure; so it may by a route that is not known."""
    route = fact.body.route if isinstance(fact.body, Administration) else ""
    return route.strip().upper() not in _ELSEWHERE


def _treated(grade: Grade, what: str, facts: list[Fact]) -> Level:
    names = ", ".join(sorted(getattr(fact.body, "drug", "") for fact in facts))
    return Level(grade, grade, f"{what} ({names})", facts=tuple(facts))


def _shown(fact: Fact) -> str:
    value = fact.body.value if isinstance(fact.body, Observation) else None
    return f"{value.value} {value.unit}" if value else "unreadable"
