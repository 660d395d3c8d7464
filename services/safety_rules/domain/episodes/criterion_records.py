"""The records of one criterion in one participant, each rebuilt only when its run has changed."""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from itertools import zip_longest

from services.safety_rules.domain.grade_runs.grade_run import GradeRun
from services.vocabulary.episode import EpisodeContent
from services.vocabulary.grade import Grade

# Makes the record of a run; the instant is the onset of the next run, None: there is none.
MakeRecord = Callable[[GradeRun, datetime | None], EpisodeContent]
TimeRange = tuple[datetime, datetime]  # first and last instant, both inside


class CriterionRecords:
    """The runs of one criterion, and the record of each."""

    def __init__(self, baseline_grade: Grade) -> None:
        """Start with no runs; those after exposure count above *baseline_grade*."""
        self.baseline_grade = baseline_grade
        self.runs: list[GradeRun] = []
        self.records: tuple[EpisodeContent, ...] = ()
        self._ended_count = 0  # of the runs

    def update_runs(
        self,
        ended_runs: Sequence[GradeRun],
        unchanged_count: int,
        open_run: GradeRun | None,
        make_record: MakeRecord,
        stale_ranges: Iterable[TimeRange] = (),
    ) -> bool:
        """Replace the runs by *ended_runs* and *open_run*; return True when a record changed.

        Args:
            ended_runs: The runs that have ended, in time order.
            unchanged_count: The number of them, from the first on, that are as at the last call.
            open_run: The run that goes on; None: there is none.
            make_record: Returns the record of a run.
            stale_ranges: The records of runs that lie in them are made again.
        """
        has_changed = not self.has_same_runs(ended_runs, unchanged_count, open_run)
        retained_count = max(0, unchanged_count - 1) if has_changed else len(self.runs)
        if has_changed:
            self._replace_runs(
                retained_count,
                [*ended_runs[retained_count:], *([] if open_run is None else [open_run])],
                make_record,
            )
            self._ended_count = len(ended_runs)
        stale_positions = {number for time in stale_ranges for number in self._find_positions(time)}
        return (
            bool(stale_positions) and self._rebuild_records(sorted(stale_positions), make_record)
        ) or has_changed

    def has_same_runs(
        self, ended_runs: Sequence[GradeRun], unchanged_count: int, open_run: GradeRun | None
    ) -> bool:
        """Return True when the runs are those of the last call of `update_runs`."""
        if not unchanged_count == len(ended_runs) == self._ended_count:
            return False
        last = self.runs[-1] if len(self.runs) > self._ended_count else None
        return last is open_run or last == open_run

    def find_run(self, record: EpisodeContent) -> GradeRun | None:
        """Return the run that *record* was made of; None: it no longer exists."""
        position = self._find_last_begun(record.onset_at)
        return (
            self.runs[position]
            if position >= 0 and self.runs[position].onset_at == record.onset_at
            else None
        )

    def _replace_runs(
        self, retained_count: int, runs: Sequence[GradeRun], make_record: MakeRecord
    ) -> None:
        """Put *runs* after the first *retained_count* runs."""
        previous_by_onset = {
            run.onset_at: (run, next_onset, record)
            for run, next_onset, record in zip(
                self.runs[retained_count:],
                self._list_next_onsets(retained_count),
                self.records[retained_count:],
                strict=True,
            )
        }
        self.runs[retained_count:] = runs
        records = []
        for run, next_onset in zip(runs, self._list_next_onsets(retained_count), strict=True):
            previous = previous_by_onset.get(run.onset_at)
            if (
                previous is not None
                and previous[0] == run
                and (run.resolved_at or previous[1] == next_onset)
            ):
                records.append(previous[2])
            else:
                new_record = make_record(run, next_onset)
                records.append(
                    previous[2]
                    if previous is not None and previous[2] == new_record
                    else new_record
                )
        self.records = (*self.records[:retained_count], *records)

    def _rebuild_records(self, positions: Sequence[int], make_record: MakeRecord) -> bool:
        records = list(self.records)
        for position in positions:
            next_runs = self.runs[position + 1 : position + 2]
            record = make_record(self.runs[position], next_runs[0].onset_at if next_runs else None)
            if record != records[position]:
                records[position] = record
        has_changed = any(new is not old for new, old in zip(records, self.records, strict=True))
        if has_changed:
            self.records = tuple(records)
        return has_changed

    def _list_next_onsets(self, position: int) -> list[datetime | None]:
        """Return the onset of the next run for each run from number *position* on; None: none."""
        onsets = [run.onset_at for run in self.runs[position + 1 :]]
        return [next_onset for _, next_onset in zip_longest(self.runs[position:], onsets)]

    def _find_positions(self, time_range: TimeRange) -> range:
        """Return the positions of the runs of which a part lies in *time_range*."""
        first = max(0, self._find_last_begun(time_range[0]))
        return range(first, self._find_last_begun(time_range[1]) + 1)

    def _find_last_begun(self, instant: datetime) -> int:
        """Return the position of the last run that began by *instant*; -1: none had."""
        return bisect_right(self.runs, instant, key=_onset) - 1


def _onset(run: GradeRun) -> datetime:
    return run.onset_at
