"""The records of one criterion in one participant, each made anew only when its run has changed."""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from itertools import zip_longest

from services.safety_rules.domain.runs.run import Run
from services.vocabulary.episode import EpisodeContent
from services.vocabulary.grade import Grade

MakeRecord = Callable[
    [Run, datetime | None], EpisodeContent
]  # of a run, and of when the next one began
TimeRange = tuple[datetime, datetime]  # from when to when, both inside


class CriterionRecords:
    """The runs of one criterion, and the record of each."""

    def __init__(self, baseline_grade: Grade) -> None:
        """Start with no runs; those after exposure count above *baseline_grade*."""
        self.baseline_grade = baseline_grade
        self.runs: list[Run] = []
        self.records: tuple[EpisodeContent, ...] = ()
        self._ended = 0  # how many of the runs have

    def update_runs(
        self,
        ended: Sequence[Run],
        as_told: int,
        unended: Run | None,
        make: MakeRecord,
        times: Iterable[TimeRange] = (),
    ) -> bool:
        """Let *ended* and *unended* be the runs; say whether that changed a record.

        Args:
            ended: The runs that have ended, in time order.
            as_told: How many of them are what they were when this was last called.
            unended: The run that goes on; None: there is none.
            make: Returns the record of a run.
            times: Whatever lies in them has to be said anew.
        """
        changed = not self.has_same_runs(ended, as_told, unended)
        kept = max(0, as_told - 1) if changed else len(self.runs)
        if changed:
            self._replace(kept, [*ended[kept:], *([] if unended is None else [unended])], make)
            self._ended = len(ended)
        again = {number for time in times for number in self._inside(time)}
        return (bool(again) and self._make_again(sorted(again), make)) or changed

    def has_same_runs(self, ended: Sequence[Run], as_told: int, unended: Run | None) -> bool:
        """Say whether *ended*, *as_told* and *unended* are what they were."""
        if not as_told == len(ended) == self._ended:
            return False
        last = self.runs[-1] if len(self.runs) > self._ended else None
        return last is unended or last == unended

    def find_run(self, record: EpisodeContent) -> Run | None:
        """Return the run that *record* was made of; None when there is none any longer."""
        at = self._last_begun(record.onset_at)
        return self.runs[at] if at >= 0 and self.runs[at].onset_at == record.onset_at else None

    def _replace(self, kept: int, runs: Sequence[Run], make: MakeRecord) -> None:
        """Let *runs* follow those that are *kept*."""
        former = {
            run.onset_at: (run, before, record)
            for run, before, record in zip(
                self.runs[kept:], self._following(kept), self.records[kept:], strict=True
            )
        }
        self.runs[kept:] = runs
        made = []
        for run, before in zip(runs, self._following(kept), strict=True):
            known = former.get(run.onset_at)
            if known is not None and known[0] == run and (run.resolved_at or known[1] == before):
                made.append(known[2])
            else:
                new = make(run, before)
                made.append(known[2] if known is not None and known[2] == new else new)
        self.records = (*self.records[:kept], *made)

    def _make_again(self, numbers: Sequence[int], make: MakeRecord) -> bool:
        records = list(self.records)
        for number in numbers:
            following = self.runs[number + 1 : number + 2]
            new = make(self.runs[number], following[0].onset_at if following else None)
            if new != records[number]:
                records[number] = new
        changed = any(new is not old for new, old in zip(records, self.records, strict=True))
        if changed:
            self.records = tuple(records)
        return changed

    def _following(self, since: int) -> list[datetime | None]:
        """Return when the run after each of the runs from *since* on began; None: there is none."""
        following = [run.onset_at for run in self.runs[since + 1 :]]
        return [before for _, before in zip_longest(self.runs[since:], following)]

    def _inside(self, time: TimeRange) -> range:
        """Return the runs of which a part lies in *time*."""
        first = max(0, self._last_begun(time[0]))
        return range(first, self._last_begun(time[1]) + 1)

    def _last_begun(self, at: datetime) -> int:
        """Return which run was the last to begin by *at*; -1 when none had."""
        return bisect_right(self.runs, at, key=_onset) - 1


def _onset(run: Run) -> datetime:
    return run.onset_at
