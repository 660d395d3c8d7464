"""Courses of CRS, ICANS and infection: what shows at the bedside, set by set."""

from datetime import timedelta
from random import Random

from services.simulator.script import CrsEvent, Drug, IcansEvent, Infection, Neuro, Signs

_HALF_HOUR, _LATER = timedelta(minutes=30), timedelta(minutes=50)
_FEVERS = {1: ("38.0", "38.4", "38.7", "39.0"), 2: ("39.1", "39.5", "40.0"), 3: ("40.1", "40.3")}
_ORGANISMS = ("Escherichia coli", "Staphylococcus epidermidis", "Klebsiella pneumoniae")


def _fever(rng: Random, grade: int, **more: object) -> Signs:
    return Signs(temperature=rng.choice(_FEVERS[grade]), fever_grade=grade, **more)  # type: ignore[arg-type]


def crs(grade: int, first: int, rng: Random) -> CrsEvent:
    """Return a course whose worst ASTCT grade is *grade*, from vital signs *first* on."""
    return {1: _mild, 2: _moderate, 3: _severe, 4: _life_threatening}[grade](first, rng)


def _mild(first: int, rng: Random) -> CrsEvent:
    signs = tuple(_fever(rng, 1) for _ in range(4))
    drugs = (Drug(first, _HALF_HOUR, "acetaminophen", "1000", "mg", route="PO"),)
    return CrsEvent(first, signs, drugs, 1)


def _moderate(first: int, rng: Random) -> CrsEvent:
    signs = (
        _fever(rng, 1),
        _fever(rng, 2, sbp=84),
        _fever(rng, 1, sbp=104, spo2=93, device="nasal-cannula", flow=2),
        Signs(temperature="37.6", sbp=108, spo2=95, device="nasal-cannula", flow=1),
    )
    drugs = (
        Drug(first + 1, _HALF_HOUR, "fluid-bolus", "500", "mL"),
        Drug(first + 1, _LATER, "dexamethasone", "10", "mg"),
    )
    return CrsEvent(first, signs, drugs, 2)


def _severe(first: int, rng: Random) -> CrsEvent:
    signs = (
        _fever(rng, 1),
        _fever(rng, 2, sbp=82),
        _fever(rng, 2, sbp=97, spo2=93, device="nasal-cannula", flow=4),
        _fever(rng, 1, sbp=101, spo2=92, device="high-flow-cannula", flow=30),
        Signs(temperature="37.5", sbp=104, spo2=94, device="nasal-cannula", flow=6),
        Signs(temperature="37.1", sbp=109, spo2=96, device="nasal-cannula", flow=2),
    )
    drugs = (
        Drug(first + 1, _HALF_HOUR, "norepinephrine", "4", "ug/min", "start"),
        Drug(first + 1, _LATER, "dexamethasone", "10", "mg"),
        Drug(first + 2, _HALF_HOUR, "tocilizumab", "8", "mg/kg"),
        Drug(first + 3, _HALF_HOUR, "norepinephrine", "2", "ug/min", "rate"),
        Drug(first + 5, _HALF_HOUR, "norepinephrine", "0", "ug/min", "stop"),
    )
    return CrsEvent(first, signs, drugs, 3, in_icu=(first + 1, first + 7))


def _life_threatening(first: int, rng: Random) -> CrsEvent:
    signs = (
        _fever(rng, 2),
        _fever(rng, 3, sbp=78, spo2=91, device="simple-mask", flow=8),
        _fever(rng, 2, sbp=88, spo2=90, device="non-rebreather", flow=15),
        _fever(rng, 1, sbp=96, spo2=94, device="ventilator"),
        Signs(temperature="37.8", sbp=101, spo2=96, device="ventilator"),
        Signs(temperature="37.4", sbp=106, spo2=96, device="high-flow-cannula", flow=40),
        Signs(temperature="37.0", sbp=110, spo2=95, device="nasal-cannula", flow=3),
    )
    drugs = (
        Drug(first + 1, _HALF_HOUR, "norepinephrine", "8", "ug/min", "start"),
        Drug(first + 1, _LATER, "dexamethasone", "20", "mg"),
        Drug(first + 2, _HALF_HOUR, "epinephrine", "4", "ug/min", "start"),
        Drug(first + 2, _LATER, "tocilizumab", "8", "mg/kg"),
        Drug(first + 4, _HALF_HOUR, "epinephrine", "0", "ug/min", "stop"),
        Drug(first + 6, _HALF_HOUR, "norepinephrine", "0", "ug/min", "stop"),
    )
    return CrsEvent(first, signs, drugs, 4, in_icu=(first + 1, first + 8))


_ASSESSED = {
    1: (Neuro(ice=7), Neuro(ice=8), Neuro(ice=9)),
    2: (Neuro(ice=3), Neuro(ice=6), Neuro(ice=5, arousal="voice")),
    3: (
        Neuro(ice=2),
        Neuro(ice=0, arousal="tactile"),
        Neuro(ice=8, seizure="brief"),
        Neuro(ice=4, arousal="tactile"),
    ),
    4: (Neuro(ice=0, arousal="unarousable"), Neuro(ice=4, seizure="prolonged")),
}


def icans(grade: int, first: int, rng: Random) -> IcansEvent:
    """Return a course whose worst ASTCT grade is *grade*, from assessment *first* on."""
    up = [rng.choice(_ASSESSED[level]) for level in range(1, grade)]
    top = [rng.choice(_ASSESSED[grade])]
    down = [rng.choice(_ASSESSED[level]) for level in range(min(grade, 3) - 1, 0, -1)]
    return IcansEvent(first, tuple(up[-2:] + top + down), grade)


def infection(first: int, rng: Random) -> Infection:
    """Return some days of fever, from vital signs *first* on."""
    grades = [1, rng.choice((1, 2)), 1, 1]
    signs = tuple(_fever(rng, grade) for grade in grades)
    return Infection(first, signs, rng.choice(_ORGANISMS))
