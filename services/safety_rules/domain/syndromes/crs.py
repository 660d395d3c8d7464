"""Cytokine release syndrome, ASTCT 2019: fever opens it, hypotension and hypoxia grade it.

Source: Lee et al. 2019, Biol Blood Marrow Transplant 25:625-638, table 2; where it is silent:
docs/decisions/bedside.md
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal

from services.safety_rules.domain.facts.drugs import Drugs
from services.safety_rules.domain.runs.run import Run
from services.safety_rules.domain.syndromes.bedside import (
    BedsideContext,
    Charted,
    Level,
    charted,
    induced,
    induces,
    is_at_least,
    number,
    still_true,
)
from services.safety_rules.domain.syndromes.crs_course import (
    Course,
    Now,
    changed,
    freed,
    graded,
    regraded,
    run_of,
    scaled,
)
from services.safety_rules.domain.syndromes.hypotension import FLUIDS, hypotension
from services.safety_rules.domain.syndromes.hypoxia import MEASURES as OXYGEN
from services.safety_rules.domain.syndromes.hypoxia import hypoxia
from services.safety_rules.domain.syndromes.hypoxia import severity as severity_of_oxygen
from services.vocabulary.fact import Action, Administration, Fact, Observation
from services.vocabulary.grade import Grade, Input
from services.vocabulary.protocol import Protocol
from services.vocabulary.quantity import Quantity

MEASURES = OXYGEN | {"temperature", "sbp"}


@dataclass(frozen=True, slots=True)
class CrsState:
    """All that the next instant needs.

    *usual* is the last systolic pressure before the study drug; *masked_until* is when the last
    antipyretic no longer hides a fever; *masked* says that it hid one when the temperature was
    last taken.
    """

    protocol: Protocol
    context: BedsideContext
    readings: Charted = field(default_factory=dict)
    drugs: Drugs = field(default_factory=Drugs)
    usual: Fact | None = None
    masked_until: datetime | None = None
    masked: bool = False
    course: Course | None = None


def reads(fact: Fact, protocol: Protocol) -> bool:
    """Say whether *fact* may change the syndrome."""
    body = fact.body
    if isinstance(body, Observation):
        return body.measure in MEASURES
    return isinstance(body, Administration) and _matters(body.drug, protocol)


def _matters(drug: str, protocol: Protocol) -> bool:
    limits = protocol.bedside
    return (
        drug == FLUIDS
        or drug in _treatments(protocol)
        or drug in limits.vasopressors
        or drug in limits.vasopressors_not_counted
        or induces(drug, protocol)
    )


def _treatments(protocol: Protocol) -> tuple[str, ...]:
    limits = protocol.bedside
    return (*limits.antipyretics, *limits.steroids, *limits.anticytokines)


def initial(protocol: Protocol, context: BedsideContext) -> CrsState:
    """Return the state before any fact."""
    return CrsState(protocol, context)


def step(state: CrsState, at: datetime, facts: Sequence[Fact]) -> tuple[CrsState, Run | None]:
    """Return the state after all *facts* of the instant *at*, and the episode that they end.

    An episode has ended when nothing can reopen it any more.
    """
    limits = state.protocol.bedside
    given = [fact for fact in facts if isinstance(fact.body, Administration)]
    drugs = state.drugs.after_all(given) if given else state.drugs
    readings = charted(state.readings, facts, MEASURES, _severity)
    temperature = still_true(readings, "temperature", at, limits.vitals_stay)
    fever = is_at_least(temperature, Quantity(limits.fever_c, "Cel")) if temperature else None
    taken_now = temperature is not None and temperature.observed_at == at
    masked_until = state.masked_until
    masked = (masked_until is not None and at < masked_until) if taken_now else state.masked
    if any(_drug(fact) in limits.antipyretics for fact in given):
        masked_until = at + limits.antipyretic_masks
    after = CrsState(
        state.protocol,
        state.context,
        readings,
        drugs,
        _usual(state, readings, drugs),
        masked_until,
        masked,
        state.course,
    )
    if state.course is None and not (taken_now and fever is not False):
        return after, None
    now = Now(
        at,
        fever,
        temperature,
        masked=masked,
        pressure=hypotension(readings, drugs, state.usual, at, limits),
        oxygen=hypoxia(readings),
        facts=tuple(facts),
    )
    after, over = _aged(after, at)
    if after.course is not None and not after.course.possible:
        return replace(after, course=_continued(after, after.course, now, state.drugs)), over
    after, doubted = _opened(after, now, state.drugs)
    return after, over or doubted


def unended(state: CrsState) -> Run | None:
    """Return the episode that may still change, if there is one."""
    return None if state.course is None else run_of(state.course)


def last_seen(state: CrsState) -> datetime | None:
    """Return when that was last looked at."""
    return None if state.course is None else state.course.last_at


def _aged(state: CrsState, at: datetime) -> tuple[CrsState, Run | None]:
    """Put an episode away that nothing can reopen any more, or that nobody looked at."""
    course = state.course
    if course is None:
        return state, None
    limits = state.protocol.bedside
    too_late = (
        course.over
        and course.free_since is not None
        and at - course.free_since > limits.reopens_within
    )
    if too_late or at - course.last_at > state.protocol.merge_gap:
        return replace(state, course=None), run_of(course)
    return state, None


def _opened(state: CrsState, now: Now, before: Drugs) -> tuple[CrsState, Run | None]:
    """Open an episode when there is a fever that the study drug or the graft may have caused.

    What was only possible has ended once there is certainly none.
    """
    doubt = state.course
    if not now.taken_now:
        return state, None
    if now.fever is False:
        if doubt is None:
            return state, None
        over = replace(doubt, free_since=now.at, over=True)
        return replace(state, course=None), run_of(over)
    if not induced(state.protocol.inducers, state.drugs, state.context, now.at):
        return state, None
    if now.fever is None:
        return replace(state, course=_doubted(doubt, now)), None
    not_before = doubt.history[0].at if doubt else None
    new = Course((), now.at, waived=_treated(state, now, before), not_before=not_before)
    course = regraded(new, now, graded(new, now))
    return replace(state, course=scaled(course, now, state.readings)), None


def _doubted(doubt: Course | None, now: Now) -> Course:
    """Return what may be an episode: a temperature that cannot be read as one."""
    if doubt is not None:
        return replace(doubt, last_at=now.at)
    at_most = max(Grade.MILD, now.severity.at_most)
    missing = tuple(sorted({Input.TEMPERATURE, *now.severity.missing}))
    level = Level(Grade.NONE, at_most, "temperature that cannot be read", missing)
    return changed(Course((), now.at, possible=True), now, level)


def _continued(state: CrsState, course: Course, now: Now, before: Drugs) -> Course:
    present = now.fever is True or (course.waived and now.severity.at_least > Grade.NONE)
    if course.over:
        if not (present and (now.taken_now or course.waived)):
            return course
        course = replace(course, over=False, free_since=None)
    course = replace(course, waived=course.waived or _treated(state, now, before))
    course = regraded(course, now, graded(course, now))
    return freed(scaled(course, now, state.readings), now, state.protocol.bedside.crs_free)


def _treated(state: CrsState, now: Now, before: Drugs) -> bool:
    """Say whether fever is waived: a treatment of CRS was given, nothing planned or unchanged."""
    limits = state.protocol.bedside
    for fact in now.facts:
        body = fact.body
        if not isinstance(body, Administration) or body.scheduled or body.action is Action.STOP:
            continue
        if body.drug in limits.antipyretics or body.drug in limits.anticytokines:
            return True
        if body.drug in limits.steroids and not _ran_already(body, now.at, before):
            return True
    return False


def _ran_already(body: Administration, at: datetime, before: Drugs) -> bool:
    """Say whether the steroid ran, or was given day by day, at this dose or more."""
    started = before.running.get(body.drug) or before.daily_dose(body.drug, at)
    known = started.body.dose if started and isinstance(started.body, Administration) else None
    if known is None or body.dose is None or known.unit != body.dose.unit:
        return started is not None and body.dose is None
    return body.dose.value <= known.value


def _usual(state: CrsState, readings: Charted, drugs: Drugs) -> Fact | None:
    """Return the last pressure before the study drug was first given."""
    drug = state.protocol.study_drug
    began = any(
        drug in some for some in (state.drugs.running, state.drugs.given, state.drugs.stopped)
    )
    if began:
        return state.usual
    begins = drug in drugs.running or drug in drugs.given
    return state.readings.get("sbp") if begins else readings.get("sbp")


def _severity(body: Observation) -> Decimal | int | None:
    """Return how bad a reading is beside others of its measure; None: it cannot be read."""
    if body.measure == "temperature":
        return number(body, "Cel")
    if body.measure == "sbp":
        pressure = number(body, "mm[Hg]")
        return None if pressure is None else -pressure
    return severity_of_oxygen(body)


def _drug(fact: Fact) -> str:
    return fact.body.drug if isinstance(fact.body, Administration) else ""
