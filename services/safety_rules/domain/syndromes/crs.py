"""Cytokine release syndrome, ASTCT 2019: fever opens it, hypotension and hypoxia grade it.

Source: Lee et al. 2019, Biol Blood Marrow Transplant 25:625-638, table 2; where it is silent:
docs/decisions/bedside.md
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from services.safety_rules.domain.facts.drugs import DrugExposures
from services.safety_rules.domain.grade_runs.grade_run import GradeRun
from services.safety_rules.domain.syndromes.bedside import (
    BedsideContext,
    SignGrade,
    is_inducer,
    may_be_induced,
    was_drug_given,
)
from services.safety_rules.domain.syndromes.crs_chart import (
    CrsChart,
    add_facts,
    find_current_drugs,
    may_open_episode,
    read_signs,
)
from services.safety_rules.domain.syndromes.crs_course import (
    CrsCourse,
    CrsSigns,
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
    find_pressor_overlap,
)
from services.safety_rules.domain.syndromes.unended_support import is_discharge
from services.safety_rules.domain.syndromes.vital_signs import (
    MEASURES,
)
from services.vocabulary.clinical_fact import Administration, Observation
from services.vocabulary.fact import Fact
from services.vocabulary.grade import Grade, Input
from services.vocabulary.measure import Measure
from services.vocabulary.protocol import Protocol


@dataclass(frozen=True, slots=True)
class CrsState:
    """The state of the syndrome between instants: what is charted, and the episode that is open."""

    chart: CrsChart
    course: CrsCourse | None = None


def reads_fact(fact: Fact, protocol: Protocol) -> bool:
    """Return True when *fact* may change the syndrome."""
    body = fact.body
    if isinstance(body, Observation):
        return body.measure in MEASURES
    if isinstance(body, Administration):
        return _is_relevant_drug(body.drug, protocol)
    return is_discharge(fact)


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
    return CrsState(CrsChart(protocol, measures, context))


def step_state(
    state: CrsState, instant: datetime, facts: Sequence[Fact]
) -> tuple[CrsState, GradeRun | None]:
    """Return the state after all *facts* of *instant*, and the episode that they end.

    An episode has ended when nothing can reopen it any more.
    """
    chart = add_facts(state.chart, instant, facts, is_episode_open=state.course is not None)
    previous_drugs = state.chart.drugs
    next_state, retired_run = _retire_course(replace(state, chart=chart), instant)
    course = next_state.course
    if course is None and not may_open_episode(chart, instant):
        return next_state, retired_run
    signs = read_signs(chart, instant, facts, course.history[0].at if course else instant)
    current_drugs = find_current_drugs(state.chart, instant)
    overlap_began_at = find_pressor_overlap(current_drugs, instant, chart.protocol.bedside)
    if course is not None and overlap_began_at is not None:
        next_state = replace(next_state, course=confirm_overlap(course, overlap_began_at))
    if _enters_window(next_state, signs):
        next_state, retired_run = _end_course(next_state, instant)
    if next_state.course is not None and not next_state.course.possible:
        course = _continue_course(next_state, next_state.course, signs, previous_drugs)
        return replace(next_state, course=course), retired_run
    next_state, ended_run = _open_course(next_state, signs, previous_drugs)
    return next_state, retired_run or ended_run


def _enters_window(state: CrsState, signs: CrsSigns) -> bool:
    """Return True at a fever that a cause may have, when the open episode came without one."""
    return (
        state.course is not None
        and state.course.is_outside
        and signs.has_new_temperature
        and signs.fever is True
        and may_be_induced(
            state.chart.protocol.inducers, state.chart.drugs, state.chart.context, signs.instant
        )
    )


def _may_be_induced(chart: CrsChart, instant: datetime) -> bool:
    return may_be_induced(chart.protocol.inducers, chart.drugs, chart.context, instant)


def _end_course(state: CrsState, instant: datetime) -> tuple[CrsState, GradeRun | None]:
    """Return *state* without its open episode, and that episode as over at *instant*."""
    if state.course is None:
        return state, None
    over_course = replace(state.course, free_since=instant, free_not_before=None, is_over=True)
    return replace(state, course=None), find_run(over_course)


def find_open_run(state: CrsState) -> GradeRun | None:
    """Return the episode that may still change, if there is one."""
    return None if state.course is None else find_run(state.course)


def find_last_seen_at(state: CrsState) -> datetime | None:
    """Return the last instant at which the open episode was graded."""
    return None if state.course is None else state.course.last_at


def list_readings(state: CrsState) -> Sequence[Fact]:
    """Return the last reading of each sign."""
    return tuple(state.chart.readings.values())


def list_earlier_readings(state: CrsState) -> Sequence[Fact]:
    """Return the readings before exposure, as far back as a baseline reads."""
    return state.chart.earlier_readings


def list_usual_devices(state: CrsState) -> Collection[str]:
    """Return the oxygen devices that the participant had before exposure."""
    return () if state.chart.baseline is None else state.chart.baseline.supports


def _retire_course(state: CrsState, instant: datetime) -> tuple[CrsState, GradeRun | None]:
    """Retire an episode that nothing can reopen any more, or that had no evidence for too long."""
    course = state.course
    if course is None:
        return state, None
    limits = state.chart.protocol.bedside
    cannot_reopen = (
        course.is_over
        and course.free_since is not None
        and instant - course.free_since > limits.reopens_within
    )
    if cannot_reopen or instant - course.last_at > state.chart.protocol.merge_gap:
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
    if not signs.has_new_temperature and (possible_course is None or signs.fever is False):
        return state, None
    if signs.fever is False:
        return _end_course(state, signs.instant)
    inducers = state.chart.protocol.inducers
    is_outside = not _may_be_induced(state.chart, signs.instant)
    if is_outside and (signs.fever is None or not was_drug_given(inducers, state.chart.drugs)):
        return state, None
    if signs.fever is None:
        return replace(state, course=_extend_possible_course(possible_course, signs)), None
    not_before = possible_course.history[0].at if possible_course else None
    new_course = CrsCourse(
        possible_course.history if possible_course else (),
        signs.instant,
        waived_by=list_waivers(state.chart.protocol.bedside, signs, previous_drugs),
        not_before=not_before,
        is_outside=is_outside,
    )
    course = record_grade(new_course, signs, grade_crs(new_course, signs))
    return replace(
        state, course=update_other_scales(course, signs, state.chart.readings, state.chart.measures)
    ), None


def _extend_possible_course(possible_course: CrsCourse | None, signs: CrsSigns) -> CrsCourse:
    """Return the possible episode while the temperature cannot be read, or is not known."""
    at_most = max(Grade.MILD, signs.severity.at_most)
    missing = tuple(sorted({Input.TEMPERATURE, *signs.severity.missing}))
    facts = (signs.fever_fact,) if signs.fever_fact else ()
    level = SignGrade(Grade.NONE, at_most, "temperature that cannot be read", missing, facts)
    course = possible_course or CrsCourse((), signs.instant, possible=True)
    return record_grade(course, signs, level)


def _continue_course(
    state: CrsState, course: CrsCourse, signs: CrsSigns, previous_drugs: DrugExposures
) -> CrsCourse:
    limits = state.chart.protocol.bedside
    is_present = signs.fever is True or (
        course.is_fever_waived and signs.severity.at_least > Grade.NONE
    )
    if course.is_over:
        if not (is_present and (signs.has_new_temperature or course.is_fever_waived)):
            return course
        course = replace(course, is_over=False, free_since=None, free_not_before=None)
    waived_by = course.waived_by or list_waivers(limits, signs, previous_drugs)
    course = replace(course, waived_by=waived_by)
    course = record_grade(course, signs, grade_crs(course, signs))
    course = update_other_scales(course, signs, state.chart.readings, state.chart.measures)
    return update_recovery(course, signs, limits.crs_free)
