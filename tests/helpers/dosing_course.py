"""Dosing cases from one-line scripts of grades and infusion rates with their hours.

Hours count from the first dose. ``2@10 3@24 1@60``: grade 2 from hour 10, and so on; ``2-4@5`` is
an interval, ``-@60`` the end of the record. ``8@0 16@48 -@168`` are rates in ug/d and the stop,
``0.008:mg/d@0`` one in another unit.
"""

from functools import cache
from pathlib import Path

from msgspec.structs import replace

from services.safety_rules.adapters.study_rules import load_rules
from services.safety_rules.domain.dosing.case import DosingCase
from services.safety_rules.domain.dosing.infusion_rates import convert_rates
from services.safety_rules.domain.facts.anchors import Anchors
from services.safety_rules.domain.facts.infusion import trace_infusion
from services.safety_rules.domain.participant.fold import Fold
from services.vocabulary.clinical_fact import Action, Administration, Enrolment, Transplant
from services.vocabulary.episode import Change, EpisodeContent, EpisodeState, Span
from services.vocabulary.grade import Grade
from tests.helpers.fact_notes import HOUR_ZERO, fact, hours, quantity

GRAFT = -70 * 24
_HOURS_OF_A_COURSE = "8@0 16@48 -@168"


@cache
def load_trial_rules():
    """The rules of the trial in ``studies/blina-hsct``."""
    return load_rules(Path("studies/blina-hsct")).rules


def make_infusion(script, name="blinatumomab"):
    """The administrations of an infusion."""
    administrations = []
    for word in script.split():
        rate, hour = word.split("@")
        began = any(one.body.action is not Action.STOP for one in administrations[-1:])
        action = Action.STOP if rate == "-" else Action.RATE if began else Action.START
        dose = None if rate in ("-", "?") else quantity(*read_amount(rate, "ug/d"))
        administrations.append(fact(Administration(name, action, dose), float(hour)))
    return administrations


def read_amount(text, unit):
    """The number and the unit of ``0.008:mg/d``; *unit* if it has none."""
    number, _, own_unit = text.partition(":")
    return number, own_unit or unit


def record(criterion, script, **fields):
    """A record whose grades are those of *script*."""
    *changes, last = [_change(word) for word in script.split()]
    is_resolved = last.span.at_most is Grade.NONE
    history = tuple(changes) if is_resolved else (*changes, last)
    return EpisodeContent(
        participant="P-001",
        criterion=criterion,
        term=load_trial_rules().find_title(criterion),
        onset_at=history[0].at,
        history=history,
        worst=Span(
            max(change.span.at_least for change in history),
            max(change.span.at_most for change in history),
        ),
        current=last.span,
        resolved_at=last.at if is_resolved else None,
        **({"state": EpisodeState.CONFIRMED} | fields),
    )


def _change(word):
    grades, hour = word.split("@")
    low, _, high = "0" if grades == "-" else grades.partition("-")[0], "", grades.partition("-")[2]
    at_least = Grade(int(low))
    return Change(
        hours(float(hour)),
        Span(at_least, Grade(int(high)) if high else at_least),
        "seen",
        ("ICE score",) if high else (),
    )


def case(*records, rates=_HOURS_OF_A_COURSE, hour=2000, **fields):
    """A dosing case at *hour* of a participant transplanted 70 days before the first dose."""
    administrations = make_infusion(rates)
    anchors = Anchors(
        site="rhein",
        timezone="Europe/Berlin",
        graft_at=hours(GRAFT),
        courses=(HOUR_ZERO,) if administrations else (),
    )
    trial_rules = load_trial_rules()
    return DosingCase(
        participant="P-001",
        protocol=trial_rules.protocol,
        anchors=fields.pop("anchors", anchors),
        records=records,
        infusion=convert_rates(trace_infusion(administrations, "blinatumomab"), "ug/d"),
        as_of=hours(hour),
        results={},
        seizures=(),
        premedication=(),
        last_evidence=fields.pop("last_evidence", lambda _record: None),
        matches=trial_rules.matches_pattern,
        is_laboratory=trial_rules.is_laboratory,
        **fields,
    )


def fold_facts(*facts, rates=_HOURS_OF_A_COURSE, graft=GRAFT):
    """A fold of *facts* about a treated participant."""
    fold = Fold("P-001", load_trial_rules())
    history = [
        fact(Enrolment("rhein"), graft - 24),
        fact(Transplant("haploidentical"), graft),
        *make_infusion(rates),
        *facts,
    ]
    fold.apply([replace(one, id=f"f{n}") for n, one in enumerate(history)])
    return fold


def format_hour(instant):
    """The hour of an instant."""
    return f"{(instant - HOUR_ZERO).total_seconds() / 3600:g}"


def describe_advice(advice):
    """``withhold from 24 to 96``, and any stronger action that missing data leave possible."""
    text = f"{advice.says} from {format_hour(advice.since)}"
    text += f" to {format_hour(advice.until)}" if advice.until else ""
    if advice.may_be:
        text += f"; maybe {advice.may_be} for want of {', '.join(advice.missing)}"
    return text.replace(" blinatumomab", "").replace("nothing is certain yet", "open")
