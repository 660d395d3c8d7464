"""Runs of a term whose definition needs time: a grade is certain once it has lasted long enough.

A grade that has lasted is certain from the first of its readings on. One that has not is only
possible, until a reading that falls short ends it: then it is none.

Source: docs/decisions/grading.md, "Terms whose definition needs time"
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from services.safety_rules.domain.grade_runs.grade_run import GradeRun
from services.safety_rules.domain.grade_runs.join_grades import (
    GradePoint,
    GradeRunState,
    GradeRunUpdate,
    close_run,
    extend_run,
)
from services.vocabulary.episode import Change, Span
from services.vocabulary.grade import Grade, Input

ASSESSMENT = ""  # in place of a measure: a clinician's own grade


@dataclass(frozen=True, slots=True)
class _HeldGrades:
    """The grades of one measure since each of them was reached.

    Args:
        last: The last reading.
        starts: By grade, the first of the readings that reach it, none of which falls short.
        lasting_grade: The worst grade that *last* reaches and that has lasted long enough.
    """

    last: GradePoint
    starts: Mapping[Grade, GradePoint] = field(default_factory=dict)
    lasting_grade: Grade = Grade.NONE

    def add(self, reading: GradePoint, min_duration: timedelta) -> "_HeldGrades":
        """Return the grades after the next *reading*."""
        at_least, at_most = reading.span.at_least, reading.span.at_most
        starts = {grade: start for grade, start in self.starts.items() if grade <= at_most}
        for grade in Grade:
            if Grade.NONE < grade <= at_least:
                starts.setdefault(grade, reading)
        lasting_grades = [
            grade
            for grade, start in starts.items()
            if grade <= at_least and reading.instant - start.instant > min_duration
        ]
        return _HeldGrades(reading, starts, max(lasting_grades, default=Grade.NONE))

    def find_lasting_grade(self, instant: datetime) -> Grade:
        """Return the worst grade that has lasted and that had begun at *instant*."""
        lasting_grades = (
            grade
            for grade, start in self.starts.items()
            if grade <= self.lasting_grade and start.instant <= instant
        )
        return max(lasting_grades, default=Grade.NONE)

    @property
    def is_provisional(self) -> bool:
        """True if the first or the last reading of the worst lasting grade is not final."""
        return self.last.provisional or self.starts[self.lasting_grade].provisional


@dataclass(frozen=True, slots=True)
class LastingEvidence:
    """The grades of each measure above the baseline grade, and the one that a clinician gave.

    *assessed_grade* holds until a reading falls short of it.
    """

    by_measure: Mapping[str, _HeldGrades] = field(default_factory=dict)
    assessed_grade: Grade = Grade.NONE


def extend_lasting_run(
    run_state: GradeRunState,
    evidence: LastingEvidence,
    readings: Mapping[str, GradePoint],
    min_duration: timedelta,
    merge_gap: timedelta,
) -> tuple[LastingEvidence, GradeRunUpdate]:
    """Return evidence and run after *readings*, and the run that they end.

    Args:
        run_state: Up to an earlier instant.
        evidence: Up to the same instant.
        readings: Of one later instant, at least one, by measure or `ASSESSMENT`; graded as if they
            had lasted.
        min_duration: A grade is certain when its readings span more than this.
        merge_gap: Longest silence inside a run, unless the definition needs a longer time.
    """
    instant = next(iter(readings.values())).instant
    longest_silence = merge_gap if min_duration < merge_gap else timedelta.max
    ended_run = None
    if run_state.last_at is not None and instant - run_state.last_at > longest_silence:
        run_state, ended_run = close_run(run_state, None)
        evidence = LastingEvidence()
    held_grades = dict(_add_readings(evidence, readings, min_duration))
    at_most = max(one.last.span.at_most for one in held_grades.values())
    assessment = readings.get(ASSESSMENT)
    assessed_grade = (
        assessment.span.at_least if assessment else min(evidence.assessed_grade, at_most)
    )
    reading = _summarize(held_grades, readings, assessed_grade, run_state.baseline_grade)
    run_state = _revise_run(run_state, held_grades, reading)
    run_state, merged_run = extend_run(run_state, reading, timedelta.max)
    retained_grades = {
        measure: one
        for measure, one in held_grades.items()
        if one.last.span.at_most > run_state.baseline_grade
    }
    return LastingEvidence(retained_grades, assessed_grade), (run_state, ended_run or merged_run)


def _add_readings(
    evidence: LastingEvidence, readings: Mapping[str, GradePoint], min_duration: timedelta
) -> Iterator[tuple[str, _HeldGrades]]:
    """Yield the grades of each measure; a clinician's own are of every measure at that time."""
    assessment = readings.get(ASSESSMENT)
    for measure in {**evidence.by_measure, **readings}:
        reading = readings.get(measure, assessment)
        measure_grades = evidence.by_measure.get(measure)
        if reading is not None:
            yield measure, (measure_grades or _HeldGrades(reading)).add(reading, min_duration)
        elif measure_grades is not None and measure != ASSESSMENT:
            yield measure, measure_grades


def _summarize(
    held_grades: Mapping[str, _HeldGrades],
    readings: Mapping[str, GradePoint],
    assessed_grade: Grade,
    baseline_grade: Grade,
) -> GradePoint:
    """Return the grade of all measures together, certain as far as it has lasted.

    The grade of the baseline was there before: it needs no further time.
    """
    lead = max((one.last for one in held_grades.values()), key=_severity)
    at_most = max(one.last.span.at_most for one in held_grades.values())
    lasting_grade = max(assessed_grade, *(one.lasting_grade for one in held_grades.values()))
    at_least = min(max(lasting_grade, baseline_grade), lead.span.at_least)
    missing = {*lead.missing, *([Input.DURATION] if at_least < lead.span.at_least else [])}
    return GradePoint(
        next(iter(readings.values())).instant,
        Span(at_least, at_most),
        lead.because,
        tuple(sorted(missing)),
        tuple(fact for one in readings.values() for fact in one.facts),
        provisional=any(one.provisional for one in readings.values()),
    )


def _revise_run(
    run_state: GradeRunState, held_grades: Mapping[str, _HeldGrades], reading: GradePoint
) -> GradeRunState:
    """Return *run_state* with an open run that knows what has lasted, and what did not."""
    run = run_state.open_run
    if run is None:
        return run_state
    history = run.history
    for measure_grades in held_grades.values():
        history = _split_at_start(history, measure_grades)
    revised_history = tuple(_revise_change(one, held_grades, reading) for one in history)
    if revised_history == run.history:
        return run_state
    history = _join_equal(revised_history, run_state.baseline_grade)
    if not history:
        return GradeRunState(run_state.baseline_grade, run_state.before_exposure)
    is_doubtful = any(one.lasting_grade and one.is_provisional for one in held_grades.values())
    revised_run = _start_at_certain(run, history, run_state.baseline_grade)
    doubtful_instants = run_state.doubtful_instants
    if is_doubtful and revised_run.onset_at not in doubtful_instants:
        doubtful_instants = (*doubtful_instants, revised_run.onset_at)
    return replace(
        run_state,
        open_run=replace(revised_run, provisional=run.provisional or is_doubtful),
        doubtful_instants=doubtful_instants,
    )


def _split_at_start(history: tuple[Change, ...], measure_grades: _HeldGrades) -> tuple[Change, ...]:
    """Return *history* with a change where the grade that has lasted began, if there is none."""
    start = measure_grades.starts.get(measure_grades.lasting_grade)
    if start is None or any(change.at == start.instant for change in history):
        return history
    earlier = tuple(change for change in history if change.at < start.instant)
    if not earlier or earlier[-1].span.at_least >= measure_grades.lasting_grade:
        return history
    change = replace(start.make_change(), span=earlier[-1].span, missing=earlier[-1].missing)
    return (*earlier, change, *history[len(earlier) :])


def _revise_change(
    change: Change, held_grades: Mapping[str, _HeldGrades], reading: GradePoint
) -> Change:
    """Return *change*, as certain as has lasted, and without what has ended too soon."""
    span = change.span
    lasting_grade = max(one.find_lasting_grade(change.at) for one in held_grades.values())
    at_least = max(span.at_least, min(lasting_grade, span.at_most))
    at_most = max(at_least, min(span.at_most, reading.span.at_most))
    if (at_least, at_most) == (span.at_least, span.at_most):
        return change
    return replace(
        change,
        span=Span(at_least, at_most),
        missing=change.missing if at_least < at_most else (),
        facts=(*change.facts, *reading.facts) if at_least > span.at_least else change.facts,
    )


def _join_equal(history: tuple[Change, ...], baseline_grade: Grade) -> tuple[Change, ...]:
    """Return the changes that may be above the baseline grade, each once."""
    joined_history: list[Change] = []
    for change in history:
        if change.span.at_most > baseline_grade and not (
            joined_history and joined_history[-1].span == change.span
        ):
            joined_history.append(change)
    return tuple(joined_history)


def _start_at_certain(
    run: GradeRun, history: tuple[Change, ...], baseline_grade: Grade
) -> GradeRun:
    """Return *run* with *history*, which begins with what is certain, if anything is."""
    first = next(
        (i for i, change in enumerate(history) if change.span.at_least > baseline_grade), None
    )
    return replace(
        run,
        onset_at=history[first or 0].at,
        history=history[first or 0 :],
        onset_not_before=history[0].at if first else run.onset_not_before,
        possible=first is None,
    )


def _severity(reading: GradePoint) -> tuple[Grade, Grade]:
    return reading.span.at_least, reading.span.at_most
