"""Courses of CRS, ICANS and infection: the bedside findings, set by set."""

from datetime import timedelta
from random import Random

from services.simulator.script import (
    CrsEvent,
    IcansEvent,
    Infection,
    NeuroAssessment,
    PlannedDrug,
    VitalSigns,
)

_HALF_HOUR, _FIFTY_MINUTES = timedelta(minutes=30), timedelta(minutes=50)
_FEVERS = {1: ("38.0", "38.4", "38.7", "39.0"), 2: ("39.1", "39.5", "40.0"), 3: ("40.1", "40.3")}
_ORGANISMS = ("Escherichia coli", "Staphylococcus epidermidis", "Klebsiella pneumoniae")


def _draw_fever(rng: Random, grade: int, **signs: object) -> VitalSigns:
    return VitalSigns(temperature=rng.choice(_FEVERS[grade]), fever_grade=grade, **signs)  # type: ignore[arg-type]


def draw_crs(grade: int, first: int, rng: Random) -> CrsEvent:
    """Return a course whose worst ASTCT grade is *grade*, from vital signs *first* on."""
    return {1: _mild, 2: _moderate, 3: _severe, 4: _life_threatening}[grade](first, rng)


def _mild(first: int, rng: Random) -> CrsEvent:
    signs = tuple(_draw_fever(rng, 1) for _ in range(4))
    drugs = (PlannedDrug(first, _HALF_HOUR, "acetaminophen", "1000", "mg", route="PO"),)
    return CrsEvent(first, signs, drugs, 1)


def _moderate(first: int, rng: Random) -> CrsEvent:
    signs = (
        _draw_fever(rng, 1),
        _draw_fever(rng, 2, sbp=84),
        _draw_fever(rng, 1, sbp=104, spo2=93, device="nasal-cannula", flow=2),
        VitalSigns(temperature="37.6", sbp=108, spo2=95, device="nasal-cannula", flow=1),
    )
    drugs = (
        PlannedDrug(first + 1, _HALF_HOUR, "fluid-bolus", "500", "mL"),
        PlannedDrug(first + 1, _FIFTY_MINUTES, "dexamethasone", "10", "mg"),
    )
    return CrsEvent(first, signs, drugs, 2)


def _severe(first: int, rng: Random) -> CrsEvent:
    signs = (
        _draw_fever(rng, 1),
        _draw_fever(rng, 2, sbp=82),
        _draw_fever(rng, 2, sbp=97, spo2=93, device="nasal-cannula", flow=4),
        _draw_fever(rng, 1, sbp=101, spo2=92, device="high-flow-cannula", flow=30),
        VitalSigns(temperature="37.5", sbp=104, spo2=94, device="nasal-cannula", flow=6),
        VitalSigns(temperature="37.1", sbp=109, spo2=96, device="nasal-cannula", flow=2),
    )
    drugs = (
        PlannedDrug(first + 1, _HALF_HOUR, "norepinephrine", "4", "ug/min", "start"),
        PlannedDrug(first + 1, _FIFTY_MINUTES, "dexamethasone", "10", "mg"),
        PlannedDrug(first + 2, _HALF_HOUR, "tocilizumab", "8", "mg/kg"),
        PlannedDrug(first + 3, _HALF_HOUR, "norepinephrine", "2", "ug/min", "rate"),
        PlannedDrug(first + 5, _HALF_HOUR, "norepinephrine", "0", "ug/min", "stop"),
    )
    return CrsEvent(first, signs, drugs, 3, in_icu=(first + 1, first + 7))


def _life_threatening(first: int, rng: Random) -> CrsEvent:
    signs = (
        _draw_fever(rng, 2),
        _draw_fever(rng, 3, sbp=78, spo2=91, device="simple-mask", flow=8),
        _draw_fever(rng, 2, sbp=88, spo2=90, device="non-rebreather", flow=15),
        _draw_fever(rng, 1, sbp=96, spo2=94, device="ventilator"),
        VitalSigns(temperature="37.8", sbp=101, spo2=96, device="ventilator"),
        VitalSigns(temperature="37.4", sbp=106, spo2=96, device="high-flow-cannula", flow=40),
        VitalSigns(temperature="37.0", sbp=110, spo2=95, device="nasal-cannula", flow=3),
    )
    drugs = (
        PlannedDrug(first + 1, _HALF_HOUR, "norepinephrine", "8", "ug/min", "start"),
        PlannedDrug(first + 1, _FIFTY_MINUTES, "dexamethasone", "20", "mg"),
        PlannedDrug(first + 2, _HALF_HOUR, "epinephrine", "4", "ug/min", "start"),
        PlannedDrug(first + 2, _FIFTY_MINUTES, "tocilizumab", "8", "mg/kg"),
        PlannedDrug(first + 4, _HALF_HOUR, "epinephrine", "0", "ug/min", "stop"),
        PlannedDrug(first + 6, _HALF_HOUR, "norepinephrine", "0", "ug/min", "stop"),
    )
    return CrsEvent(first, signs, drugs, 4, in_icu=(first + 1, first + 8))


_ASSESSMENTS = {
    1: (NeuroAssessment(ice=7), NeuroAssessment(ice=8), NeuroAssessment(ice=9)),
    2: (NeuroAssessment(ice=3), NeuroAssessment(ice=6), NeuroAssessment(ice=5, arousal="voice")),
    3: (
        NeuroAssessment(ice=2),
        NeuroAssessment(ice=0, arousal="tactile"),
        NeuroAssessment(ice=8, seizure="brief"),
        NeuroAssessment(ice=4, arousal="tactile"),
    ),
    4: (NeuroAssessment(ice=0, arousal="unarousable"), NeuroAssessment(ice=4, seizure="prolonged")),
}


def draw_icans(grade: int, first: int, rng: Random) -> IcansEvent:
    """Return a course whose worst ASTCT grade is *grade*, from assessment *first* on."""
    ascent = [rng.choice(_ASSESSMENTS[level]) for level in range(1, grade)]
    peak = [rng.choice(_ASSESSMENTS[grade])]
    descent = [rng.choice(_ASSESSMENTS[level]) for level in range(min(grade, 3) - 1, 0, -1)]
    return IcansEvent(first, tuple(ascent[-2:] + peak + descent), grade)


def draw_infection(first: int, rng: Random) -> Infection:
    """Return some days of fever, from vital signs *first* on."""
    grades = [1, rng.choice((1, 2)), 1, 1]
    signs = tuple(_draw_fever(rng, grade) for grade in grades)
    return Infection(first, signs, rng.choice(_ORGANISMS))
