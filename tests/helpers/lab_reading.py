"""Laboratory readings from dictated text, and their grades under one criterion.

``alt 121 U/L; ULN 40; baseline 30; symptoms yes``: after the value come the other inputs, in its
unit unless another is given. ``baseline unknown`` after exposure; without a word
about the baseline the reading is before it. ``baseline ULN 55`` is a limit of its own, which may be
``unknown``. ``for 2 h`` it has not changed; ``beside`` it stands another measure.
"""

import re
from dataclasses import replace
from datetime import timedelta

from services.safety_rules.adapters.criteria_files import load_table
from services.safety_rules.domain.ctcae.grading import (
    BaselineKnown,
    BaselineUnknown,
    NoBaseline,
    OwnLimits,
    Reading,
    Treatment,
    grade_reading,
)
from services.vocabulary.grade import Symptoms
from tests.helpers.fact_notes import quantity

TABLES = {"5": load_table("ctcae-5.0"), "6": load_table("ctcae-6.0")}
_LIMITS = {"LLN": "lln", "ULN": "uln", "albumin": "albumin"}
_SYMPTOMS = {
    "yes": Symptoms.PRESENT,
    "no": Symptoms.NONE,
    "mild": Symptoms.MILD,
    "moderate": Symptoms.MODERATE,
    "severe": Symptoms.SEVERE,
}
_STATES = {
    "replaced": "is_replaced",
    "fasting": "fasting",
    "at rest": "at_rest",
    "at the skin": "is_peripheral",
    "anticoagulation": "is_anticoagulated",
    "infarction": "infarction",
}


def find_criterion(version, slug):
    """The compiled criterion *slug* of CTCAE v5 or v6."""
    return TABLES[version].compiled.by_id[f"ctcae-{version}.0.{slug}"]


def parse_reading(text):
    """Return the reading and the baseline of *text*."""
    (measure, *amount_words), *details = (part.split() for part in text.split(";"))
    value, unit = amount_words[0], " ".join(amount_words[1:])
    inputs, baseline_details = {}, []
    for words in details:
        key, last_word = " ".join(words[:-1]), words[-1]
        if key == "symptoms":
            inputs["symptoms"] = _SYMPTOMS[last_word]
        elif key in _STATES:
            inputs[_STATES[key]] = {"yes": True, "no": False}[last_word]
        elif words[0] in _LIMITS:
            inputs[_LIMITS[words[0]]] = quantity(" ".join(words[1:]), unit)
        elif words[0] == "treatment":
            inputs["treatment"] = Treatment(" ".join(words[1:]))
        elif words[0] == "beside":
            inputs.setdefault("companions", {})[words[1]] = quantity(" ".join(words[2:]))
        elif words[0] == "for":
            inputs["held_durations"] = timedelta(hours=float(words[1]))
        elif words[0] == "baseline":
            baseline_details.append(words[1:])
        else:
            raise ValueError(f"what is {' '.join(words)}?")
    amount = None if value == "HEMOLYZED" else quantity(f"{value} {unit}")
    return Reading(measure, amount, **inputs), _parse_baseline(baseline_details, unit)


def _parse_baseline(details, unit):
    baseline, own_limits = NoBaseline(), {}
    for words in details:
        if words[0] in _LIMITS:
            own_limits[_LIMITS[words[0]]] = _parse_known(words[1:], unit)
        else:
            amount = _parse_known(words, unit)
            baseline = BaselineUnknown() if amount is None else BaselineKnown(amount)
    if not own_limits:
        return baseline
    return replace(baseline, own_limits=OwnLimits(own_limits.get("lln"), own_limits.get("uln")))


def _parse_known(words, unit):
    return None if words == ["unknown"] else quantity(" ".join(words), unit)


def grade_text(version, slug, text):
    """Return the grading outcome of the reading *text*."""
    return grade_reading(find_criterion(version, slug), *parse_reading(text))


def describe_outcome(outcome):
    """``3``, or ``2-3 for want of symptoms``."""
    if outcome.at_least == outcome.at_most:
        return f"{outcome.at_least:d}"
    missing = ", ".join(sorted(outcome.missing))
    return f"{outcome.at_least:d}-{outcome.at_most:d} for want of {missing}"


def exact_rows(common_rows, v5, v6, short):
    """The rows ``term | reading | value=grade ...`` as (version, slug, reading, grade).

    ``_`` in a reading is where its value stands; *short* has the slug of a short name.
    """
    return [
        (version, short.get(term, term), re.sub(r" _(?=[ ;]|$)", f" {value}", reading), level)
        for version, own in (("5", v5), ("6", v6))
        for table in (common_rows, own)
        for term, reading, pairs in _cells(table)
        for value, level in (pair.split("=") for pair in pairs.split())
    ]


def interval_rows(table, short):
    """The rows ``versions term | reading | what is said`` as (version, slug, reading, said)."""
    return [
        (version, short.get(term, term), reading, expected)
        for first, reading, expected in _cells(table)
        for versions, term in (first.split(),)
        for version in versions
    ]


def _cells(table):
    return [tuple(cell.strip() for cell in line.split("|")) for line in table.split("\n") if line]
