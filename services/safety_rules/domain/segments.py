"""From graded readings to runs: when an event begins, changes and ends, as far as is certain."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from services.safety_rules.domain.runs import Run
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


@dataclass(frozen=True, slots=True, eq=False)
class Closed:
    """A run that is over, with those before it: shared, never copied, known by identity."""

    run: Run
    before: "Closed | None"


@dataclass(frozen=True, slots=True)
class Segments:
    """The runs so far, of one criterion in one participant.

    Args:
        baseline_grade: The grade above which a run counts.
        before_exposure: Whether the readings so far lie before the baseline anchor.
        closed: The runs that are over.
        open: The run that goes on, or a possible one; its provisional entries in *doubtful*.
        doubtful: Instants of the open run's changes whose evidence is not final.
        unclear_since: First of the readings, up to the last one, that leave it open whether the
            run goes on.
        last_at: Of the last reading.
    """

    baseline_grade: Grade = Grade.NONE
    before_exposure: bool = True
    closed: Closed | None = None
    open: Run | None = None
    doubtful: tuple[datetime, ...] = ()
    unclear_since: datetime | None = None
    last_at: datetime | None = None


def extended(segments: Segments, reading: Graded, merge_gap: timedelta) -> Segments:
    """Return *segments* with the next *reading*.

    Args:
        segments: Up to an earlier instant.
        reading: Later than every reading before it.
        merge_gap: Two readings further apart than this, with none between, are not one run.
    """
    if segments.last_at is not None and reading.at - segments.last_at > merge_gap:
        segments = closed(segments, None)
    if reading.span.at_most <= segments.baseline_grade:
        after = closed(segments, reading.at)
    elif reading.span.at_least > segments.baseline_grade:
        after = _certain(segments, reading)
    else:
        after = _unclear(segments, reading)
    return replace(after, last_at=reading.at)


def closed(segments: Segments, at: datetime | None) -> Segments:
    """Return *segments* with no open run: it ended by *at*, or nobody looked any more (None)."""
    run = segments.open
    if run is None:
        return segments
    over = replace(
        run,
        resolved_at=at,
        resolved_not_before=segments.unclear_since if at and not run.possible else None,
        provisional=_rests_on_doubt(run, segments.doubtful),
        before_exposure=segments.before_exposure,
    )
    done = Closed(over, segments.closed)
    return replace(segments, closed=done, open=None, doubtful=(), unclear_since=None)


def exposed(segments: Segments, at: datetime, baseline_grade: Grade) -> Segments:
    """Return *segments* cut at the baseline anchor *at*: what follows counts above its grade."""
    cut = closed(segments, at)
    return replace(cut, baseline_grade=baseline_grade, before_exposure=False, last_at=None)


def runs(segments: Segments) -> tuple[Run, ...]:
    """Return every run in time order; the last may be open."""
    found = list(_over(segments.closed))[::-1]
    if segments.open is not None:
        run = segments.open
        doubt = _rests_on_doubt(run, segments.doubtful)
        found.append(replace(run, provisional=doubt, before_exposure=segments.before_exposure))
    return tuple(found)


def _over(closed_runs: Closed | None) -> Iterator[Run]:
    while closed_runs is not None:
        yield closed_runs.run
        closed_runs = closed_runs.before


def _certain(segments: Segments, reading: Graded) -> Segments:
    run = segments.open
    if run is None or run.possible:
        started = Run(
            onset_at=reading.at,
            history=(reading.change(),),
            last_evidence_at=reading.at,
            onset_not_before=run.onset_at if run else None,
        )
        return replace(
            segments,
            open=started,
            doubtful=(reading.at,) if reading.provisional else (),
            unclear_since=None,
        )
    return _continued(segments, run, reading, unclear_since=None)


def _unclear(segments: Segments, reading: Graded) -> Segments:
    run = segments.open
    if run is None:
        possible = Run(reading.at, (reading.change(),), reading.at, possible=True)
        return replace(segments, open=possible, doubtful=(), unclear_since=reading.at)
    return _continued(segments, run, reading, segments.unclear_since or reading.at)


def _continued(
    segments: Segments, run: Run, reading: Graded, unclear_since: datetime | None
) -> Segments:
    history, doubtful = run.history, segments.doubtful
    if history[-1].span != reading.span:
        history = (*history, reading.change())
        doubtful = (*doubtful, reading.at) if reading.provisional else doubtful
    longer = replace(run, history=history, last_evidence_at=reading.at)
    return replace(segments, open=longer, doubtful=doubtful, unclear_since=unclear_since)


def _rests_on_doubt(run: Run, doubtful: tuple[datetime, ...]) -> bool:
    if not doubtful:
        return False
    worst = max(change.span.at_least for change in run.history)
    reached = next(change.at for change in run.history if change.span.at_least == worst)
    return run.onset_at in doubtful or reached in doubtful
