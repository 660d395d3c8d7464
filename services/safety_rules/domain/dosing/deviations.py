"""Where a participant's treatment departs from the protocol.

Source: docs/decisions/dose.md, "Deviations"
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import pairwise, zip_longest

from services.safety_rules.domain.dosing.case import (
    DosingCase,
    TimedAdvice,
    format_duration,
    make_advice,
)
from services.safety_rules.domain.facts.infusion import InfusionPeriod, format_rate
from services.vocabulary.dosing import Deviations, Dosing, Premedication
from services.vocabulary.fact import Action, Administration
from services.vocabulary.quantity import Quantity
from services.vocabulary.recommendation import Advice, AdviceKind

_LEVEL = 1
_FAR_AWAY = timedelta(days=3650)


def find_deviations(case: DosingCase) -> Iterator[TimedAdvice]:
    """Yield every departure that is certain by now."""
    rules = case.protocol.deviations
    if rules is None:
        return
    yield from _first_course(case, rules)
    if (dosing := case.protocol.dosing) is not None:
        yield from _premedication(case, rules)
        yield from _steps(case, dosing, rules.premedication.after_pause)
        yield from _rises(case, dosing, rules)


def _deviation(case: DosingCase, rule: str, at: datetime, says: str, *because: str) -> Advice:
    return make_advice(
        case, AdviceKind.DEVIATION, rule, at, level=_LEVEL, says=says, until=at, because=because
    )


def _first_course(case: DosingCase, rules: Deviations) -> Iterator[TimedAdvice]:
    began_at = case.anchors.first_infusion_at
    day = None if began_at is None else case.anchors.find_transplant_day(began_at)
    first, last = rules.first_course_on
    if began_at is not None and day is not None and not first <= day <= last:
        says = f"first course begun on transplant day {day}"
        why = f"the protocol asks for transplant day {first} to {last}"
        yield TimedAdvice(_deviation(case, "first_course_on", began_at, says, why))


def _premedication(case: DosingCase, rules: Deviations) -> Iterator[TimedAdvice]:
    """Yield each instant at which the premedication was due and is not charted."""
    plan = rules.premedication
    for due_at, what in _due(case, plan).items():
        if _is_given(case, plan, due_at):
            continue
        claimed_at = due_at + rules.charted_within
        if case.as_of < claimed_at:
            yield TimedAdvice(None, claimed_at)
            continue
        says = f"{plan.drug} missing before {what}"
        dose, span = format_rate(plan.dose), format_duration(plan.within)
        why = f"no {dose} of {plan.drug} in the {span} before it"
        yield TimedAdvice(
            _deviation(case, "premedication", due_at, says, f"{why}{_late(case, due_at)}")
        )


def _due(case: DosingCase, plan: Premedication) -> Mapping[datetime, str]:
    """Return when it was due: before the infusion of certain days, and before restarts."""
    due: dict[datetime, str] = {}
    for number, (course, end) in enumerate(_courses(case), 1):
        for day in plan.on_days:
            at = course if day == 1 else _on_day(case, course, end, day)
            if at is not None:
                due[at] = f"day {day} of course {number}"
    for running, pause in case.infusion.find_restarts(case.protocol.course_gap):
        is_course = running.start in case.anchors.courses
        if pause >= plan.after_pause and not is_course:
            words = f"a restart after {format_duration(_whole_hours(pause))}"
            due.setdefault(running.start, words)
    return due


def _on_day(case: DosingCase, course: datetime, end: datetime | None, day: int) -> datetime | None:
    """Return when the infusion of *day* began: its first new rate, else as late as the course did.

    None when nothing ran then.
    """
    begins = case.anchors.find_start_of_day(course, day - 1)
    over = case.anchors.find_start_of_day(course, day)
    for before, one in pairwise(case.infusion.periods):
        is_new = one.begins or one.rate != before.rate
        if is_new and begins <= one.start < over and (end is None or one.start < end):
            return one.start
    same_time = course + timedelta(days=day - 1)
    return same_time if case.infusion.is_running(same_time) and same_time <= case.as_of else None


def find_next_look(case: DosingCase) -> datetime | None:
    """Return when a day begins on which premedication is due by the time of day alone."""
    rules = case.protocol.deviations
    days = rules.premedication.on_days if rules else ()
    instants = [start + timedelta(days=day - 1) for start in case.anchors.courses for day in days]
    return min((at for at in instants if at > case.as_of), default=None)


def _courses(case: DosingCase) -> list[tuple[datetime, datetime | None]]:
    courses = case.anchors.courses
    return list(zip_longest(courses, courses[1:]))


def _is_given(case: DosingCase, plan: Premedication, due_at: datetime) -> bool:
    return any(
        due_at - plan.within <= fact.observed_at <= due_at and _is_enough(fact.body, plan.dose)
        for fact in case.premedication
    )


def _is_enough(body: object, dose: Quantity) -> bool:
    """Say whether a dose was given that is not certainly too small."""
    if not isinstance(body, Administration) or body.action not in (Action.DOSE, Action.START):
        return False
    given = body.dose
    return given is None or given.unit != dose.unit or given.value >= dose.value


def _late(case: DosingCase, due_at: datetime) -> str:
    """Say what was given near the time instead."""
    near = [
        fact
        for fact in case.premedication
        if abs(fact.observed_at - due_at) <= timedelta(days=1)
        and isinstance(fact.body, Administration)
        and fact.body.action in (Action.DOSE, Action.START)
    ]
    if not near:
        return ""
    nearest = min(near, key=lambda fact: (abs(fact.observed_at - due_at), fact.id))
    minutes = round((due_at - nearest.observed_at) / timedelta(minutes=1))
    given = nearest.body.dose if isinstance(nearest.body, Administration) else None
    amount = format_rate(given) if given else "a dose"
    side = "before" if minutes >= 0 else "after"
    return f"; {amount} was given {abs(minutes)} minutes {side}"


def _steps(case: DosingCase, dosing: Dosing, after_pause: timedelta) -> Iterator[TimedAdvice]:
    """Yield each rate that is not the one of its day, nor the one of a restart."""
    restarts = _restarts(case, after_pause)
    for number, (course, end) in enumerate(_courses(case), 1):
        lowered, before = False, None
        for one in _of_course(case, course, end):
            lowered = lowered or one.start in restarts
            allowed = _allowed(dosing, _day(case, course, one.start), before, lowered=lowered)
            before = one.rate
            if one.rate is None or one.rate.unit != dosing.restart.rate.unit:
                continue
            if all(one.rate.value != rate.value for rate in allowed):
                day = _day(case, course, one.start)
                says = f"wrong dose step: {format_rate(one.rate)} on day {day} of course {number}"
                steps = " or ".join(format_rate(rate) for rate in allowed)
                why = f"the protocol asks for {steps}"
                yield TimedAdvice(_deviation(case, "schedule", one.start, says, why))


def _restarts(case: DosingCase, after_pause: timedelta) -> frozenset[datetime]:
    long = (
        one.start for one, pause in case.infusion.find_restarts(_FAR_AWAY) if pause >= after_pause
    )
    return frozenset(long)


def _of_course(case: DosingCase, course: datetime, end: datetime | None) -> list[InfusionPeriod]:
    return [
        one
        for one in case.infusion.periods
        if course <= one.start and (end is None or one.start < end)
    ]


def _day(case: DosingCase, course: datetime, at: datetime) -> int:
    return (case.anchors.find_local_date(at) - case.anchors.find_local_date(course)).days + 1


def _allowed(
    dosing: Dosing, day: int, before: Quantity | None, *, lowered: bool
) -> Sequence[Quantity]:
    """Return the rates of that day; after the last day of the schedule, any of its rates.

    On the first day of a step the rate before it goes on until it is raised.
    """
    rates = [step.rate for step in dosing.schedule if step.first <= day <= step.last]
    for lower, step in pairwise(dosing.schedule):
        if step.first == day and before == lower.rate:
            rates.append(lower.rate)
    rates = rates or [step.rate for step in dosing.schedule]
    return [*rates, dosing.restart.rate] if lowered else rates


def _rises(case: DosingCase, dosing: Dosing, rules: Deviations) -> Iterator[TimedAdvice]:
    """Yield each step up that had not been made by the end of its day."""
    restarts = _restarts(case, rules.premedication.after_pause)
    for number, (course, end) in enumerate(_courses(case), 1):
        for before, step in pairwise(dosing.schedule):
            ends_at = case.anchors.find_start_of_day(course, step.first)
            so_far = [one for one in _of_course(case, course, end) if one.start <= ends_at]
            rates = [one.rate for one in so_far]
            is_lower = rates[-1:] == [before.rate] and step.rate not in rates
            paused = any(one.start in restarts for one in so_far[1:])
            if not is_lower or paused or not case.infusion.is_running(ends_at):
                continue
            claimed_at = ends_at + rules.charted_within
            if case.as_of < claimed_at:
                yield TimedAdvice(None, claimed_at)
                continue
            when = f"at the end of day {step.first} of course {number}"
            says = f"wrong dose step: still {format_rate(before.rate)} {when}"
            why = f"the protocol asks for {format_rate(step.rate)} from day {step.first} on"
            yield TimedAdvice(_deviation(case, "schedule", ends_at, says, why))


def _whole_hours(pause: timedelta) -> timedelta:
    return timedelta(hours=pause // timedelta(hours=1))
