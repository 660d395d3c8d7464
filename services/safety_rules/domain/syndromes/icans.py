"""Immune effector cell-associated neurotoxicity syndrome, ASTCT 2019: the worst of its domains.

Source: Lee et al. 2019, Biol Blood Marrow Transplant 25:625-638, tables 4 to 6; where it is
silent: docs/decisions/bedside.md
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from services.safety_rules.domain.facts.drugs import DrugExposures
from services.safety_rules.domain.grade_runs.grade_run import GradeRun
from services.safety_rules.domain.grade_runs.join_grades import (
    GradePoint,
    GradeRunState,
    extend_run,
)
from services.safety_rules.domain.syndromes.bedside import (
    BedsideContext,
    ChartedReadings,
    ExposurePhase,
    SignGrade,
    add_earlier_readings,
    chart_readings,
    find_exposure_phase,
    is_inducer,
    may_be_induced,
    select_recent_readings,
    was_drug_given,
)
from services.safety_rules.domain.syndromes.icans_domains import (
    BASELINE_MEASURES,
    MEASURES,
    IcansBaseline,
    grade_icans,
    grade_v6,
    rank_severity,
    summarize_baseline,
)
from services.vocabulary.clinical_fact import Administration, Observation
from services.vocabulary.episode import Span, find_worst_span
from services.vocabulary.fact import Fact
from services.vocabulary.grade import Grade, Input
from services.vocabulary.measure import Measure
from services.vocabulary.protocol import Protocol

ICANS_V6 = "ctcae-6.0.immune-effector-cell-associated-neurotoxicity-syndrome"


@dataclass(frozen=True, slots=True)
class IcansState:
    """The state of the syndrome between instants.

    Args:
        protocol: The study's.
        context: The graft and the site.
        readings: Last of each measure.
        drugs: Running and given, of those that may cause it.
        earlier_readings: Before exposure, as far back as a baseline reads.
        baseline: Before exposure; None: it has not begun.
        run_state: The episode that is open.
    """

    protocol: Protocol
    context: BedsideContext
    readings: ChartedReadings = field(default_factory=dict)
    drugs: DrugExposures = field(default_factory=DrugExposures)
    earlier_readings: tuple[Fact, ...] = ()
    baseline: IcansBaseline | None = None
    run_state: GradeRunState = field(default_factory=lambda: GradeRunState(before_exposure=False))


def reads_fact(fact: Fact, protocol: Protocol) -> bool:
    """Return True when *fact* may change the syndrome."""
    body = fact.body
    if isinstance(body, Observation):
        return body.measure in MEASURES
    return isinstance(body, Administration) and is_inducer(body.drug, protocol)


def make_initial_state(
    protocol: Protocol, _measures: Mapping[str, Measure], context: BedsideContext
) -> IcansState:
    """Return the state before any fact."""
    return IcansState(protocol, context)


def step_state(
    state: IcansState, instant: datetime, facts: Sequence[Fact]
) -> tuple[IcansState, GradeRun | None]:
    """Return the state after all *facts* of *instant*, and the episode that they end."""
    drugs = state.drugs.apply_administrations(facts)
    readings = chart_readings(state.readings, facts, MEASURES, rank_severity)
    next_state = replace(
        _update_baseline(state, drugs, instant, facts), readings=readings, drugs=drugs
    )
    is_assessed = any(isinstance(fact.body, Observation) for fact in facts)
    previous_run = state.run_state.open_run
    inducers = state.protocol.inducers
    if not is_assessed or (previous_run is None and not _may_begin(state, drugs, instant)):
        return next_state, None
    is_inside = may_be_induced(inducers, drugs, state.context, instant)
    baseline, ice_stays = next_state.baseline or IcansBaseline(), state.protocol.bedside.ice_stays
    level = grade_icans(readings, instant, ice_stays, baseline)
    if previous_run is None and not is_inside and not _is_sign(level):
        return next_state, None
    reading = GradePoint(
        instant,
        level.span,
        level.because or "no domain affected",
        tuple(level.missing),
        tuple(sorted(fact.id for fact in level.facts)),
        provisional=any(not fact.status.is_final for fact in level.facts),
    )
    run_state, ended_run = extend_run(state.run_state, reading, state.protocol.merge_gap)
    if run_state.open_run is not None:
        is_new = previous_run is None or ended_run is not None
        run = run_state.open_run if is_new else _keep_sedated_time(previous_run, run_state.open_run)
        run = _update_v6_grade(run, grade_v6(readings, instant, ice_stays, baseline))
        was_outside = is_new or (previous_run is not None and previous_run.outside_inducer_window)
        has_sign_inside = is_inside and (is_new or level.at_least > Grade.NONE)
        is_outside = was_outside and not has_sign_inside
        run_state = replace(run_state, open_run=replace(run, outside_inducer_window=is_outside))
    return replace(next_state, run_state=run_state), ended_run


def _update_baseline(
    state: IcansState, drugs: DrugExposures, instant: datetime, facts: Sequence[Fact]
) -> IcansState:
    """Return *state* with the readings of before exposure, or the baseline that it finds."""
    protocol, period = state.protocol, state.protocol.bedside.baseline_period
    phase = (
        ExposurePhase.GOES_ON
        if state.run_state.open_run is not None
        else find_exposure_phase(protocol, state.context, state.drugs, drugs, instant)
    )
    if phase is ExposurePhase.BEFORE:
        earlier_readings = add_earlier_readings(
            state.earlier_readings, facts, BASELINE_MEASURES, instant, period
        )
        return replace(state, earlier_readings=earlier_readings, baseline=None)
    if phase is ExposurePhase.GOES_ON and state.baseline is not None:
        return state
    earlier_readings = select_recent_readings(state.earlier_readings, instant, period)
    baseline = summarize_baseline(earlier_readings)
    return replace(state, earlier_readings=earlier_readings, baseline=baseline)


def find_open_run(state: IcansState) -> GradeRun | None:
    """Return the episode that may still change, if there is one."""
    return state.run_state.open_run


def find_last_seen_at(state: IcansState) -> datetime | None:
    """Return the last instant at which the open episode was graded."""
    return state.run_state.last_at


def list_readings(state: IcansState) -> Sequence[Fact]:
    """Return the last reading of each sign."""
    return tuple(state.readings.values())


def list_earlier_readings(state: IcansState) -> Sequence[Fact]:
    """Return the readings before exposure, as far back as a baseline reads."""
    return state.earlier_readings


def _keep_sedated_time(previous_run: GradeRun | None, run: GradeRun) -> GradeRun:
    """Return *run* with the time under sedation before its onset.

    Then nobody could know the grade; what nobody assessed only makes the onset uncertain.
    """
    if previous_run is None or run.possible or not previous_run.possible:
        return run
    earlier_changes = previous_run.history
    sedated = [
        n for n, one in enumerate(earlier_changes) if Input.UNSEDATED_ASSESSMENT in one.missing
    ]
    if not sedated:
        return run
    history = (*earlier_changes[sedated[0] :], *run.history)
    return replace(run, history=history, other_scales=previous_run.other_scales)


def _update_v6_grade(run: GradeRun, v6_level: SignGrade) -> GradeRun:
    """Return *run* with its worst grade on the scale of CTCAE v6.0 so far."""
    previous_span = run.other_scales.get(ICANS_V6, Span(Grade.NONE, Grade.NONE))
    worst_span = find_worst_span((previous_span, v6_level.span))
    is_known = ICANS_V6 in run.other_scales and worst_span == previous_span
    return run if is_known else replace(run, other_scales={ICANS_V6: worst_span})


def _may_begin(state: IcansState, drugs: DrugExposures, instant: datetime) -> bool:
    """Return True when a cause acts at *instant*, or its drug was given at some time before."""
    inducers = state.protocol.inducers
    return was_drug_given(inducers, drugs) or may_be_induced(
        inducers, drugs, state.context, instant
    )


def _is_sign(level: SignGrade) -> bool:
    """Return True for a sign that was charted, in words that may be unreadable; not for a gap."""
    return level.at_least > Grade.NONE or Input.TEXT in level.missing
