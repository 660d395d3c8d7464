"""From graded readings to runs: the onset, changes and end of an event, as far as certain."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from services.safety_rules.domain.grade_runs.grade_run import GradeRun
from services.vocabulary.episode import Change, Span
from services.vocabulary.grade import Grade


@dataclass(frozen=True, slots=True)
class GradePoint:
    """The grade at one instant, of all readings of that instant together."""

    instant: datetime
    span: Span
    because: str
    missing: tuple[str, ...]
    facts: tuple[str, ...]
    provisional: bool = False

    def make_change(self) -> Change:
        """Return the reading as an entry of a grade history."""
        return Change(self.instant, self.span, self.because, self.missing, self.facts)


@dataclass(frozen=True, slots=True)
class GradeRunState:
    """The state of one criterion in one participant between two readings.

    Ended runs are no part of it: each is returned when it ends.

    Args:
        baseline_grade: The grade above which a run counts.
        before_exposure: True while the readings lie before the baseline anchor.
        open_run: The run that goes on, or a possible one.
        doubtful_instants: Instants of the open run's changes whose evidence is not final.
        unclear_since: First of the readings, up to the last one, that leave it open whether the
            run goes on.
        last_at: Of the last reading of the open run.
    """

    baseline_grade: Grade = Grade.NONE
    before_exposure: bool = True
    open_run: GradeRun | None = None
    doubtful_instants: tuple[datetime, ...] = ()
    unclear_since: datetime | None = None
    last_at: datetime | None = None


GradeRunUpdate = tuple[GradeRunState, GradeRun | None]


def extend_run(
    run_state: GradeRunState, reading: GradePoint, merge_gap: timedelta
) -> GradeRunUpdate:
    """Return *run_state* after the next *reading*, and the run that it ends.

    Args:
        run_state: Up to an earlier instant.
        reading: Later than every reading before it.
        merge_gap: Two readings further apart than this, with none between, are not one run.
    """
    ended_run = None
    if run_state.last_at is not None and reading.instant - run_state.last_at > merge_gap:
        run_state, ended_run = close_run(run_state, None)
    if reading.span.at_most <= run_state.baseline_grade:
        return (
            (run_state, ended_run)
            if run_state.open_run is None
            else close_run(run_state, reading.instant)
        )
    if reading.span.at_least > run_state.baseline_grade:
        return _add_certain(run_state, reading), ended_run
    return _add_unclear(run_state, reading), ended_run


def close_run(run_state: GradeRunState, resolved_at: datetime | None) -> GradeRunUpdate:
    """Return *run_state* without its open run, and that run as ended.

    *resolved_at* is None when the evidence ceased and no reading shows its end.
    """
    run = run_state.open_run
    if run is None:
        return run_state, None
    ended_run = replace(
        run,
        last_evidence_at=run_state.last_at or run.last_evidence_at,
        resolved_at=resolved_at,
        resolved_not_before=run_state.unclear_since if resolved_at and not run.possible else None,
    )
    return GradeRunState(run_state.baseline_grade, run_state.before_exposure), ended_run


def start_exposure(
    run_state: GradeRunState, anchor: datetime, baseline_grade: Grade
) -> GradeRunUpdate:
    """Return *run_state* cut at the baseline anchor *anchor*, and the run that was cut.

    Later readings count above *baseline_grade*.
    """
    _, ended_run = close_run(run_state, anchor)
    return GradeRunState(baseline_grade, before_exposure=False), ended_run


def _add_certain(run_state: GradeRunState, reading: GradePoint) -> GradeRunState:
    run = run_state.open_run
    if run is not None and not run.possible:
        return _continue_run(run_state, run, reading, unclear_since=None)
    run_from_now = GradeRun(
        onset_at=reading.instant,
        history=(reading.make_change(),),
        last_evidence_at=reading.instant,
        onset_not_before=run.onset_at if run else None,
        provisional=reading.provisional,
        before_exposure=run_state.before_exposure,
    )
    doubtful_instants = (reading.instant,) if reading.provisional else ()
    return _replace_open_run(run_state, run_from_now, doubtful_instants, None, reading.instant)


def _add_unclear(run_state: GradeRunState, reading: GradePoint) -> GradeRunState:
    run = run_state.open_run
    if run is not None:
        return _continue_run(run_state, run, reading, run_state.unclear_since or reading.instant)
    possible = GradeRun(
        onset_at=reading.instant,
        history=(reading.make_change(),),
        last_evidence_at=reading.instant,
        possible=True,
        before_exposure=run_state.before_exposure,
    )
    return _replace_open_run(run_state, possible, (), reading.instant, reading.instant)


def _continue_run(
    run_state: GradeRunState, run: GradeRun, reading: GradePoint, unclear_since: datetime | None
) -> GradeRunState:
    doubtful_instants = run_state.doubtful_instants
    if run.history[-1].span != reading.span:
        doubtful_instants = (
            (*doubtful_instants, reading.instant) if reading.provisional else doubtful_instants
        )
        history = (*run.history, reading.make_change())
        rests_on_doubt = _rests_on_doubt(run.onset_at, history, doubtful_instants)
        run = replace(
            run, history=history, last_evidence_at=reading.instant, provisional=rests_on_doubt
        )
    return _replace_open_run(run_state, run, doubtful_instants, unclear_since, reading.instant)


def _replace_open_run(
    run_state: GradeRunState,
    run: GradeRun,
    doubtful_instants: tuple[datetime, ...],
    unclear_since: datetime | None,
    last_at: datetime,
) -> GradeRunState:
    return GradeRunState(
        run_state.baseline_grade,
        run_state.before_exposure,
        run,
        doubtful_instants,
        unclear_since,
        last_at,
    )


def _rests_on_doubt(
    onset_at: datetime, history: tuple[Change, ...], doubtful_instants: tuple[datetime, ...]
) -> bool:
    if not doubtful_instants:
        return False
    worst_grade = max(change.span.at_least for change in history)
    worst_at = next(change.at for change in history if change.span.at_least == worst_grade)
    return onset_at in doubtful_instants or worst_at in doubtful_instants
