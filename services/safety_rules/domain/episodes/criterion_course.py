"""One criterion in one participant: its readings, its baseline, its runs."""

from dataclasses import replace
from datetime import datetime, timedelta

from services.safety_rules.domain.ctcae.clinician_findings import SeenAt, nothing_seen
from services.safety_rules.domain.ctcae.compiled import CompiledCriterion
from services.safety_rules.domain.ctcae.grading import (
    Baseline,
    BaselineKnown,
    BaselineUnknown,
    NoBaseline,
    grade,
)
from services.safety_rules.domain.episodes.lab_course import (
    About,
    Course,
    Following,
    Nearest,
)
from services.safety_rules.domain.queries.data_queries import PlausibilityCheck
from services.safety_rules.domain.runs.run import Run
from services.safety_rules.domain.runs.segments import start_exposure
from services.safety_rules.domain.runs.track import FactTrack
from services.vocabulary.fact import Fact, Observation
from services.vocabulary.grade import Grade


class Followed:
    """A track of readings that is stepped through again when its baseline changes."""

    def __init__(
        self,
        criterion: CompiledCriterion | None,
        merge_gap: timedelta,
        nearest: Nearest,
        about: About,
        seen: SeenAt = nothing_seen,
    ) -> None:
        """Start with no readings and before any exposure."""
        self._following = Following(
            criterion=criterion,
            baseline_at=None,
            baseline=BaselineUnknown(),
            baseline_grade=Grade.NONE,
            before=NoBaseline(),
            merge_gap=merge_gap,
            nearest=nearest,
            about=about,
            seen=seen,
        )
        self.checked = PlausibilityCheck()
        self.track: FactTrack[Course] = FactTrack(Course(), self._following.step)

    @property
    def baseline_grade(self) -> Grade:
        """The grade above which a run after exposure counts."""
        return self._following.baseline_grade

    def change(self, fact: Fact, *, stands: bool) -> None:
        """Let *fact* stand, or stand no longer."""
        (self.track.insert if stands else self.track.remove)(fact)

    def rebase(self, anchor: datetime | None) -> None:
        """Take the last final value before *anchor* as baseline; step again if that is news.

        Source: docs/decisions/grading.md, "Baseline"
        """
        found, its_grade = self._baseline_before(anchor)
        following = replace(
            self._following, baseline_at=anchor, baseline=found, baseline_grade=its_grade
        )
        if following != self._following:
            self._following = following
            self.track.restart(Course(), following.step)

    def find_open_run(self) -> Run | None:
        """Return the run that has not ended, if there is one.

        It is cut at the baseline anchor even when nothing was read after it.
        """
        segments, following = self.track.compute_state().segments, self._following
        if segments.before_exposure and following.baseline_at is not None:
            return start_exposure(segments, following.baseline_at, following.baseline_grade)[1]
        return segments.open_run

    def find_last_seen_at(self) -> datetime | None:
        """Return when the open run was last looked at."""
        return self.track.compute_state().segments.last_at

    def _baseline_before(self, anchor: datetime | None) -> tuple[Baseline, Grade]:
        criterion = self._following.criterion
        if anchor is None or criterion is None:
            return BaselineUnknown(), Grade.NONE
        for facts in reversed(self.track.list_facts_before(anchor)):
            for fact in reversed(facts):
                if fact.status.is_final and _has_a_value(fact):
                    return self._graded_with_itself(criterion, fact, anchor)
        return BaselineUnknown(), Grade.NONE

    def _graded_with_itself(
        self, criterion: CompiledCriterion, fact: Fact, anchor: datetime
    ) -> tuple[Baseline, Grade]:
        reading = replace(self._following, baseline_at=anchor).reading(fact)
        if reading.value is None:
            return BaselineUnknown(), Grade.NONE
        known = BaselineKnown(reading.value)
        return known, grade(criterion, reading, known).at_least


def _has_a_value(fact: Fact) -> bool:
    return isinstance(fact.body, Observation) and fact.body.value is not None
