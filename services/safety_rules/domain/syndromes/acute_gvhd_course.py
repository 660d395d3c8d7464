"""Acute GVHD in one participant: the signs of each organ, staged, and the overall grade.

An organ is staged by a clinician (`GvhdStage`) or by its signs (`GvhdSigns`); a bilirubin comes
the laboratory too. What was found stays true for a week, so that organs that were charted on
different days are graded together. Source: docs/decisions/gvhd.md
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial

from services.safety_rules.domain.ctcae.units import rescale_quantity
from services.safety_rules.domain.grade_runs.grade_run import GradeRun
from services.safety_rules.domain.grade_runs.join_grades import (
    GradePoint,
    GradeRunState,
    extend_run,
)
from services.safety_rules.domain.syndromes.acute_gvhd import (
    HIGHEST,
    grade_stage_spans,
    is_bilirubin_unit_doubtful,
)
from services.safety_rules.domain.syndromes.bedside import BedsideContext, chart_readings
from services.safety_rules.domain.syndromes.organ_findings import (
    OrganFinding,
    find_stages,
    join_findings,
    stage_charted_bilirubin,
)
from services.vocabulary.clinical_fact import Enrolment, GvhdStage, Observation
from services.vocabulary.episode import Span
from services.vocabulary.fact import Fact
from services.vocabulary.grade import Grade, Input
from services.vocabulary.graft_fact import AcuteOrgan, GvhdSigns
from services.vocabulary.measure import Measure
from services.vocabulary.protocol import Protocol

SIGNS_STAY = timedelta(days=7)  # staging is weekly; see docs/decisions/gvhd.md
_UNTIL_STAGED_AGAIN = timedelta.max
_BILIRUBIN, _WEIGHT = "bilirubin", "weight"
_MEASURES = frozenset({_BILIRUBIN, _WEIGHT})
_WEIGHTS = frozenset({_WEIGHT})
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
class AcuteState:
    """The state of the disease between instants: the last finding of each organ, and the run.

    *bilirubins* are all those of the laboratory at the last instant with one.
    """

    measures: Mapping[str, Measure]
    findings: Mapping[AcuteOrgan, OrganFinding] = field(default_factory=dict)
    readings: Mapping[str, Fact] = field(default_factory=dict)
    bilirubins: tuple[Fact, ...] = ()
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
    findings = state.findings.values()
    facts = (*state.readings.values(), *state.bilirubins, *_list_facts(findings))
    return tuple({fact.id: fact for fact in facts}.values())


def list_earlier_readings(_state: AcuteState) -> Sequence[Fact]:
    """Return no reading: there is no baseline."""
    return ()


def _chart_facts(state: AcuteState, facts: Sequence[Fact]) -> AcuteState:
    weights = [f.body.weight_kg for f in facts if isinstance(f.body, Enrolment)]
    numbers = [f for f in facts if isinstance(f.body, Observation) and f.body.value is not None]
    rank = partial(_read_weight, measures=state.measures)
    charted_state = replace(
        state,
        readings=chart_readings(state.readings, numbers, _WEIGHTS, rank),
        bilirubins=tuple(filter(_is_bilirubin, numbers)) or state.bilirubins,
        enrolled_weight_kg=next(filter(None, weights), state.enrolled_weight_kg),
    )
    weight_kg = _find_weight(charted_state)
    findings: dict[AcuteOrgan, list[OrganFinding]] = {}
    for fact in facts:
        for organ, finding in find_stages(fact, weight_kg, state.measures):
            findings.setdefault(organ, []).append(finding)
    joined_findings = {organ: join_findings(several) for organ, several in findings.items()}
    return replace(charted_state, findings={**state.findings, **joined_findings})


def _find_weight(state: AcuteState) -> Decimal | None:
    fact = state.readings.get(_WEIGHT)
    body = None if fact is None else fact.body
    weight_kg = _read_weight(body, state.measures) if isinstance(body, Observation) else None
    return state.enrolled_weight_kg if weight_kg is None else weight_kg


def _read_weight(body: Observation, measures: Mapping[str, Measure]) -> Decimal | None:
    """Return the weight in kg; None: it has another unit, or nobody weighs that."""
    weight = None if body.value is None else rescale_quantity(body.value, "kg")
    is_possible = weight is not None and measures[_WEIGHT].plausible["kg"].contains(weight.value)
    return weight.value if weight is not None and is_possible else None


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
    if not is_charted and not (
        findings and run and not run.possible and any(map(_is_bilirubin, facts))
    ):
        return None
    if (liver := _find_liver(state, findings, instant)) is not None:
        findings["liver"] = liver
    lowest_grade, highest_grade = grade_stage_spans(
        {organ: one.stages for organ, one in findings.items()}
    )
    organs = _describe_findings(findings)
    used_facts = _list_facts(one for one in findings.values() if one.stages[1]) or list(facts)
    return GradePoint(
        instant,
        Span(Grade(lowest_grade), Grade(highest_grade)),
        f"grade {lowest_grade.name if lowest_grade else 0} by MAGIC: {organs}",
        () if lowest_grade == highest_grade else _list_missing(findings),
        tuple(sorted({fact.id for fact in used_facts})),
        provisional=any(not fact.status.is_final for fact in used_facts),
    )


def _list_facts(findings: Iterable[OrganFinding]) -> list[Fact]:
    return [fact for one in findings for fact in (one.fact, *one.other_facts)]


def _is_bilirubin(fact: Fact) -> bool:
    return isinstance(fact.body, Observation) and fact.body.measure == _BILIRUBIN


def _find_liver(
    state: AcuteState, findings: Mapping[AcuteOrgan, OrganFinding], instant: datetime
) -> OrganFinding | None:
    """Return the stage of the liver at *instant*; None: it is not known.

    A bilirubin of the laboratory counts where the disease is there in another organ, or whoever
    charted the signs took a bilirubin for one of them. Else its cause is not known.
    """
    charted_finding = findings.get("liver")
    taken_at = state.bilirubins[0].observed_at if state.bilirubins else None
    if taken_at is None or instant - taken_at > SIGNS_STAY:
        return charted_finding
    if charted_finding is not None and (
        charted_finding.is_judged or charted_finding.fact.observed_at >= taken_at
    ):
        return charted_finding
    finding = join_findings(list(_stage_bilirubins(state)))
    is_elsewhere = any(one.stages[0] for organ, one in findings.items() if organ != "liver")
    if charted_finding is not None or is_elsewhere or not finding.stages[1]:
        return finding
    missing = (*finding.missing, Input.BILIRUBIN_CAUSE)
    return replace(finding, stages=(0, finding.stages[1]), missing=missing)


def _stage_bilirubins(state: AcuteState) -> Iterator[OrganFinding]:
    """Yield the stage of each bilirubin of the laboratory at the last instant with one."""
    for fact in state.bilirubins:
        if not isinstance(fact.body, Observation) or fact.body.value is None:
            continue
        finding = stage_charted_bilirubin(fact, fact.body.value, state.measures)
        if is_bilirubin_unit_doubtful(fact.body.value, fact.body.uln):
            finding = replace(finding, stages=(0, HIGHEST["liver"]), missing=(Input.UNIT,))
        yield finding


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
