"""Cytokine release syndrome, ASTCT 2019: fever opens it, hypotension and hypoxia grade it.

Source: Lee et al. 2019, Biol Blood Marrow Transplant 25:625-638, table 2; where it is silent:
docs/decisions/bedside.md
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal

from services.safety_rules.domain.facts.drugs import DrugExposures
from services.safety_rules.domain.runs.run import Run
from services.safety_rules.domain.syndromes.bedside import (
    BedsideContext,
    ChartedReadings,
    SignGrade,
    chart_readings,
    find_current_reading,
    is_inducer,
    may_be_induced,
    reaches_limit,
    read_number,
)
from services.safety_rules.domain.syndromes.crs_course import (
    CrsCourse,
    CrsSigns,
    add_change,
    build_run,
    grade_crs,
    record_grade,
    update_other_scales,
    update_recovery,
)
from services.safety_rules.domain.syndromes.hypotension import (
    FLUIDS,
    PRESSURE_UNIT,
    grade_hypotension,
)
from services.safety_rules.domain.syndromes.hypoxia import MEASURES as OXYGEN
from services.safety_rules.domain.syndromes.hypoxia import grade_hypoxia
from services.safety_rules.domain.syndromes.hypoxia import (
    rank_oxygen_severity as severity_of_oxygen,
)
from services.vocabulary.fact import Action, Administration, Fact, Observation
from services.vocabulary.grade import Grade, Input
from services.vocabulary.measure import Measure
from services.vocabulary.protocol import Protocol
from services.vocabulary.quantity import Quantity

MEASURES = OXYGEN | {"temperature", "sbp"}


@dataclass(frozen=True, slots=True)
class CrsState:
    """All that the next instant needs.

    Args:
        usual_pressure: The last systolic pressure before the study drug.
        masked_until: When the last antipyretic stops hiding a fever.
        is_fever_masked: An antipyretic could hide a fever when the temperature was last taken.
    """

    protocol: Protocol
    measures: Mapping[str, Measure]
    context: BedsideContext
    readings: ChartedReadings = field(default_factory=dict)
    drugs: DrugExposures = field(default_factory=DrugExposures)
    usual_pressure: Fact | None = None
    masked_until: datetime | None = None
    is_fever_masked: bool = False
    course: CrsCourse | None = None


def reads_fact(fact: Fact, protocol: Protocol) -> bool:
    """Say whether *fact* may change the syndrome."""
    body = fact.body
    if isinstance(body, Observation):
        return body.measure in MEASURES
    return isinstance(body, Administration) and _is_relevant_drug(body.drug, protocol)


def _is_relevant_drug(drug: str, protocol: Protocol) -> bool:
    limits = protocol.bedside
    return (
        drug == FLUIDS
        or drug in _list_treatments(protocol)
        or drug in limits.vasopressors
        or drug in limits.vasopressors_not_counted
        or is_inducer(drug, protocol)
    )


def _list_treatments(protocol: Protocol) -> tuple[str, ...]:
    limits = protocol.bedside
    return (*limits.antipyretics, *limits.steroids, *limits.anticytokines)


def make_initial_state(
    protocol: Protocol, measures: Mapping[str, Measure], context: BedsideContext
) -> CrsState:
    """Return the state before any fact."""
    return CrsState(protocol, measures, context)


def step_state(state: CrsState, at: datetime, facts: Sequence[Fact]) -> tuple[CrsState, Run | None]:
    """Return the state after all *facts* of the instant *at*, and the episode that they end.

    An episode has ended when nothing can reopen it any more.
    """
    limits = state.protocol.bedside
    given = [fact for fact in facts if isinstance(fact.body, Administration)]
    drugs = state.drugs.apply_administrations(given) if given else state.drugs
    readings = chart_readings(state.readings, facts, MEASURES, _rank_severity)
    temperature = find_current_reading(readings, "temperature", at, limits.vitals_stay)
    fever = _find_fever(state, temperature) if temperature else None
    taken_now = temperature is not None and temperature.observed_at == at
    masked_until = state.masked_until
    masked = (
        (masked_until is not None and at < masked_until) if taken_now else state.is_fever_masked
    )
    if any(_find_drug_name(fact) in limits.antipyretics for fact in given):
        masked_until = at + limits.antipyretic_masks
    after = CrsState(
        state.protocol,
        state.measures,
        state.context,
        readings,
        drugs,
        _find_usual_pressure(state, readings, drugs),
        masked_until,
        masked,
        state.course,
    )
    if state.course is None and not (taken_now and fever is not False):
        return after, None
    now = CrsSigns(
        at,
        fever,
        temperature,
        is_fever_masked=masked,
        pressure=grade_hypotension(
            readings,
            drugs,
            state.usual_pressure,
            at,
            limits,
            plausible=state.measures["sbp"].plausible[PRESSURE_UNIT],
        ),
        oxygen=grade_hypoxia(readings),
        facts=tuple(facts),
    )
    after, over = _retire_course(after, at)
    if after.course is not None and not after.course.possible:
        return replace(after, course=_continue_course(after, after.course, now, state.drugs)), over
    after, doubted = _open_course(after, now, state.drugs)
    return after, over or doubted


def _find_fever(state: CrsState, temperature: Fact) -> bool | None:
    """Say whether *temperature* is a fever; None: it cannot be told."""
    plausible = state.measures["temperature"].plausible["Cel"]
    return reaches_limit(temperature, Quantity(state.protocol.bedside.fever_c, "Cel"), plausible)


def find_open_run(state: CrsState) -> Run | None:
    """Return the episode that may still change, if there is one."""
    return None if state.course is None else build_run(state.course)


def find_last_seen_at(state: CrsState) -> datetime | None:
    """Return when that was last looked at."""
    return None if state.course is None else state.course.last_at


def _retire_course(state: CrsState, at: datetime) -> tuple[CrsState, Run | None]:
    """Put an episode away that nothing can reopen any more, or that nobody looked at."""
    course = state.course
    if course is None:
        return state, None
    limits = state.protocol.bedside
    too_late = (
        course.is_over
        and course.free_since is not None
        and at - course.free_since > limits.reopens_within
    )
    if too_late or at - course.last_at > state.protocol.merge_gap:
        return replace(state, course=None), build_run(course)
    return state, None


def _open_course(
    state: CrsState, now: CrsSigns, before: DrugExposures
) -> tuple[CrsState, Run | None]:
    """Open an episode when there is a fever that the study drug or the graft may have caused.

    What was only possible has ended once there is certainly none.
    """
    doubt = state.course
    if not now.has_new_temperature:
        return state, None
    if now.fever is False:
        if doubt is None:
            return state, None
        over = replace(doubt, free_since=now.instant, is_over=True)
        return replace(state, course=None), build_run(over)
    if not may_be_induced(state.protocol.inducers, state.drugs, state.context, now.instant):
        return state, None
    if now.fever is None:
        return replace(state, course=_extend_doubt(doubt, now)), None
    not_before = doubt.history[0].at if doubt else None
    new = CrsCourse(
        (), now.instant, is_fever_waived=_is_treated(state, now, before), not_before=not_before
    )
    course = record_grade(new, now, grade_crs(new, now))
    return replace(state, course=update_other_scales(course, now, state.readings)), None


def _extend_doubt(doubt: CrsCourse | None, now: CrsSigns) -> CrsCourse:
    """Return what may be an episode: a temperature that cannot be read as one."""
    if doubt is not None:
        return replace(doubt, last_at=now.instant)
    at_most = max(Grade.MILD, now.severity.at_most)
    missing = tuple(sorted({Input.TEMPERATURE, *now.severity.missing}))
    level = SignGrade(Grade.NONE, at_most, "temperature that cannot be read", missing)
    return add_change(CrsCourse((), now.instant, possible=True), now, level)


def _continue_course(
    state: CrsState, course: CrsCourse, now: CrsSigns, before: DrugExposures
) -> CrsCourse:
    present = now.fever is True or (course.is_fever_waived and now.severity.at_least > Grade.NONE)
    if course.is_over:
        if not (present and (now.has_new_temperature or course.is_fever_waived)):
            return course
        course = replace(course, is_over=False, free_since=None)
    course = replace(
        course, is_fever_waived=course.is_fever_waived or _is_treated(state, now, before)
    )
    course = record_grade(course, now, grade_crs(course, now))
    return update_recovery(
        update_other_scales(course, now, state.readings), now, state.protocol.bedside.crs_free
    )


def _is_treated(state: CrsState, now: CrsSigns, before: DrugExposures) -> bool:
    """Say whether fever is waived: a treatment of CRS was given, nothing planned or unchanged."""
    limits = state.protocol.bedside
    for fact in now.facts:
        body = fact.body
        if not isinstance(body, Administration) or body.scheduled or body.action is Action.STOP:
            continue
        if body.drug in limits.antipyretics or body.drug in limits.anticytokines:
            return True
        if body.drug in limits.steroids and not _was_already_running(body, now.instant, before):
            return True
    return False


def _was_already_running(body: Administration, at: datetime, before: DrugExposures) -> bool:
    """Say whether the steroid ran, or was given day by day, at this dose or more."""
    started = before.running_drugs.get(body.drug) or before.find_daily_dose(body.drug, at)
    known = started.body.dose if started and isinstance(started.body, Administration) else None
    if known is None or body.dose is None or known.unit != body.dose.unit:
        return started is not None and body.dose is None
    return body.dose.value <= known.value


def _find_usual_pressure(
    state: CrsState, readings: ChartedReadings, drugs: DrugExposures
) -> Fact | None:
    """Return the last pressure before the study drug was first given."""
    drug = state.protocol.study_drug
    began = any(
        drug in some
        for some in (state.drugs.running_drugs, state.drugs.last_doses, state.drugs.stop_times)
    )
    if began:
        return state.usual_pressure
    begins = drug in drugs.running_drugs or drug in drugs.last_doses
    return state.readings.get("sbp") if begins else readings.get("sbp")


def _rank_severity(body: Observation) -> Decimal | int | None:
    """Return how bad a reading is beside others of its measure; None: it cannot be read."""
    if body.measure == "temperature":
        return read_number(body, "Cel")
    if body.measure == "sbp":
        pressure = read_number(body, "mm[Hg]")
        return None if pressure is None else -pressure
    return severity_of_oxygen(body)


def _find_drug_name(fact: Fact) -> str:
    return fact.body.drug if isinstance(fact.body, Administration) else ""
