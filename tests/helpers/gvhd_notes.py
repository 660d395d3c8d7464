"""Facts about GVHD from short notes: ``30 rash=40 upper=none | 31 bilirubin=2.4``.

Each part begins with a transplant day. ``lab`` is a bilirubin of the laboratory (mg/dL), ``weight``
kg, both in another ``unit`` if it is named; ``stage`` the four stages of a clinician (``30-0``),
``chronic`` a severity, ``scores`` NIH organ scores; anything else is charted signs, ``clear`` those
of a gut without any.
"""

from datetime import timedelta
from decimal import Decimal

from services.vocabulary.clinical_fact import ChronicGvhd, GvhdStage, Observation
from services.vocabulary.graft_fact import ChronicGvhdScores, GvhdSigns
from tests.helpers.fact_notes import HOUR_ZERO, fact, lab, quantity


def day(number):
    """The instant of transplant day *number*, at the hour of the graft."""
    return HOUR_ZERO + timedelta(days=float(number))


def read_gvhd_facts(text):
    """The facts of *text*, each with an id that names its place."""
    facts = []
    for number, note in enumerate(filter(None, map(str.strip, text.split("|")))):
        when, *words = note.split()
        facts.append(_read_fact(day(when), words, f"f{number}"))
    return facts


def _read_fact(instant, words, name):
    keys = dict(word.partition("=")[::2] for word in words)
    if "clear" in keys:
        keys |= {"upper": "none", "stool": "100"}
    if "lab" in keys:
        return lab("bilirubin", keys["lab"], instant, keys.get("unit", "mg/dL"), name=name)
    if "weight" in keys:
        return lab("weight", keys["weight"], instant, keys.get("unit", "kg"), name=name)
    return fact(_read_body(keys), instant, name=name)


def _read_body(keys):
    if "word" in keys:
        return Observation("bilirubin", text="HEMOLYZED")
    if "stage" in keys:
        return GvhdStage(*(None if letter == "-" else int(letter) for letter in keys["stage"]))
    if "chronic" in keys:
        return ChronicGvhd(keys["chronic"])
    return _read_scores(keys) if "scores" in keys else _read_signs(keys)


def _read_scores(keys):
    scores = {
        organ: int(score)
        for organ, score in keys.items()
        if organ not in ("scores", "fev1", "all", "other")
    }
    organs = ("skin", "mouth", "eyes", "gi_tract", "liver", "joints_and_fascia", "genital_tract")
    rest = dict.fromkeys(organs, int(keys["all"])) if "all" in keys else {}
    return ChronicGvhdScores(
        **(rest | scores),
        fev1_percent=Decimal(keys["fev1"]) if "fev1" in keys else None,
        other_cause=tuple(filter(None, keys.get("other", "").split(","))),
    )


def _read_signs(keys):
    def number(name):
        return Decimal(keys[name]) if name in keys else None

    return GvhdSigns(
        rash_percent=number("rash"),
        bullae="bullae" in keys,
        bilirubin=quantity(keys["bilirubin"], "mg/dL") if "bilirubin" in keys else None,
        upper_gi=keys.get("upper"),
        stool_ml_per_day=number("stool"),
        stool_episodes_per_day=number("episodes"),
        severe_gut_sign="severe" in keys,
        other_cause=tuple(filter(None, keys.get("other", "").split(","))),
    )
