"""Cytokine release syndrome, ASTCT 2019: fever opens it, hypotension and hypoxia grade it.

Source: Lee et al. 2019, Biol Blood Marrow Transplant 25:625-638, table 2; where it is silent:
docs/decisions/bedside.md
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from functools import partial

from services.safety_rules.domain.facts.drugs import DrugExposures
from services.safety_rules.domain.grade_runs.grade_run import GradeRun
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
    was_drug_given,
)
from services.safety_rules.domain.syndromes.crs_course import (
    CrsCourse,
    CrsSigns,
    add_change,
    confirm_overlap,
    find_run,
    grade_crs,
    record_grade,
    update_other_scales,
    update_recovery,
)
from services.safety_rules.domain.syndromes.crs_treatment import list_treatments, list_waivers
from services.safety_rules.domain.syndromes.hypotension import (
    FLUIDS,
    PRESSURE_UNIT,
    find_pressor_overlap,
    grade_hypotension,
)
from services.safety_rules.domain.syndromes.hypoxia import (
    OXYGEN_MEASURES,
    grade_hypoxia,
    rank_oxygen_severity,
)
from services.vocabulary.clinical_fact import Administration, Observation
from services.vocabulary.fact import Fact
from services.vocabulary.grade import Grade, Input
from services.vocabulary.measure import Measure
from services.vocabulary.protocol import Protocol
from services.vocabulary.quantity import Quantity

MEASURES = OXYGEN_MEASURES | {"temperature", "sbp"}


@dataclass(frozen=True, slots=True)
class CrsState:
    """The state of the syndrome between instants.

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
    """Return True when *fact* may change the syndrome."""
    body = fact.body
    if isinstance(body, Observation):
        return body.measure in MEASURES
    return isinstance(body, Administration) and _is_relevant_drug(body.drug, protocol)


def _is_relevant_drug(drug: str, protocol: Protocol) -> bool:
    limits = protocol.bedside
    return (
        drug == FLUIDS
        or drug in list_treatments(limits)
        or drug in limits.vasopressors
        or drug in limits.vasopressors_not_counted
        or is_inducer(drug, protocol)
    )


def make_initial_state(
    protocol: Protocol, measures: Mapping[str, Measure], context: BedsideContext
) -> CrsState:
    """Return the state before any fact."""
    return CrsState(protocol, measures, context)


def step_state(
    state: CrsState, instant: datetime, facts: Sequence[Fact]
) -> tuple[CrsState, GradeRun | None]:
    """Return the state after all *facts* of *instant*, and the episode that they end.

    An episode has ended when nothing can reopen it any more.
    """
    limits = state.protocol.bedside
    administrations = [fact for fact in facts if isinstance(fact.body, Administration)]
    drugs = state.drugs.apply_administrations(administrations) if administrations else state.drugs
    rank_severity = partial(_rank_severity, measures=state.measures)
    readings = chart_readings(state.readings, facts, MEASURES, rank_severity)
    temperature = find_current_reading(readings, "temperature", instant, limits.vitals_stay)
    fever = _find_fever(state, temperature) if temperature else None
    has_new_temperature = temperature is not None and temperature.observed_at == instant
    masked_until = state.masked_until
    is_fever_masked = (
        (masked_until is not None and instant <= masked_until)
        if has_new_temperature
        else state.is_fever_masked
    )
    if any(_find_drug_name(fact) in limits.antipyretics for fact in administrations):
        masked_until = instant + limits.antipyretic_masks
    next_state = CrsState(
        state.protocol,
        state.measures,
        state.context,
        readings,
        drugs,
        _find_usual_pressure(state, readings, drugs),
        masked_until,
        is_fever_masked,
        state.course,
    )
    if state.course is None and not (has_new_temperature and fever is not False):
        return next_state, None
    signs = CrsSigns(
        instant,
        fever,
        temperature,
        is_fever_masked=is_fever_masked,
        pressure=grade_hypotension(
            readings,
            drugs,
            state.usual_pressure,
            instant,
            limits,
            plausible=state.measures["sbp"].plausible[PRESSURE_UNIT],
        ),
        oxygen=grade_hypoxia(readings, state.measures),
        facts=tuple(facts),
    )
    overlap_began_at = find_pressor_overlap(state.drugs, instant, limits)
    if next_state.course is not None and overlap_began_at is not None:
        next_state = replace(
            next_state, course=confirm_overlap(next_state.course, overlap_began_at)
        )
    next_state, retired_run = _retire_course(next_state, instant)
    if _enters_window(next_state, signs):
        next_state, retired_run = _end_course(next_state, instant)
    if next_state.course is not None and not next_state.course.possible:
        return replace(
            next_state, course=_continue_course(next_state, next_state.course, signs, state.drugs)
        ), retired_run
    next_state, ended_run = _open_course(next_state, signs, state.drugs)
    return next_state, retired_run or ended_run


def _enters_window(state: CrsState, signs: CrsSigns) -> bool:
    """Return True at a fever that a cause may have, when the open episode came without one."""
    return (
        state.course is not None
        and state.course.is_outside
        and signs.has_new_temperature
        and signs.fever is True
        and may_be_induced(state.protocol.inducers, state.drugs, state.context, signs.instant)
    )


def _end_course(state: CrsState, instant: datetime) -> tuple[CrsState, GradeRun | None]:
    """Return *state* without its open episode, and that episode as over at *instant*."""
    if state.course is None:
        return state, None
    over_course = replace(state.course, free_since=instant, is_over=True)
    return replace(state, course=None), find_run(over_course)


def _find_fever(state: CrsState, temperature: Fact) -> bool | None:
    """Return True when *temperature* is a fever; None: unknown."""
    plausible = state.measures["temperature"].plausible["Cel"]
    return reaches_limit(temperature, Quantity(state.protocol.bedside.fever_c, "Cel"), plausible)


def find_open_run(state: CrsState) -> GradeRun | None:
    """Return the episode that may still change, if there is one."""
    return None if state.course is None else find_run(state.course)


def find_last_seen_at(state: CrsState) -> datetime | None:
    """Return the last instant at which the open episode was graded."""
    return None if state.course is None else state.course.last_at


def _retire_course(state: CrsState, instant: datetime) -> tuple[CrsState, GradeRun | None]:
    """Retire an episode that nothing can reopen any more, or that had no evidence for too long."""
    course = state.course
    if course is None:
        return state, None
    limits = state.protocol.bedside
    cannot_reopen = (
        course.is_over
        and course.free_since is not None
        and instant - course.free_since > limits.reopens_within
    )
    if cannot_reopen or instant - course.last_at > state.protocol.merge_gap:
        return replace(state, course=None), find_run(course)
    return state, None


def _open_course(
    state: CrsState, signs: CrsSigns, previous_drugs: DrugExposures
) -> tuple[CrsState, GradeRun | None]:
    """Open an episode when there is a fever that the study drug or the graft may have caused.

    Long after the drug it stays a mere possibility, and nothing without hypotension or hypoxia.

    A possible episode has ended once there is certainly no fever.
    """
    possible_course = state.course
    if not signs.has_new_temperature:
        return state, None
    if signs.fever is False:
        return _end_course(state, signs.instant)
    inducers = state.protocol.inducers
    is_outside = not may_be_induced(inducers, state.drugs, state.context, signs.instant)
    if is_outside and (signs.fever is None or not was_drug_given(inducers, state.drugs)):
        return state, None
    if signs.fever is None:
        return replace(state, course=_extend_possible_course(possible_course, signs)), None
    not_before = possible_course.history[0].at if possible_course else None
    new_course = CrsCourse(
        (),
        signs.instant,
        waived_by=list_waivers(state.protocol.bedside, signs, previous_drugs),
        not_before=not_before,
        is_outside=is_outside,
    )
    course = record_grade(new_course, signs, grade_crs(new_course, signs))
    return replace(
        state, course=update_other_scales(course, signs, state.readings, state.measures)
    ), None


def _extend_possible_course(possible_course: CrsCourse | None, signs: CrsSigns) -> CrsCourse:
    """Return the possible episode that a temperature opens when it cannot be read."""
    if possible_course is not None:
        return replace(possible_course, last_at=signs.instant)
    at_most = max(Grade.MILD, signs.severity.at_most)
    missing = tuple(sorted({Input.TEMPERATURE, *signs.severity.missing}))
    facts = (signs.fever_fact,) if signs.fever_fact else ()
    level = SignGrade(Grade.NONE, at_most, "temperature that cannot be read", missing, facts)
    return add_change(CrsCourse((), signs.instant, possible=True), signs, level)


def _continue_course(
    state: CrsState, course: CrsCourse, signs: CrsSigns, previous_drugs: DrugExposures
) -> CrsCourse:
    limits = state.protocol.bedside
    is_present = signs.fever is True or (
        course.is_fever_waived and signs.severity.at_least > Grade.NONE
    )
    if course.is_over:
        if not (is_present and (signs.has_new_temperature or course.is_fever_waived)):
            return course
        course = replace(course, is_over=False, free_since=None)
    waived_by = course.waived_by or list_waivers(limits, signs, previous_drugs)
    course = replace(course, waived_by=waived_by)
    course = record_grade(course, signs, grade_crs(course, signs))
    course = update_other_scales(course, signs, state.readings, state.measures)
    return update_recovery(course, signs, limits.crs_free)


def _find_usual_pressure(
    state: CrsState, readings: ChartedReadings, drugs: DrugExposures
) -> Fact | None:
    """Return the last pressure before the study drug was first given."""
    drug = state.protocol.study_drug
    has_begun = any(
        drug in exposures
        for exposures in (state.drugs.running_drugs, state.drugs.last_doses, state.drugs.stop_times)
    )
    if has_begun:
        return state.usual_pressure
    begins_now = drug in drugs.running_drugs or drug in drugs.last_doses
    return state.readings.get("sbp") if begins_now else readings.get("sbp")


def _rank_severity(body: Observation, measures: Mapping[str, Measure]) -> Decimal | int | None:
    """Return the rank of a reading among others of its measure; None: it cannot be read."""
    if body.measure == "temperature":
        return read_number(body, "Cel", measures["temperature"].plausible["Cel"])
    if body.measure == "sbp":
        pressure = read_number(body, PRESSURE_UNIT, measures["sbp"].plausible[PRESSURE_UNIT])
        return None if pressure is None else -pressure
    return rank_oxygen_severity(body, measures)


def _find_drug_name(fact: Fact) -> str:
    return fact.body.drug if isinstance(fact.body, Administration) else ""
