"""Bedside courses from a clinician's shorthand: ``2 T38.5 BP84; 3 +norepinephrine``.

Each part is an hour and what was charted then: ``T38.5`` (C), ``T101F``, ``BP84``, a device with
its flow (``NC@2``), ``F40`` (FiO2), ``ICE7``, ``CAPD9``, ``seizure:brief``; ``+drug`` starts,
``-drug`` stops, ``~drug=2`` runs at another rate, ``drug=20`` is one dose, ``premed:drug=20`` one
that the protocol asks for, ``drug/IM`` by another route; ``discharged``.
"""

import re
from itertools import groupby

from services.runtime.measures import load_measures
from services.vocabulary.clinical_fact import Action, Administration, Movement, Observation
from services.vocabulary.grade import Grade
from tests.helpers.fact_notes import HOUR_ZERO, fact, quantity

DEVICES = {
    "RA": "room-air",
    "NC": "nasal-cannula",
    "BLOWBY": "blow-by",
    "HFNC": "high-flow-cannula",
    "MASK": "simple-mask",
    "NRB": "non-rebreather",
    "VENTURI": "venturi",
    "TRACH": "trach-collar",
    "CPAP": "cpap",
    "HOMECPAP": "home-cpap",
    "BIPAP": "bipap",
    "VENT": "ventilator",
    "AIRWAY": "ventilator-airway-protection",
}
AROUSAL = ("spontaneous", "voice", "tactile", "unarousable")
ACTIONS = {"+": Action.START, "-": Action.STOP, "~": Action.RATE, "": Action.DOSE}
NUMBERS = {"T": ("temperature", "Cel"), "BP": ("sbp", "mm[Hg]"), "F": ("fio2", "%")}
SCORES = {"ICE": "ice", "CAPD": "capd"}


def read_course(text):
    """The facts of a course, in time order."""
    facts = []
    for part in filter(None, (part.strip() for part in text.split(";"))):
        hour, *words = part.split()
        bodies = [body for word in words for body in _bodies(word)]
        for index, body in enumerate(bodies):
            facts.append(fact(body, float(hour), name=f"{float(hour):08.2f}-{index}"))
    return sorted(facts, key=lambda f: f.observed_at)


def find_runs(syndrome, facts, protocol, context):
    """The runs of *syndrome* that *facts* make; `describe_runs` writes them in shorthand."""
    state, runs = syndrome.make_initial_state(protocol, load_measures(), context), []
    relevant_facts = [one for one in facts if syndrome.reads_fact(one, protocol)]
    for instant, simultaneous_facts in groupby(relevant_facts, key=lambda f: f.observed_at):
        state, ended_run = syndrome.step_state(state, instant, tuple(simultaneous_facts))
        runs += [ended_run] if ended_run else []
    open_run = syndrome.find_open_run(state)
    return (*runs, open_run) if open_run else tuple(runs)


def describe_runs(runs):
    """``2:1 4:1-3 30:0 | 90:1``: hour and grade, 0 once over, a bar between two.

    ``?`` if only possible, ``outside`` when no cause acted while there were signs.
    """
    return " | ".join(_describe_run(run) for run in runs)


def _describe_run(syndrome_run):
    words = [f"{_hour(change.at)}:{change.span}" for change in syndrome_run.history]
    if syndrome_run.resolved_at:
        words.append(f"{_hour(syndrome_run.resolved_at)}:{Grade.NONE:d}")
    window_word = " outside" if syndrome_run.outside_inducer_window else ""
    return " ".join(words) + ("?" if syndrome_run.possible else "") + window_word


def _hour(instant):
    return f"{(instant - HOUR_ZERO).total_seconds() / 3600:g}"


def _bodies(word):
    if match := re.fullmatch(r"(T|BP|F)([<>]?=?\d+\.?\d*)(F?)", word):
        measure, unit = NUMBERS[match[1]]
        yield Observation(measure, quantity(match[2], "[degF]" if match[3] else unit))
    elif match := re.fullmatch(r"(ICE|CAPD)(\S+)", word):
        yield Observation(SCORES[match[1]], quantity(match[2], "{score}"))
    elif match := re.fullmatch(r"([A-Z]*)(?:@(\d+\.?\d*))?", word):
        if match[1]:
            yield Observation("oxygen-device", text=DEVICES[match[1]])
        if match[2]:
            yield Observation("oxygen-flow", quantity(match[2], "L/min"))
    elif word == "discharged":
        yield Movement("discharge")
    elif word in AROUSAL:
        yield Observation("arousal", text=word)
    elif (match := re.fullmatch(r"([a-z-]+):([a-z-]+)", word)) and match[1] != "premed":
        yield Observation(match[1], text=match[2])
    else:
        yield _administration(word)


def _administration(word):
    pattern = r"(premed:)?([+~-]?)([a-z-]+)(?:=([\d.]+)(g?))?(?:/(\w+))?"
    prefix, sign, drug, dose, grams, route = re.fullmatch(pattern, word).groups()
    return Administration(
        drug,
        ACTIONS[sign],
        quantity(dose, grams or "mg"),
        route=route or "",
        scheduled=bool(prefix),
    )
