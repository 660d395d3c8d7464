"""From graded readings to runs: when an event begins, changes and ends, as far as is certain."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from services.safety_rules.domain.runs.run import Run
from services.vocabulary.episode import Change, Span
from services.vocabulary.grade import Grade


@dataclass(frozen=True, slots=True)
class Graded:
    """The grade at one instant, of all readings of that instant together."""

    at: datetime
    span: Span
    because: str
    missing: tuple[str, ...]
    facts: tuple[str, ...]
    provisional: bool = False

    def change(self) -> Change:
        """Return the reading as an entry of a grade history."""
        return Change(self.at, self.span, self.because, self.missing, self.facts)


@dataclass(frozen=True, slots=True)
class Segments:
    """What the next reading of one criterion in one participant needs to know of those before.

    Runs that are over are no part of it: each is handed over when it ends.

    Args:
        baseline_grade: The grade above which a run counts.
        before_exposure: Whether the readings so far lie before the baseline anchor.
        open: The run that goes on, or a possible one.
        doubtful: Instants of the open run's changes whose evidence is not final.
        unclear_since: First of the readings, up to the last one, that leave it open whether the
            run goes on.
        last_at: Of the last reading of the open run.
    """

    baseline_grade: Grade = Grade.NONE
    before_exposure: bool = True
    open: Run | None = None
    doubtful: tuple[datetime, ...] = ()
    unclear_since: datetime | None = None
    last_at: datetime | None = None


Extended = tuple[Segments, Run | None]


def extended(segments: Segments, reading: Graded, merge_gap: timedelta) -> Extended:
    """Return *segments* with the next *reading*, and the run that it shows to be over.

    Args:
        segments: Up to an earlier instant.
        reading: Later than every reading before it.
        merge_gap: Two readings further apart than this, with none between, are not one run.
    """
    over = None
    if segments.last_at is not None and reading.at - segments.last_at > merge_gap:
        segments, over = closed(segments, None)
    if reading.span.at_most <= segments.baseline_grade:
        return (segments, over) if segments.open is None else closed(segments, reading.at)
    if reading.span.at_least > segments.baseline_grade:
        return _certain(segments, reading), over
    return _unclear(segments, reading), over


def closed(segments: Segments, at: datetime | None) -> Extended:
    """Return *segments* with no open run, and what it was.

    It ended by *at*, or nobody looked any more (None).
    """
    run = segments.open
    if run is None:
        return segments, None
    over = replace(
        run,
        last_evidence_at=segments.last_at or run.last_evidence_at,
        resolved_at=at,
        resolved_not_before=segments.unclear_since if at and not run.possible else None,
    )
    return Segments(segments.baseline_grade, segments.before_exposure), over


def exposed(segments: Segments, at: datetime, baseline_grade: Grade) -> Extended:
    """Return *segments* cut at the baseline anchor *at*, and the run that was cut.

    What follows counts above the baseline grade.
    """
    _, over = closed(segments, at)
    return Segments(baseline_grade, before_exposure=False), over


def _certain(segments: Segments, reading: Graded) -> Segments:
    run = segments.open
    if run is not None and not run.possible:
        return _continued(segments, run, reading, unclear_since=None)
    started = Run(
        onset_at=reading.at,
        history=(reading.change(),),
        last_evidence_at=reading.at,
        onset_not_before=run.onset_at if run else None,
        provisional=reading.provisional,
        before_exposure=segments.before_exposure,
    )
    doubtful = (reading.at,) if reading.provisional else ()
    return _opened(segments, started, doubtful, None, reading.at)


def _unclear(segments: Segments, reading: Graded) -> Segments:
    run = segments.open
    if run is not None:
        return _continued(segments, run, reading, segments.unclear_since or reading.at)
    possible = Run(
        onset_at=reading.at,
        history=(reading.change(),),
        last_evidence_at=reading.at,
        possible=True,
        before_exposure=segments.before_exposure,
    )
    return _opened(segments, possible, (), reading.at, reading.at)


def _continued(
    segments: Segments, run: Run, reading: Graded, unclear_since: datetime | None
) -> Segments:
    doubtful = segments.doubtful
    if run.history[-1].span != reading.span:
        doubtful = (*doubtful, reading.at) if reading.provisional else doubtful
        history = (*run.history, reading.change())
        doubt = _rests_on_doubt(run.onset_at, history, doubtful)
        run = replace(run, history=history, last_evidence_at=reading.at, provisional=doubt)
    return _opened(segments, run, doubtful, unclear_since, reading.at)


def _opened(
    segments: Segments,
    run: Run,
    doubtful: tuple[datetime, ...],
    unclear_since: datetime | None,
    last_at: datetime,
) -> Segments:
    return Segments(
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
