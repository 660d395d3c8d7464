"""A participant's course in one line each: grades, rates and results with their hours.

Hours count from the first dose. ``2@10 3@24 1@60``: grade 2 from hour 10, and so on; ``2-4@5`` is
an interval, ``-@60`` the end of the record. ``8@0 16@48 -@168`` are rates in ug/d and the stop.
"""

from dataclasses import replace
from functools import cache
from pathlib import Path

from services.safety_rules.adapters.study_rules import load_rules
from services.safety_rules.domain.dosing.case import DosingCase
from services.safety_rules.domain.facts.anchors import Anchors
from services.safety_rules.domain.facts.infusion import trace_infusion
from services.safety_rules.domain.participant.fold import Fold
from services.vocabulary.episode import Change, EpisodeContent, EpisodeState, Span
from services.vocabulary.fact import Action, Administration, Enrolment, Transplant
from services.vocabulary.grade import Grade
from tests.helpers.fact_notes import HOUR_ZERO, fact, hours, quantity

GRAFT = -70 * 24
_HOURS_OF_A_COURSE = "8@0 16@48 -@168"


@cache
def load_trial_rules():
    """The trial's own."""
    return load_rules(Path("studies/blina-hsct")).rules


def make_infusion(script, name="blinatumomab"):
    """The administrations of an infusion."""
    found = []
    for word in script.split():
        rate, hour = word.split("@")
        began = any(one.body.action is not Action.STOP for one in found[-1:])
        action = Action.STOP if rate == "-" else Action.RATE if began else Action.START
        dose = None if rate in ("-", "?") else quantity(rate, "ug/d")
        found.append(fact(Administration(name, action, dose), float(hour)))
    return found


def record(criterion, script, **more):
    """A record whose grades are those of *script*."""
    *changes, last = [_change(word) for word in script.split()]
    ended = last.span.at_most is Grade.NONE
    history = tuple(changes) if ended else (*changes, last)
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
        resolved_at=last.at if ended else None,
        **({"state": EpisodeState.CONFIRMED} | more),
    )


def _change(word):
    grades, hour = word.split("@")
    low, _, high = "0" if grades == "-" else grades.partition("-")[0], "", grades.partition("-")[2]
    least = Grade(int(low))
    return Change(
        hours(float(hour)),
        Span(least, Grade(int(high)) if high else least),
        "seen",
        ("ICE score",) if high else (),
    )


def case(*records, rates=_HOURS_OF_A_COURSE, at=2000, **more):
    """What is known at hour *at* of somebody who was transplanted 70 days before the first dose."""
    given = make_infusion(rates)
    anchors = Anchors(
        site="rhein",
        timezone="Europe/Berlin",
        graft_at=hours(GRAFT),
        courses=(HOUR_ZERO,) if given else (),
    )
    known = load_trial_rules()
    return DosingCase(
        participant="P-001",
        protocol=known.protocol,
        anchors=more.pop("anchors", anchors),
        records=records,
        infusion=trace_infusion(given, "blinatumomab"),
        as_of=hours(at),
        matches=known.matches_pattern,
        is_laboratory=known.is_laboratory,
        **more,
    )


def fold_facts(*facts, rates=_HOURS_OF_A_COURSE, graft=GRAFT):
    """A fold of *facts* about somebody who is treated."""
    fold = Fold("P-001", load_trial_rules())
    known = [
        fact(Enrolment("rhein"), graft - 24),
        fact(Transplant("haploidentical"), graft),
        *make_infusion(rates),
        *facts,
    ]
    fold.apply([replace(one, id=f"f{n}") for n, one in enumerate(known)])
    return fold


def format_hour(at):
    """The hour of an instant."""
    return f"{(at - HOUR_ZERO).total_seconds() / 3600:g}"


def describe_advice(advice):
    """``withhold blinatumomab from 24 to 96``, with what may be instead."""
    text = f"{advice.says} from {format_hour(advice.since)}"
    text += f" to {format_hour(advice.until)}" if advice.until else ""
    if advice.may_be:
        text += f"; maybe {advice.may_be} for want of {', '.join(advice.missing)}"
    return text.replace(" blinatumomab", "").replace("nothing is certain yet", "open")
