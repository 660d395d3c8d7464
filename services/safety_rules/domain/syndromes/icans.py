"""Immune effector cell-associated neurotoxicity syndrome, ASTCT 2019: the worst of its domains.

Source: Lee et al. 2019, Biol Blood Marrow Transplant 25:625-638, tables 4 to 6; where it is
silent: docs/decisions/bedside.md
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal

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
    SignGrade,
    chart_readings,
    find_current_reading,
    find_worst_grade,
    is_inducer,
    may_be_induced,
    was_drug_given,
)
from services.vocabulary.clinical_fact import Administration, Observation
from services.vocabulary.episode import Span, find_worst_span
from services.vocabulary.fact import Fact
from services.vocabulary.grade import Grade, Input
from services.vocabulary.measure import Measure
from services.vocabulary.protocol import Protocol

_NORMAL, _MILD, _MODERATE, _SEVERE, _LIFE = list(Grade)[:5]

# Each word that a domain may be charted with, and its grade.
_WORDS: Mapping[str, Mapping[str, tuple[Grade, str]]] = {
    "arousal": {
        "spontaneous": (_NORMAL, "awakens spontaneously"),
        "voice": (_MODERATE, "awakens to voice"),
        "tactile": (_SEVERE, "awakens only to tactile stimulus"),
        "unarousable": (_LIFE, "unarousable"),
    },
    "seizure": {
        "none": (_NORMAL, "no seizure"),
        "brief": (_SEVERE, "seizure that resolved rapidly"),
        "prolonged": (_LIFE, "prolonged or repetitive seizure"),
    },
    "motor": {
        "none": (_NORMAL, "no motor weakness"),
        "deep-focal": (_LIFE, "deep focal motor weakness"),
    },
    "edema": {
        "none": (_NORMAL, "no edema"),
        "focal": (_SEVERE, "focal cerebral edema"),
        "diffuse": (_LIFE, "diffuse cerebral edema or raised intracranial pressure"),
    },
}
_SCORES = frozenset({"ice", "capd"})
_CONFOUNDING_SIGNS = frozenset({"sedation", "intracranial-hemorrhage"})
_MEASURES_OF_V6 = _SCORES | {"arousal", "sedation"}
MEASURES = frozenset(_WORDS) | _SCORES | _CONFOUNDING_SIGNS

# ICE score: at or above which number which grade. Zero depends on arousal.
_ICE = (
    (Decimal(10), _NORMAL),
    (Decimal(7), _MILD),
    (Decimal(3), _MODERATE),
    (Decimal(1), _SEVERE),
)
_CAPD_SEVERE = Decimal(9)
HIGHEST = {"ice": Decimal(10), "capd": Decimal(32)}

ICANS_V6 = "ctcae-6.0.immune-effector-cell-associated-neurotoxicity-syndrome"


@dataclass(frozen=True, slots=True)
class IcansState:
    """The state of the syndrome between instants."""

    protocol: Protocol
    context: BedsideContext
    readings: ChartedReadings = field(default_factory=dict)
    drugs: DrugExposures = field(default_factory=DrugExposures)
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
    readings = chart_readings(state.readings, facts, MEASURES, _rank_severity)
    next_state = replace(state, readings=readings, drugs=drugs)
    is_assessed = any(isinstance(fact.body, Observation) for fact in facts)
    previous_run = state.run_state.open_run
    inducers = state.protocol.inducers
    if not is_assessed or (previous_run is None and not _may_begin(state, drugs, instant)):
        return next_state, None
    is_inside = may_be_induced(inducers, drugs, state.context, instant)
    level = grade_icans(readings, instant, state.protocol.bedside.ice_stays)
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
        v6_level = find_worst_grade(
            list(_grade_domains_of_v6(readings, instant, state.protocol.bedside.ice_stays))
        )
        run = _update_v6_grade(run_state.open_run, v6_level)
        is_new = previous_run is None or ended_run is not None
        was_outside = is_new or (previous_run is not None and previous_run.outside_inducer_window)
        has_sign_inside = is_inside and (is_new or level.at_least > _NORMAL)
        is_outside = was_outside and not has_sign_inside
        run_state = replace(run_state, open_run=replace(run, outside_inducer_window=is_outside))
    return replace(next_state, run_state=run_state), ended_run


def find_open_run(state: IcansState) -> GradeRun | None:
    """Return the episode that may still change, if there is one."""
    return state.run_state.open_run


def find_last_seen_at(state: IcansState) -> datetime | None:
    """Return the last instant at which the open episode was graded."""
    return state.run_state.last_at


def _update_v6_grade(run: GradeRun, v6_level: SignGrade) -> GradeRun:
    """Return *run* with its worst grade on the scale of CTCAE v6.0 so far."""
    previous_span = run.other_scales.get(ICANS_V6, Span(_NORMAL, _NORMAL))
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
    return level.at_least > _NORMAL or Input.TEXT in level.missing


def grade_icans(readings: ChartedReadings, instant: datetime, stays: timedelta) -> SignGrade:
    """Return the grade at *instant*: the worst of the known domains.

    Args:
        readings: Last of each measure.
        instant: The instant.
        stays: The time for which a reading stays current.
    """
    levels = list(_grade_domains(readings, instant, stays))
    return find_worst_grade(levels)


def _grade_domains(
    readings: ChartedReadings, instant: datetime, stays: timedelta
) -> Iterator[SignGrade]:
    current_readings = _find_current_readings(readings, instant, stays)
    is_sedated = _read_word(current_readings.get("sedation")) == "yes"
    has_hemorrhage = _read_word(current_readings.get("intracranial-hemorrhage")) == "yes"
    for name, words in _WORDS.items():
        fact = current_readings.get(name)
        is_confounded = (has_hemorrhage and name in ("edema", "motor")) or (
            is_sedated and name == "arousal"
        )
        if fact is not None and not is_confounded:
            yield _grade_word(fact, words)
    if is_sedated:
        yield SignGrade(_NORMAL, _LIFE, missing=(Input.AROUSAL, Input.ICE))
    else:
        yield _grade_cognition(current_readings)


def _grade_domains_of_v6(
    readings: ChartedReadings, instant: datetime, stays: timedelta
) -> Iterator[SignGrade]:
    """Return the grades of the domains of CTCAE v6.0: the score and the arousal alone.

    Source: CTCAE v6.0, Nervous system disorders, "Immune effector cell-associated neurotoxicity
    syndrome"
    """
    v6_readings = {name: fact for name, fact in readings.items() if name in _MEASURES_OF_V6}
    return _grade_domains(v6_readings, instant, stays)


def _find_current_readings(
    readings: ChartedReadings, instant: datetime, stays: timedelta
) -> Mapping[str, Fact]:
    return {
        name: fact
        for name in MEASURES
        if (fact := find_current_reading(readings, name, instant, stays))
    }


def _grade_word(fact: Fact, words: Mapping[str, tuple[Grade, str]]) -> SignGrade:
    grade, because = words.get(_read_word(fact), (_NORMAL, ""))
    if not because:
        return SignGrade(_NORMAL, _LIFE, missing=(Input.TEXT,))
    return SignGrade(grade, grade, because, facts=(fact,) if grade else ())


def _grade_cognition(current_readings: Mapping[str, Fact]) -> SignGrade:
    """Return the grade by ICE, or by CAPD in children who cannot be scored by ICE."""
    arousal = _read_word(current_readings.get("arousal"))
    worst_possible = _SEVERE if arousal and arousal != "unarousable" else _LIFE
    ice, capd = current_readings.get("ice"), current_readings.get("capd")
    if ice is None and capd is not None:
        return _grade_capd(capd)
    score = _read_score(ice)
    if ice is None or score is None:
        missing = (Input.ICE,) if arousal else (Input.ICE, Input.AROUSAL)
        return SignGrade(_NORMAL, worst_possible, missing=missing)
    if score == 0:
        missing_inputs = () if arousal else (Input.AROUSAL,)
        return SignGrade(_SEVERE, worst_possible, "ICE 0", missing_inputs, (ice,))
    grade = next(grade for least, grade in _ICE if score >= least)
    return SignGrade(grade, grade, f"ICE {score}", facts=(ice,) if grade else ())


def _grade_capd(fact: Fact) -> SignGrade:
    """Below 9 it is 1 (0: nothing noticed); arousal, a domain of its own, makes it worse."""
    score = _read_score(fact)
    if score is None:
        return SignGrade(_NORMAL, _LIFE, missing=(Input.ICE,))
    if score >= _CAPD_SEVERE:
        return SignGrade(_SEVERE, _SEVERE, f"CAPD {score}", facts=(fact,))
    grade = _MILD if score > 0 else _NORMAL
    return SignGrade(grade, grade, f"CAPD {score}", facts=(fact,) if grade else ())


def _read_score(fact: Fact | None) -> Decimal | None:
    return _read_points(fact.body) if fact and isinstance(fact.body, Observation) else None


def _read_points(body: Observation) -> Decimal | None:
    """Return a score; None when it is no whole number that the score can have."""
    value = body.value
    if value is None or value.censoring is not None:
        return None
    is_whole_number = value.value == value.value.to_integral_value()
    return value.value if is_whole_number and 0 <= value.value <= HIGHEST[body.measure] else None


def _rank_severity(body: Observation) -> Decimal | int | None:
    """Return the rank of a reading among others of its measure; None: it cannot be read."""
    if body.measure in _SCORES:
        points = _read_points(body)
        return -points if points is not None and body.measure == "ice" else points
    if body.measure in _WORDS:
        return _WORDS[body.measure].get(body.text, (None, ""))[0]
    return int(body.text == "yes")


def _read_word(fact: Fact | None) -> str:
    return fact.body.text if fact and isinstance(fact.body, Observation) else ""
