"""Departures of a participant's treatment from the protocol.

Source: docs/decisions/dose.md, "Deviations"
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import pairwise, zip_longest

from services.safety_rules.domain.ctcae.units import rescale_quantity
from services.safety_rules.domain.dosing.case import (
    DosingCase,
    TimedAdvice,
    format_duration,
    make_advice,
)
from services.safety_rules.domain.facts.infusion import InfusionPeriod, format_rate
from services.vocabulary.clinical_fact import Action, Administration
from services.vocabulary.dosing import Deviations, Dosing, Premedication
from services.vocabulary.quantity import Quantity
from services.vocabulary.recommendation import Advice, AdviceKind

_LEVEL = 1


def find_deviations(case: DosingCase) -> Iterator[TimedAdvice]:
    """Yield every departure that is certain by now."""
    rules = case.protocol.deviations
    if rules is None:
        return
    yield from _check_first_course(case, rules)
    if (dosing := case.protocol.dosing) is not None:
        yield from _check_premedication(case, rules)
        yield from _check_steps(case, dosing, rules.premedication.after_pause)
        yield from _check_rises(case, dosing, rules)


def _make_deviation(
    case: DosingCase, rule: str, instant: datetime, says: str, *because: str
) -> Advice:
    return make_advice(
        case,
        AdviceKind.DEVIATION,
        rule,
        instant,
        level=_LEVEL,
        says=says,
        until=instant,
        because=because,
    )


def _check_first_course(case: DosingCase, rules: Deviations) -> Iterator[TimedAdvice]:
    began_at = case.anchors.first_infusion_at
    day = None if began_at is None else case.anchors.find_transplant_day(began_at)
    first, last = rules.first_course_on
    if began_at is not None and day is not None and not first <= day <= last:
        says = f"first course begun on transplant day {day}"
        why = f"the protocol asks for transplant day {first} to {last}"
        yield TimedAdvice(_make_deviation(case, "first_course_on", began_at, says, why))


def _check_premedication(case: DosingCase, rules: Deviations) -> Iterator[TimedAdvice]:
    """Yield each instant at which the premedication was due and is not charted."""
    plan = rules.premedication
    for due_at, occasion in _find_due_instants(case, plan).items():
        if _is_given(case, plan, due_at):
            continue
        claimed_at = due_at + rules.charted_within
        if case.as_of < claimed_at:
            yield TimedAdvice(None, claimed_at)
            continue
        says = f"{plan.drug} missing before {occasion}"
        dose, span = format_rate(plan.dose), format_duration(plan.within)
        why = f"no {dose} of {plan.drug} in the {span} before it"
        yield TimedAdvice(
            _make_deviation(
                case, "premedication", due_at, says, f"{why}{_describe_nearest_dose(case, due_at)}"
            )
        )
    if (next_day := _find_next_day(case, plan)) is not None:
        yield TimedAdvice(None, next_day)


def _find_due_instants(case: DosingCase, plan: Premedication) -> Mapping[datetime, str]:
    """Return the occasions of *plan* by instant: the infusion of certain days, and restarts."""
    due: dict[datetime, str] = {}
    for number, (course, end) in enumerate(_list_courses(case), 1):
        for day in plan.on_days:
            infusion_at = course if day == 1 else _find_start_on_day(case, course, end, day)
            if infusion_at is not None:
                due[infusion_at] = f"day {day} of course {number}"
    for period, pause in case.infusion.find_restarts(case.protocol.course_gap):
        is_course = period.start in case.anchors.courses
        if pause >= plan.after_pause and not is_course:
            words = f"a restart after {format_duration(_truncate_to_hours(pause))}"
            due.setdefault(period.start, words)
    return due


def _find_start_on_day(
    case: DosingCase, course: datetime, end: datetime | None, day: int
) -> datetime | None:
    """Return the start of the infusion of *day*; None when nothing ran then.

    That is its first new rate, else the time of day at which the course began.
    """
    day_start = case.anchors.find_start_of_day(course, day - 1)
    day_end = case.anchors.find_start_of_day(course, day)
    for previous, period in pairwise(case.infusion.periods):
        is_new = period.begins or period.rate != previous.rate
        if is_new and day_start <= period.start < day_end and (end is None or period.start < end):
            return period.start
    same_time = course + timedelta(days=day - 1)
    return same_time if case.infusion.is_running(same_time) and same_time <= case.as_of else None


def _find_next_day(case: DosingCase, plan: Premedication) -> datetime | None:
    """Return the next instant at which premedication may be due by the time of day alone."""
    passed = [timedelta(days=day - 1) for day in plan.on_days]
    instants = [course + time for course in case.anchors.courses for time in passed]
    return min((instant for instant in instants if instant > case.as_of), default=None)


def _list_courses(case: DosingCase) -> list[tuple[datetime, datetime | None]]:
    courses = case.anchors.courses
    return list(zip_longest(courses, courses[1:]))


def _is_given(case: DosingCase, plan: Premedication, due_at: datetime) -> bool:
    return any(
        due_at - plan.within <= fact.observed_at <= due_at and _is_enough(fact.body, plan.dose)
        for fact in case.premedication
    )


def _is_enough(body: object, dose: Quantity) -> bool:
    """True if a dose was given that is not certainly too small."""
    if not isinstance(body, Administration) or body.action not in (Action.DOSE, Action.START):
        return False
    amount = None if body.dose is None else rescale_quantity(body.dose, dose.unit)
    return amount is None or amount.value >= dose.value


def _describe_nearest_dose(case: DosingCase, due_at: datetime) -> str:
    """Return the dose within a day of *due_at* in words; empty when there is none."""
    nearby_facts = [
        fact
        for fact in case.premedication
        if abs(fact.observed_at - due_at) <= timedelta(days=1)
        and isinstance(fact.body, Administration)
        and fact.body.action in (Action.DOSE, Action.START)
    ]
    if not nearby_facts:
        return ""
    nearest = min(nearby_facts, key=lambda fact: (abs(fact.observed_at - due_at), fact.id))
    minutes = round((due_at - nearest.observed_at) / timedelta(minutes=1))
    dose = nearest.body.dose if isinstance(nearest.body, Administration) else None
    amount = format_rate(dose) if dose else "a dose"
    side = "before" if minutes >= 0 else "after"
    return f"; {amount} was given {abs(minutes)} minutes {side}"


def _check_steps(case: DosingCase, dosing: Dosing, after_pause: timedelta) -> Iterator[TimedAdvice]:
    """Yield each rate that is neither the one of its day nor that of a restart."""
    restarts = _find_restarts(case, after_pause)
    for number, (course, end) in enumerate(_list_courses(case), 1):
        is_lowered, previous_rate = False, None
        for period in _list_periods(case, course, end):
            is_lowered = is_lowered or period.start in restarts
            allowed_rates = _list_allowed_rates(
                dosing, _count_day(case, course, period.start), previous_rate, is_lowered=is_lowered
            )
            previous_rate = period.rate
            if period.rate is None or period.rate.unit != dosing.restart.rate.unit:
                continue
            if all(period.rate.value != rate.value for rate in allowed_rates):
                day = _count_day(case, course, period.start)
                says = (
                    f"wrong dose step: {format_rate(period.rate)} on day {day} of course {number}"
                )
                steps = " or ".join(format_rate(rate) for rate in allowed_rates)
                why = f"the protocol asks for {steps}"
                yield TimedAdvice(_make_deviation(case, "schedule", period.start, says, why))


def _find_restarts(case: DosingCase, after_pause: timedelta) -> frozenset[datetime]:
    restarts = (one.start for one, pause in case.infusion.find_restarts() if pause >= after_pause)
    return frozenset(restarts)


def _list_periods(case: DosingCase, course: datetime, end: datetime | None) -> list[InfusionPeriod]:
    return [
        one
        for one in case.infusion.periods
        if course <= one.start and (end is None or one.start < end)
    ]


def _count_day(case: DosingCase, course: datetime, instant: datetime) -> int:
    return (case.anchors.find_local_date(instant) - case.anchors.find_local_date(course)).days + 1


def _list_allowed_rates(
    dosing: Dosing, day: int, previous_rate: Quantity | None, *, is_lowered: bool
) -> Sequence[Quantity]:
    """Return the rates of that day; after the last day of the schedule, any of its rates.

    On the first day of a step the rate before it goes on until it is raised.
    """
    rates = [step.rate for step in dosing.schedule if step.first <= day <= step.last]
    for lower, step in pairwise(dosing.schedule):
        if step.first == day and previous_rate == lower.rate:
            rates.append(lower.rate)
    rates = rates or [step.rate for step in dosing.schedule]
    return [*rates, dosing.restart.rate] if is_lowered else rates


def _check_rises(case: DosingCase, dosing: Dosing, rules: Deviations) -> Iterator[TimedAdvice]:
    """Yield each step up that had not been made by the end of its day."""
    restarts = _find_restarts(case, rules.premedication.after_pause)
    for number, (course, end) in enumerate(_list_courses(case), 1):
        for lower_step, step in pairwise(dosing.schedule):
            ends_at = case.anchors.find_start_of_day(course, step.first)
            periods = [one for one in _list_periods(case, course, end) if one.start <= ends_at]
            rates = [one.rate for one in periods]
            is_lower = rates[-1:] == [lower_step.rate] and step.rate not in rates
            was_paused = any(one.start in restarts for one in periods[1:])
            if not is_lower or was_paused or not case.infusion.is_running(ends_at):
                continue
            claimed_at = ends_at + rules.charted_within
            if case.as_of < claimed_at:
                yield TimedAdvice(None, claimed_at)
                continue
            when = f"at the end of day {step.first} of course {number}"
            says = f"wrong dose step: still {format_rate(lower_step.rate)} {when}"
            why = f"the protocol asks for {format_rate(step.rate)} from day {step.first} on"
            yield TimedAdvice(_make_deviation(case, "schedule", ends_at, says, why))


def _truncate_to_hours(pause: timedelta) -> timedelta:
    return timedelta(hours=pause // timedelta(hours=1))
