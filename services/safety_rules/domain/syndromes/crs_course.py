"""One episode of cytokine release syndrome that may still change: graded instant by instant.

Source: Lee et al. 2019, Biol Blood Marrow Transplant 25:625-638, table 2; where it is silent:
docs/decisions/bedside.md
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from services.safety_rules.domain.grade_runs.grade_run import GradeRun
from services.safety_rules.domain.syndromes import ctcae_crs
from services.safety_rules.domain.syndromes.bedside import (
    ChartedReadings,
    SignGrade,
    find_worst_grade,
)
from services.vocabulary.clinical_fact import Observation
from services.vocabulary.episode import Change, Span
from services.vocabulary.fact import Fact
from services.vocabulary.grade import Grade, Input
from services.vocabulary.measure import Measure


@dataclass(frozen=True, slots=True)
class CrsCourse:
    """One episode that may still change.

    Args:
        history: Every change of grade; the first that is certain is the fever that opened it.
        last_at: The last instant that was graded.
        waived_by: The treatments after which fever is no longer required; empty: it is.
        free_since: First of the instants, up to the last one, that were free of all three.
        well_since: First of the instants, up to the last one, without fever and low pressure,
            whatever the support.
        free_not_before: Earliest instant free of all three, when nobody charted the end of support.
        is_over: It has been free for long enough.
        possible: The fever is not certain.
        not_before: Earliest possible onset, when a reading just before leaves it open.
        doubtful: Instants of changes whose evidence is not final.
        other_scales: Worst so far.
        is_outside: No cause acted when the fever came that opened it.
        has_signs: Hypotension or hypoxia was seen with the fever, or after its treatment.
    """

    history: tuple[Change, ...]
    last_at: datetime
    waived_by: tuple[Fact, ...] = ()
    free_since: datetime | None = None
    well_since: datetime | None = None
    free_not_before: datetime | None = None
    is_over: bool = False
    possible: bool = False
    not_before: datetime | None = None
    doubtful: tuple[datetime, ...] = ()
    other_scales: Mapping[str, Span] = field(default_factory=dict)
    is_outside: bool = False
    has_signs: bool = False

    @property
    def is_fever_waived(self) -> bool:
        """True when fever is no longer required: it was treated."""
        return bool(self.waived_by)


@dataclass(frozen=True, slots=True)
class CrsSigns:
    """The three signs at one instant, and its facts.

    Args:
        instant: The instant.
        fever: True when there is one; None: not known.
        fever_fact: The temperature.
        is_fever_masked: An antipyretic could hide a fever when it was taken.
        pressure: The hypotension.
        oxygen: The hypoxia.
        facts: Of the instant.
        pressure_alone: The hypotension, were there no vasopressor.
        unended_since: The last charting of support whose end nobody charted, when no other support
            goes on; None: there is none.
    """

    instant: datetime
    fever: bool | None
    fever_fact: Fact | None
    is_fever_masked: bool
    pressure: SignGrade
    oxygen: SignGrade
    facts: tuple[Fact, ...]
    pressure_alone: SignGrade
    unended_since: datetime | None = None

    @property
    def is_well(self) -> bool:
        """True when there is certainly neither a fever nor a low pressure, whatever the support."""
        is_afebrile = self.fever is False and not self.is_fever_masked
        return is_afebrile and self.pressure_alone.at_most is Grade.NONE

    @property
    def severity(self) -> SignGrade:
        """The worse of hypotension and hypoxia."""
        return find_worst_grade((self.pressure, self.oxygen))

    @property
    def has_new_temperature(self) -> bool:
        """True when the temperature was taken at this instant."""
        return self.fever_fact is not None and self.fever_fact.observed_at == self.instant


def grade_crs(course: CrsCourse, signs: CrsSigns) -> SignGrade:
    """Return the grade in an open episode: at least 1, more while fever counts."""
    severity = signs.severity
    at_most = max(Grade.MILD, severity.at_most)
    if signs.fever is True or course.is_fever_waived:
        sign = (
            f"fever, {_describe_temperature(signs.fever_fact)}"
            if signs.fever
            else "fever waived after treatment"
        )
        because = "; ".join(word for word in (sign, severity.because) if word)
        at_least = max(Grade.MILD, severity.at_least)
        fever_facts = (signs.fever_fact,) if signs.fever and signs.fever_fact else ()
        facts = fever_facts or course.waived_by
        return SignGrade(at_least, at_most, because, severity.missing, (*facts, *severity.facts))
    sign = "fever gone, not treated" if signs.fever is False else "temperature not known"
    because = "; ".join(word for word in (sign, severity.because) if word)
    missing = set(severity.missing)
    if at_most > Grade.MILD:
        missing.add(Input.TEXT if signs.fever is False else Input.TEMPERATURE)
    return SignGrade(Grade.MILD, at_most, because, tuple(sorted(missing)), severity.facts)


def update_recovery(course: CrsCourse, signs: CrsSigns, required_duration: timedelta) -> CrsCourse:
    """Return *course* with its time free of all signs, which no unknown sign begins or ends.

    Support whose end nobody charted had ended by now, at some time since the participant was well.
    """
    severity = signs.severity
    if signs.fever is True or signs.pressure_alone.at_least > Grade.NONE:
        return replace(course, free_since=None, free_not_before=None, well_since=None)
    if signs.is_well:
        course = replace(course, well_since=course.well_since or signs.instant)
    if severity.at_least > Grade.NONE:
        return replace(course, free_since=None, free_not_before=None)
    is_unknown = severity.at_most > Grade.NONE and signs.unended_since is None
    if is_unknown or not signs.is_well or course.well_since is None:
        return course
    if course.free_since is None:
        begins_at = max(course.well_since, signs.unended_since or signs.instant)
        not_before = begins_at if begins_at < signs.instant else None
        course = replace(course, free_since=signs.instant, free_not_before=not_before)
    began_at = course.free_not_before or course.free_since or signs.instant
    return replace(course, is_over=signs.instant - began_at >= required_duration)


def record_grade(course: CrsCourse, signs: CrsSigns, level: SignGrade) -> CrsCourse:
    """Return *course* after one instant; its history has every change of grade, and no more."""
    counts_fever = signs.fever is True or course.is_fever_waived
    has_signs = course.has_signs or (counts_fever and signs.severity.at_least > Grade.NONE)
    course = replace(course, last_at=signs.instant, has_signs=has_signs)
    if course.history and course.history[-1].span == level.span:
        return course
    return add_change(course, signs, level)


def add_change(course: CrsCourse, signs: CrsSigns, level: SignGrade) -> CrsCourse:
    """Return *course* with one more change of grade."""
    change = Change(
        signs.instant,
        level.span,
        level.because,
        tuple(level.missing),
        tuple(sorted({fact.id for fact in level.facts})),
    )
    is_doubtful = any(not fact.status.is_final for fact in level.facts)
    return replace(
        course,
        history=(*course.history, change),
        doubtful=(*course.doubtful, signs.instant) if is_doubtful else course.doubtful,
    )


def confirm_overlap(course: CrsCourse, began_at: datetime) -> CrsCourse:
    """Return *course* with several vasopressors as certain from *began_at* on.

    They have run together since then for long enough, which nobody could know at the time.
    """
    history: list[Change] = []
    for change in course.history:
        is_confirmed = change.at >= began_at and Input.PRESSOR_OVERLAP in change.missing
        settled_change = _settle_overlap(change) if is_confirmed else change
        if not history or history[-1].span != settled_change.span:
            history.append(settled_change)
    return replace(course, history=tuple(history))


def _settle_overlap(change: Change) -> Change:
    """Return *change* with several vasopressors as certain: grade 4 where hypotension counts."""
    if change.span.at_least is Grade.SEVERE:
        span = Span(Grade.LIFE_THREATENING, Grade.LIFE_THREATENING)
        return replace(change, span=span, missing=())
    missing = tuple(name for name in change.missing if name != Input.PRESSOR_OVERLAP)
    return replace(change, missing=missing)


def update_other_scales(
    course: CrsCourse,
    signs: CrsSigns,
    readings: ChartedReadings,
    measures: Mapping[str, Measure],
) -> CrsCourse:
    """Return *course* with its worst grades by CTCAE, which asks for fever at grade 1 alone."""
    spans = ctcae_crs.grade_spans(signs.pressure, signs.oxygen, readings, measures)
    return replace(course, other_scales=ctcae_crs.merge_worst_spans(course.other_scales, spans))


def find_run(course: CrsCourse) -> GradeRun | None:
    """Return the run of the episode so far; None: a fever alone, while no cause of CRS acts."""
    return None if course.is_outside and not course.has_signs else _build_run(course)


def _build_run(course: CrsCourse) -> GradeRun:
    """Return the run of the episode so far, without changes after its resolution."""
    resolved_at = course.free_since if course.is_over else None
    history = course.history
    if resolved_at is not None and not course.possible:
        history = tuple(c for c in history if c.at < resolved_at) or history[:1]
    onset_at = next((c.at for c in history if c.span.at_least > Grade.NONE), history[0].at)
    worst_at = max(history, key=lambda c: (c.span.at_least, -c.at.timestamp())).at
    return GradeRun(
        onset_at=onset_at,
        history=history,
        last_evidence_at=course.last_at,
        resolved_at=resolved_at,
        resolved_not_before=course.free_not_before if resolved_at else None,
        onset_not_before=course.not_before,
        possible=course.possible or course.is_outside,
        outside_inducer_window=course.is_outside,
        provisional=onset_at in course.doubtful or worst_at in course.doubtful,
        other_scales=course.other_scales,
    )


def _describe_temperature(fact: Fact | None) -> str:
    value = fact.body.value if fact and isinstance(fact.body, Observation) else None
    return f"{value.value} {value.unit}" if value else "temperature unreadable"
