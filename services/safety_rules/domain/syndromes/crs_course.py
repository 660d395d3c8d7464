"""One episode of cytokine release syndrome that may still change: graded instant by instant.

Source: Lee et al. 2019, Biol Blood Marrow Transplant 25:625-638, table 2; where it is silent:
docs/decisions/bedside.md
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from services.safety_rules.domain.runs.run import Run
from services.safety_rules.domain.syndromes import ctcae_crs
from services.safety_rules.domain.syndromes.bedside import (
    ChartedReadings,
    SignGrade,
    find_worst_grade,
)
from services.vocabulary.episode import Change, Span
from services.vocabulary.fact import Fact, Observation
from services.vocabulary.grade import Grade, Input


@dataclass(frozen=True, slots=True)
class CrsCourse:
    """One episode that may still change.

    Args:
        history: Every change of grade; the first is the fever that opened it.
        last_at: The last instant that was looked at.
        is_fever_waived: Fever is no longer asked for: it was treated.
        free_since: First of the instants, up to the last one, that were free of all three.
        is_over: It has been free for long enough.
        possible: Whether there was a fever at all is not certain.
        not_before: Earliest possible onset, when a reading just before leaves it open.
        doubtful: Instants of changes whose evidence is not final.
        other_scales: Worst so far.
    """

    history: tuple[Change, ...]
    last_at: datetime
    is_fever_waived: bool = False
    free_since: datetime | None = None
    is_over: bool = False
    possible: bool = False
    not_before: datetime | None = None
    doubtful: tuple[datetime, ...] = ()
    other_scales: Mapping[str, Span] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CrsSigns:
    """One instant: what there is of the three signs, and which facts came."""

    instant: datetime
    fever: bool | None
    fever_fact: Fact | None
    is_fever_masked: bool
    pressure: SignGrade
    oxygen: SignGrade
    facts: tuple[Fact, ...]

    @property
    def severity(self) -> SignGrade:
        """The worse of hypotension and hypoxia."""
        return find_worst_grade((self.pressure, self.oxygen))

    @property
    def has_new_temperature(self) -> bool:
        """Whether the temperature was taken at this instant."""
        return self.fever_fact is not None and self.fever_fact.observed_at == self.instant


def grade_crs(course: CrsCourse, now: CrsSigns) -> SignGrade:
    """Return the grade in an open episode: at least 1, more as far as fever still counts."""
    severity = now.severity
    at_most = max(Grade.MILD, severity.at_most)
    if now.fever is True or course.is_fever_waived:
        sign = (
            f"fever, {_describe_temperature(now.fever_fact)}"
            if now.fever
            else "fever waived after treatment"
        )
        because = "; ".join(word for word in (sign, severity.because) if word)
        at_least = max(Grade.MILD, severity.at_least)
        facts = (now.fever_fact,) if now.fever and now.fever_fact else ()
        return SignGrade(at_least, at_most, because, severity.missing, (*facts, *severity.facts))
    sign = "fever gone, not treated" if now.fever is False else "temperature not known"
    because = "; ".join(word for word in (sign, severity.because) if word)
    missing = set(severity.missing)
    if at_most > Grade.MILD:
        missing.add(Input.TEXT if now.fever is False else Input.TEMPERATURE)
    return SignGrade(Grade.MILD, at_most, because, tuple(sorted(missing)), severity.facts)


def update_recovery(course: CrsCourse, now: CrsSigns, long_enough: timedelta) -> CrsCourse:
    """Follow the run without all three signs; what is unknown neither begins nor ends it."""
    severity = now.severity
    if now.fever is True or severity.at_least > Grade.NONE:
        return replace(course, free_since=None)
    if now.fever is None or now.is_fever_masked or severity.at_most > Grade.NONE:
        return course
    since = course.free_since or now.instant
    return replace(course, free_since=since, is_over=now.instant - since >= long_enough)


def record_grade(course: CrsCourse, now: CrsSigns, level: SignGrade) -> CrsCourse:
    """Return *course* after one instant; its history has every change of grade, and no more."""
    course = replace(course, last_at=now.instant)
    if course.history and course.history[-1].span == Span(level.at_least, level.at_most):
        return course
    return add_change(course, now, level)


def add_change(course: CrsCourse, now: CrsSigns, level: SignGrade) -> CrsCourse:
    """Return *course* with one more change of grade."""
    change = Change(
        now.instant,
        Span(level.at_least, level.at_most),
        level.because,
        tuple(level.missing),
        tuple(sorted({fact.id for fact in level.facts})),
    )
    doubtful = any(not fact.status.is_final for fact in level.facts)
    return replace(
        course,
        history=(*course.history, change),
        doubtful=(*course.doubtful, now.instant) if doubtful else course.doubtful,
    )


def update_other_scales(course: CrsCourse, now: CrsSigns, readings: ChartedReadings) -> CrsCourse:
    """CTCAE asks for fever at grade 1 alone: what is worse counts as long as the episode lasts."""
    spans = ctcae_crs.grade_spans(now.pressure, now.oxygen, readings)
    return replace(course, other_scales=ctcae_crs.merge_worst_spans(course.other_scales, spans))


def build_run(course: CrsCourse) -> Run:
    """Return what the episode says so far; a change after its resolution is none of its own."""
    resolved_at = course.free_since if course.is_over else None
    history = course.history
    if resolved_at is not None and not course.possible:
        history = tuple(c for c in history if c.at < resolved_at) or history[:1]
    reached = max(history, key=lambda c: (c.span.at_least, -c.at.timestamp())).at
    return Run(
        onset_at=history[0].at,
        history=history,
        last_evidence_at=course.last_at,
        resolved_at=resolved_at,
        onset_not_before=course.not_before,
        possible=course.possible,
        provisional=history[0].at in course.doubtful or reached in course.doubtful,
        other_scales=course.other_scales,
    )


def _describe_temperature(fact: Fact | None) -> str:
    value = fact.body.value if fact and isinstance(fact.body, Observation) else None
    return f"{value.value} {value.unit}" if value else "temperature unreadable"
