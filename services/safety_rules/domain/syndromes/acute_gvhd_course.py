"""Acute GVHD in one participant: the signs of each organ, staged, and the overall grade.

An organ is staged by a clinician (`GvhdStage`) or by its signs (`GvhdSigns`); a bilirubin comes
the laboratory too. What was found stays true for a week, so that organs that were charted on
different days are graded together. Source: docs/decisions/gvhd.md
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal

from services.safety_rules.domain.ctcae.units import rescale_quantity
from services.safety_rules.domain.grade_runs.grade_run import GradeRun
from services.safety_rules.domain.grade_runs.join_grades import (
    GradePoint,
    GradeRunState,
    extend_run,
)
from services.safety_rules.domain.syndromes.acute_gvhd import (
    HIGHEST,
    StageSpan,
    grade_stage_spans,
    is_bilirubin_unit_doubtful,
    stage_bilirubin,
    stage_lower_gi,
    stage_skin,
    stage_stool_episodes,
    stage_upper_gi,
)
from services.safety_rules.domain.syndromes.bedside import BedsideContext, chart_readings
from services.vocabulary.clinical_fact import Enrolment, GvhdStage, Observation
from services.vocabulary.episode import Span
from services.vocabulary.fact import Fact
from services.vocabulary.grade import Grade, Input
from services.vocabulary.graft_fact import AcuteOrgan, GvhdSigns
from services.vocabulary.measure import Measure
from services.vocabulary.protocol import Protocol
from services.vocabulary.quantity import Quantity

SIGNS_STAY = timedelta(days=7)  # staging is weekly; see docs/decisions/gvhd.md
_UNTIL_STAGED_AGAIN = timedelta.max
_BILIRUBIN, _WEIGHT = "bilirubin", "weight"
_MEASURES = frozenset({_BILIRUBIN, _WEIGHT})
_NAMES: Mapping[AcuteOrgan, str] = {
    "skin": "skin",
    "liver": "liver",
    "upper_gi": "upper GI",
    "lower_gi": "lower GI",
}
_MISSING: Mapping[AcuteOrgan, Input] = {
    "skin": Input.RASH,
    "liver": Input.BILIRUBIN,
    "upper_gi": Input.UPPER_GI,
    "lower_gi": Input.STOOL,
}


@dataclass(frozen=True, slots=True)
class OrganFinding:
    """The stage of one organ, as far as its sign tells, and whence it is known.

    *is_judged*: a clinician staged the organ, or named another cause of its sign; a result of the
    laboratory does not change that while it stays true.
    """

    fact: Fact
    stages: StageSpan
    sign: str = ""
    missing: tuple[Input, ...] = ()
    is_judged: bool = False
    is_other_cause: bool = False


@dataclass(frozen=True, slots=True)
class AcuteState:
    """The state of the disease between instants: the last finding of each organ, and the run."""

    measures: Mapping[str, Measure]
    findings: Mapping[AcuteOrgan, OrganFinding] = field(default_factory=dict)
    readings: Mapping[str, Fact] = field(default_factory=dict)
    enrolled_weight_kg: Decimal | None = None
    run_state: GradeRunState = field(default_factory=lambda: GradeRunState(before_exposure=False))


def reads_fact(fact: Fact, _protocol: Protocol) -> bool:
    """Return True when *fact* may change the disease."""
    body = fact.body
    if isinstance(body, Observation):
        return body.measure in _MEASURES
    return isinstance(body, GvhdStage | GvhdSigns | Enrolment)


def make_initial_state(
    _protocol: Protocol, measures: Mapping[str, Measure], _context: BedsideContext
) -> AcuteState:
    """Return the state before any fact."""
    return AcuteState(measures)


def step_state(
    state: AcuteState, instant: datetime, facts: Sequence[Fact]
) -> tuple[AcuteState, GradeRun | None]:
    """Return the state after all *facts* of *instant*, and the episode that they end."""
    next_state = _chart_facts(state, facts)
    point = _grade_instant(next_state, instant, facts)
    if point is None:
        return next_state, None
    run_state, ended_run = extend_run(state.run_state, point, _UNTIL_STAGED_AGAIN)
    return replace(next_state, run_state=run_state), ended_run


def list_grade_points(
    facts_by_instant: Sequence[Sequence[Fact]], measures: Mapping[str, Measure]
) -> list[GradePoint]:
    """Return the grade at each instant at which the disease was staged.

    Args:
        facts_by_instant: All that `reads_fact` of each instant, in the order of time.
        measures: Every measure by name.
    """
    state, points = AcuteState(measures), []
    for facts in facts_by_instant:
        instant = facts[0].observed_at
        point = _grade_instant(_chart_facts(state, facts), instant, facts)
        points += [] if point is None else [point]
        state, _ = step_state(state, instant, facts)
    return points


def find_open_run(state: AcuteState) -> GradeRun | None:
    """Return the episode that may still change, if there is one."""
    return state.run_state.open_run


def find_last_seen_at(state: AcuteState) -> datetime | None:
    """Return the last instant at which the open episode was staged."""
    return state.run_state.last_at


def list_readings(state: AcuteState) -> Sequence[Fact]:
    """Return the last stage of each organ, and the last reading of each measure."""
    facts = (*state.readings.values(), *(one.fact for one in state.findings.values()))
    return tuple({fact.id: fact for fact in facts}.values())


def list_earlier_readings(_state: AcuteState) -> Sequence[Fact]:
    """Return no reading: there is no baseline."""
    return ()


def _chart_facts(state: AcuteState, facts: Sequence[Fact]) -> AcuteState:
    weights = [f.body.weight_kg for f in facts if isinstance(f.body, Enrolment)]
    numbers = [f for f in facts if isinstance(f.body, Observation) and f.body.value is not None]
    charted_state = replace(
        state,
        readings=chart_readings(state.readings, numbers, _MEASURES, _rank_reading),
        enrolled_weight_kg=next(filter(None, weights), state.enrolled_weight_kg),
    )
    weight_kg = _find_weight(charted_state)
    findings: dict[AcuteOrgan, OrganFinding] = {}
    for fact in facts:
        for organ, finding in _find_stages(fact, weight_kg, state.measures):
            findings[organ] = max(finding, findings.get(organ, finding), key=_rank_finding)
    return replace(charted_state, findings={**state.findings, **findings})


def _rank_reading(body: Observation) -> Decimal | None:
    """Return the size of a reading of one measure, in one unit; None: it cannot be read."""
    if body.value is None:  # a word is never charted
        return None
    unit = "kg" if body.measure == _WEIGHT else "mg/dL"
    fits = rescale_quantity(body.value, unit)
    return body.value.value if fits is None else fits.value


def _rank_finding(finding: OrganFinding) -> tuple[bool, StageSpan, str]:
    """Return the rank among findings of one instant: a named cause, then the worst stage."""
    return finding.is_other_cause, finding.stages, finding.fact.id


def _find_weight(state: AcuteState) -> Decimal | None:
    fact = state.readings.get(_WEIGHT)
    value = fact.body.value if fact and isinstance(fact.body, Observation) else None
    weight = None if value is None else rescale_quantity(value, "kg")
    is_possible = weight is not None and state.measures[_WEIGHT].plausible["kg"].contains(
        weight.value
    )
    return weight.value if weight is not None and is_possible else state.enrolled_weight_kg


def _find_stages(
    fact: Fact, weight_kg: Decimal | None, measures: Mapping[str, Measure]
) -> Iterator[tuple[AcuteOrgan, OrganFinding]]:
    """Yield each organ that *fact* speaks of, with its stage."""
    body = fact.body
    if isinstance(body, GvhdStage):
        for organ in HIGHEST:
            stage = getattr(body, organ)
            if stage is not None:
                yield organ, OrganFinding(fact, (stage, stage), is_judged=True)
    if not isinstance(body, GvhdSigns):
        return
    for organ in body.other_cause:
        finding = OrganFinding(fact, (0, 0), "another cause", is_judged=True)
        yield organ, replace(finding, is_other_cause=True)
    if body.rash_percent is not None:
        stage = stage_skin(body.rash_percent, bullae_over_5_percent=body.bullae)
        sign = f"rash of {body.rash_percent} %{' with bullae' if body.bullae else ''}"
        yield "skin", OrganFinding(fact, (stage, stage), sign)
    if body.upper_gi is not None:
        stage = stage_upper_gi(persistent=body.upper_gi == "persistent")
        sign = "no symptoms" if body.upper_gi == "none" else f"{body.upper_gi} symptoms"
        yield "upper_gi", OrganFinding(fact, (stage, stage), sign)
    if (gut := _stage_gut(body, weight_kg)) is not None:
        stage, sign = gut
        yield "lower_gi", OrganFinding(fact, (stage, stage), sign)
    if body.bilirubin is not None:
        yield "liver", _stage_charted_bilirubin(fact, body.bilirubin, measures)


def _stage_gut(body: GvhdSigns, weight_kg: Decimal | None) -> tuple[int, str] | None:
    """Return the stage of the lower gut and its sign; None: nothing of it was charted."""
    if body.severe_gut_sign:
        return HIGHEST["lower_gi"], "severe pain, ileus or bloody stool"
    if body.stool_ml_per_day is not None:
        stage = stage_lower_gi(body.stool_ml_per_day, weight_kg=weight_kg)
        return stage, f"stool of {body.stool_ml_per_day} mL/day"
    if body.stool_episodes_per_day is not None:
        stage = stage_stool_episodes(body.stool_episodes_per_day, weight_kg=weight_kg)
        return stage, f"{body.stool_episodes_per_day} stools/day"
    return None


def _stage_charted_bilirubin(
    fact: Fact, bilirubin: Quantity, measures: Mapping[str, Measure]
) -> OrganFinding:
    stages = stage_bilirubin(bilirubin, measures)
    sign = f"bilirubin {bilirubin.censoring or ''}{bilirubin.value} {bilirubin.unit}".rstrip()
    if stages is None:
        return OrganFinding(fact, (0, HIGHEST["liver"]), sign, (Input.BILIRUBIN,))
    return OrganFinding(fact, stages, sign, () if stages[0] == stages[1] else (Input.BILIRUBIN,))


def _grade_instant(
    state: AcuteState, instant: datetime, facts: Sequence[Fact]
) -> GradePoint | None:
    """Return the grade at *instant*; None: nobody staged the disease then.

    Somebody did who charted a sign. A bilirubin alone only goes on with an episode that is open.
    """
    findings: dict[AcuteOrgan, OrganFinding] = {
        organ: finding
        for organ, finding in state.findings.items()
        if instant - finding.fact.observed_at <= SIGNS_STAY
    }
    is_charted = any(isinstance(fact.body, GvhdStage | GvhdSigns) for fact in facts)
    run = state.run_state.open_run
    if not is_charted and not (findings and run and not run.possible and _has_bilirubin(facts)):
        return None
    if (liver := _find_liver(state, findings, instant)) is not None:
        findings["liver"] = liver
    lowest_grade, highest_grade = grade_stage_spans(
        {organ: one.stages for organ, one in findings.items()}
    )
    organs = _describe_findings(findings)
    used_facts = [one.fact for one in findings.values() if one.stages[1]] or list(facts)
    return GradePoint(
        instant,
        Span(Grade(lowest_grade), Grade(highest_grade)),
        f"grade {lowest_grade.name if lowest_grade else 0} by MAGIC: {organs}",
        () if lowest_grade == highest_grade else _list_missing(findings),
        tuple(sorted({fact.id for fact in used_facts})),
        provisional=any(not fact.status.is_final for fact in used_facts),
    )


def _has_bilirubin(facts: Sequence[Fact]) -> bool:
    return any(isinstance(f.body, Observation) and f.body.measure == _BILIRUBIN for f in facts)


def _find_liver(
    state: AcuteState, findings: Mapping[AcuteOrgan, OrganFinding], instant: datetime
) -> OrganFinding | None:
    """Return the stage of the liver at *instant*; None: it is not known.

    A bilirubin of the laboratory counts where the disease is there in another organ, or whoever
    charted the signs took a bilirubin for one of them. Else its cause is not known.
    """
    charted_finding, fact = findings.get("liver"), state.readings.get(_BILIRUBIN)
    body = None if fact is None else fact.body
    if fact is None or not isinstance(body, Observation) or body.value is None:
        return charted_finding
    if instant - fact.observed_at > SIGNS_STAY:
        return charted_finding
    if charted_finding is not None and (
        charted_finding.is_judged or charted_finding.fact.observed_at >= fact.observed_at
    ):
        return charted_finding
    finding = _stage_charted_bilirubin(fact, body.value, state.measures)
    if is_bilirubin_unit_doubtful(body.value, body.uln):
        finding = replace(finding, stages=(0, HIGHEST["liver"]), missing=(Input.UNIT,))
    is_elsewhere = any(one.stages[0] for organ, one in findings.items() if organ != "liver")
    if charted_finding is not None or is_elsewhere or not finding.stages[1]:
        return finding
    missing = (*finding.missing, Input.BILIRUBIN_CAUSE)
    return replace(finding, stages=(0, finding.stages[1]), missing=missing)


def _describe_findings(findings: Mapping[AcuteOrgan, OrganFinding]) -> str:
    words = []
    for organ, name in _NAMES.items():
        finding = findings.get(organ)
        if finding is None:
            words.append(f"{name} not known")
        else:
            stages = "-".join(dict.fromkeys(map(str, finding.stages)))
            words.append(f"{name} {stages}{f' ({finding.sign})' if finding.sign else ''}")
    return ", ".join(words)


def _list_missing(findings: Mapping[AcuteOrgan, OrganFinding]) -> tuple[str, ...]:
    missing = {name for organ, name in _MISSING.items() if organ not in findings}
    missing |= {name for one in findings.values() for name in one.missing}
    return tuple(sorted(missing))
