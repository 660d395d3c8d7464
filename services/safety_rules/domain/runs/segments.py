"""From graded readings to runs: when an event begins, changes and ends, as far as is certain."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from services.safety_rules.domain.runs.run import Run
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
class RunState:
    """What the next reading of one criterion in one participant needs to know of those before.

    Runs that are over are no part of it: each is handed over when it ends.

    Args:
        baseline_grade: The grade above which a run counts.
        before_exposure: Whether the readings so far lie before the baseline anchor.
        open_run: The run that goes on, or a possible one.
        doubtful_instants: Instants of the open run's changes whose evidence is not final.
        unclear_since: First of the readings, up to the last one, that leave it open whether the
            run goes on.
        last_at: Of the last reading of the open run.
    """

    baseline_grade: Grade = Grade.NONE
    before_exposure: bool = True
    open_run: Run | None = None
    doubtful_instants: tuple[datetime, ...] = ()
    unclear_since: datetime | None = None
    last_at: datetime | None = None


RunUpdate = tuple[RunState, Run | None]


def extend_run(segments: RunState, reading: GradePoint, merge_gap: timedelta) -> RunUpdate:
    """Return *segments* with the next *reading*, and the run that it shows to be over.

    Args:
        segments: Up to an earlier instant.
        reading: Later than every reading before it.
        merge_gap: Two readings further apart than this, with none between, are not one run.
    """
    over = None
    if segments.last_at is not None and reading.instant - segments.last_at > merge_gap:
        segments, over = close_run(segments, None)
    if reading.span.at_most <= segments.baseline_grade:
        return (
            (segments, over) if segments.open_run is None else close_run(segments, reading.instant)
        )
    if reading.span.at_least > segments.baseline_grade:
        return _add_certain(segments, reading), over
    return _add_unclear(segments, reading), over


def close_run(segments: RunState, at: datetime | None) -> RunUpdate:
    """Return *segments* with no open run, and what it was.

    It ended by *at*, or nobody looked any more (None).
    """
    run = segments.open_run
    if run is None:
        return segments, None
    over = replace(
        run,
        last_evidence_at=segments.last_at or run.last_evidence_at,
        resolved_at=at,
        resolved_not_before=segments.unclear_since if at and not run.possible else None,
    )
    return RunState(segments.baseline_grade, segments.before_exposure), over


def start_exposure(segments: RunState, at: datetime, baseline_grade: Grade) -> RunUpdate:
    """Return *segments* cut at the baseline anchor *at*, and the run that was cut.

    What follows counts above the baseline grade.
    """
    _, over = close_run(segments, at)
    return RunState(baseline_grade, before_exposure=False), over


def _add_certain(segments: RunState, reading: GradePoint) -> RunState:
    run = segments.open_run
    if run is not None and not run.possible:
        return _continue_run(segments, run, reading, unclear_since=None)
    started = Run(
        onset_at=reading.instant,
        history=(reading.make_change(),),
        last_evidence_at=reading.instant,
        onset_not_before=run.onset_at if run else None,
        provisional=reading.provisional,
        before_exposure=segments.before_exposure,
    )
    doubtful = (reading.instant,) if reading.provisional else ()
    return _replace_open_run(segments, started, doubtful, None, reading.instant)


def _add_unclear(segments: RunState, reading: GradePoint) -> RunState:
    run = segments.open_run
    if run is not None:
        return _continue_run(segments, run, reading, segments.unclear_since or reading.instant)
    possible = Run(
        onset_at=reading.instant,
        history=(reading.make_change(),),
        last_evidence_at=reading.instant,
        possible=True,
        before_exposure=segments.before_exposure,
    )
    return _replace_open_run(segments, possible, (), reading.instant, reading.instant)


def _continue_run(
    segments: RunState, run: Run, reading: GradePoint, unclear_since: datetime | None
) -> RunState:
    doubtful = segments.doubtful_instants
    if run.history[-1].span != reading.span:
        doubtful = (*doubtful, reading.instant) if reading.provisional else doubtful
        history = (*run.history, reading.make_change())
        doubt = _rests_on_doubt(run.onset_at, history, doubtful)
        run = replace(run, history=history, last_evidence_at=reading.instant, provisional=doubt)
    return _replace_open_run(segments, run, doubtful, unclear_since, reading.instant)


def _replace_open_run(
    segments: RunState,
    run: Run,
    doubtful: tuple[datetime, ...],
    unclear_since: datetime | None,
    last_at: datetime,
) -> RunState:
    return RunState(
        segments.baseline_grade, segments.before_exposure, run, doubtful, unclear_since, last_at
    )


def _rests_on_doubt(
    onset_at: datetime, history: tuple[Change, ...], doubtful: tuple[datetime, ...]
) -> bool:
    if not doubtful:
        return False
    worst = max(change.span.at_least for change in history)
    reached = next(change.at for change in history if change.span.at_least == worst)
    return onset_at in doubtful or reached in doubtful
