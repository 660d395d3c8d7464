"""Adverse-event records of one participant; rebuilds only those whose evidence changed."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import replace
from datetime import datetime

from services.safety_rules.domain.ctcae.rule_book import Rules
from services.safety_rules.domain.episodes.criterion_course import CriterionCourse
from services.safety_rules.domain.episodes.criterion_records import CriterionRecords, TimeRange
from services.safety_rules.domain.episodes.deaths import (
    KnownDeath,
    add_death,
    is_fatal_regrade,
)
from services.safety_rules.domain.episodes.record import (
    CRS,
    PARTS_OF_CRS,
    CriterionLabel,
    ParticipantBackground,
    link_to_crs,
    make_record,
)
from services.safety_rules.domain.grade_runs.grade_run import GradeRun
from services.safety_rules.domain.syndromes.followed_syndrome import (
    FollowedSyndrome,
)
from services.safety_rules.domain.syndromes.gvhd_criteria import CAUSED_BY_GRAFT
from services.vocabulary.episode import EpisodeContent

Courses = Mapping[str, CriterionCourse | FollowedSyndrome]


class ParticipantRecords:
    """The records of one participant."""

    def __init__(self, person: ParticipantBackground, rules: Rules, courses: Courses) -> None:
        """Start with no records.

        Args:
            person: Changed by the caller, who then calls `mark_stale` or `discard_all`.
            rules: The running rules.
            courses: By criterion; changed by the caller, who then calls `mark_changed`.
        """
        self._person = person
        self._rules = rules
        self._courses = courses
        self._groups: dict[str, CriterionRecords] = {}
        self._changed_criteria: set[str] = set()
        # Of criteria, the times whose records are made again although no run changed.
        self._stale_ranges: dict[str, list[TimeRange]] = {}
        self._fatal_criteria: set[str] = set()  # whose runs a death may belong to
        self._records_by_criterion: dict[str, tuple[EpisodeContent, ...]] = {}
        self._all_records: tuple[EpisodeContent, ...] | None = ()

    def mark_changed(self, criteria: AbstractSet[str]) -> None:
        """Note that the courses of *criteria* have changed."""
        self._changed_criteria |= criteria

    def mark_stale(self, criterion: str, time: TimeRange) -> None:
        """Note that the records of *criterion* in *time* have to be made again."""
        if criterion in self._groups:
            self._stale_ranges.setdefault(criterion, []).append(time)
            self._changed_criteria.add(criterion)

    def mark_stale_everywhere(self, time: TimeRange) -> None:
        """Note that the records of every criterion in *time* have to be made again."""
        for criterion in self._groups:
            self.mark_stale(criterion, time)

    def discard_all(self) -> None:
        """Discard every record: the days and windows of all of them have changed."""
        self._groups.clear()
        self._changed_criteria.update(self._courses)

    def group_by_criterion(self) -> Mapping[str, tuple[EpisodeContent, ...]]:
        """Return the records by criterion, in the order of onset; call `refresh` first."""
        return self._records_by_criterion

    def list_records(self) -> tuple[EpisodeContent, ...]:
        """Return every record, by criterion and onset; the same object until something changes."""
        if self._all_records is None:
            records_by_criterion = self._records_by_criterion
            self._all_records = tuple(
                one for name in sorted(records_by_criterion) for one in records_by_criterion[name]
            )
        return self._all_records

    def find_last_evidence(self, record: EpisodeContent) -> datetime | None:
        """Return the instant of the last evidence of *record*; None: it is no current record."""
        group = self._groups.get(record.criterion)
        run = None if group is None else group.find_run(record)
        if run is None:
            return None
        course = self._courses[record.criterion]
        open_run = course.find_open_run()
        if run.died_at is not None:
            return run.died_at
        goes_on = open_run is not None and open_run.onset_at == run.onset_at
        return run.resolved_at or (course.find_last_seen_at() if goes_on else run.last_evidence_at)

    def refresh(self) -> set[str]:
        """Rebuild the records that may have changed; return the criteria whose records did."""
        candidates = self._changed_criteria
        if not candidates:
            return candidates
        self._changed_criteria = set()
        changed_criteria = {criterion for criterion in candidates if self._update_runs(criterion)}
        self._stale_ranges.clear()
        if CRS in changed_criteria:
            changed_criteria |= {name for name in self._groups if name.endswith(PARTS_OF_CRS)}
        return {criterion for criterion in changed_criteria if self._update_records(criterion)}

    def _update_runs(self, criterion: str) -> bool:
        """Rebuild the records of *criterion* whose runs have changed; return True when any did."""
        course = self._courses[criterion]
        open_run = course.find_open_run()
        ended_runs, unchanged_count = course.timeline.list_ended_runs()
        marks_whole_runs = isinstance(course, FollowedSyndrome) and criterion not in CAUSED_BY_GRAFT
        death = self._find_death(criterion)
        if death is not None:
            runs = [*ended_runs, *([] if open_run is None else [open_run])]
            if marks_whole_runs:
                runs = [self._mark_before_exposure(run) for run in runs]
            decisions = self._person.adjudications.get(criterion, ())
            ended_runs, open_run = add_death(runs, death, decisions), None
        if death is not None or criterion in self._fatal_criteria:
            unchanged_count = 0
        (self._fatal_criteria.discard if death is None else self._fatal_criteria.add)(criterion)
        group, stale_ranges = self._groups.get(criterion), self._stale_ranges.get(criterion, ())
        is_new = group is None or group.baseline_grade != course.baseline_grade
        if group is None or is_new:
            group, unchanged_count = CriterionRecords(course.baseline_grade), 0
            self._groups[criterion] = group
        elif not stale_ranges and group.has_same_runs(ended_runs, unchanged_count, open_run):
            return False
        label = CriterionLabel(
            criterion,
            self._rules.find_title(criterion),
            course.baseline_grade,
            is_laboratory=self._rules.is_laboratory(criterion),
        )

        def make_run_record(run: GradeRun, next_onset: datetime | None) -> EpisodeContent:
            marked_run = self._mark_before_exposure(run) if marks_whole_runs else run
            return make_record(label, marked_run, next_onset, self._person, self._rules.protocol)

        return (
            group.update_runs(ended_runs, unchanged_count, open_run, make_run_record, stale_ranges)
            or is_new
        )

    def _update_records(self, criterion: str) -> bool:
        """Take over the records of *criterion*; return True when they differ from the last ones."""
        records, previous = (
            self._link_records(criterion),
            self._records_by_criterion.get(criterion, ()),
        )
        if records == previous:
            return False
        self._records_by_criterion[criterion] = records
        self._all_records = None
        return True

    def _link_records(self, criterion: str) -> tuple[EpisodeContent, ...]:
        records = self._groups[criterion].records
        if not criterion.endswith(PARTS_OF_CRS):
            return records
        syndrome = self._groups.get(CRS)
        linked_records = link_to_crs(records, syndrome.records if syndrome else ())
        previous_by_onset = {
            one.onset_at: one for one in self._records_by_criterion.get(criterion, ())
        }
        previous = (previous_by_onset.get(one.onset_at) for one in linked_records)
        return tuple(
            old if old == new else new for new, old in zip(linked_records, previous, strict=True)
        )

    def _find_death(self, criterion: str) -> KnownDeath | None:
        """Return the death that may belong to a run of *criterion*; None: no run can be fatal."""
        anchors = self._person.anchors
        died_at, infused_at = anchors.died_at, anchors.first_infusion_at
        is_cause = self._rules.find_cause_of_death(anchors.death_cause) == criterion
        decisions = self._person.adjudications.get(criterion, ())
        if died_at is None or not (is_cause or any(is_fatal_regrade(fact) for fact in decisions)):
            return None
        is_before = infused_at is None or died_at < infused_at
        is_before = is_before and criterion not in CAUSED_BY_GRAFT
        return KnownDeath(died_at, is_cause, is_before, self._rules.protocol.merge_gap)

    def _mark_before_exposure(self, run: GradeRun) -> GradeRun:
        """Return *run*, marked when it began before the study drug did."""
        anchor = self._person.anchors.first_infusion_at
        is_before = anchor is None or run.onset_at < anchor
        return replace(run, before_exposure=True) if is_before else run
