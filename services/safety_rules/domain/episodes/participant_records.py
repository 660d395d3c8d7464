"""What is said of one participant, criterion by criterion: only what has changed is said anew."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import replace
from datetime import datetime

from services.safety_rules.domain.ctcae.rule_book import Rules
from services.safety_rules.domain.episodes.criterion_course import CriterionCourse
from services.safety_rules.domain.episodes.criterion_records import CriterionRecords, TimeRange
from services.safety_rules.domain.episodes.record import (
    CRS,
    PARTS_OF_CRS,
    CriterionLabel,
    ParticipantBackground,
    link_to_crs,
    make_record,
)
from services.safety_rules.domain.runs.run import Run
from services.safety_rules.domain.syndromes.followed_syndrome import FollowedSyndrome
from services.vocabulary.episode import EpisodeContent

Courses = Mapping[str, CriterionCourse | FollowedSyndrome]


class ParticipantRecords:
    """The records of one participant."""

    def __init__(self, person: ParticipantBackground, rules: Rules, courses: Courses) -> None:
        """Say nothing yet.

        Args:
            person: Changed by others, who tell what has to be said again.
            rules: The running rules.
            courses: What is followed, by criterion; changed by others, who tell which.
        """
        self._person = person
        self._rules = rules
        self._courses = courses
        self._groups: dict[str, CriterionRecords] = {}
        self._touched: set[str] = set()
        self._again: dict[
            str, list[TimeRange]
        ] = {}  # what has to be said anew, though no run changed
        self._said: dict[str, tuple[EpisodeContent, ...]] = {}
        self._everything: tuple[EpisodeContent, ...] | None = ()

    def mark_changed(self, criteria: AbstractSet[str]) -> None:
        """Let the courses of *criteria* have changed."""
        self._touched |= criteria

    def mark_stale(self, criterion: str, time: TimeRange) -> None:
        """Let what is said of *criterion* in *time* be said anew."""
        if criterion in self._groups:
            self._again.setdefault(criterion, []).append(time)
            self._touched.add(criterion)

    def mark_stale_everywhere(self, time: TimeRange) -> None:
        """Let what is said in *time* be said anew, of every criterion."""
        for criterion in self._groups:
            self.mark_stale(criterion, time)

    def discard_all(self) -> None:
        """Let all be said anew: every record has days and windows."""
        self._groups.clear()
        self._touched.update(self._courses)

    def group_by_criterion(self) -> Mapping[str, tuple[EpisodeContent, ...]]:
        """Return the records by criterion, in the order of onset; `refresh` comes first."""
        return self._said

    def list_records(self) -> tuple[EpisodeContent, ...]:
        """Return every record, by criterion and onset; the same object until something changes."""
        if self._everything is None:
            said = self._said
            self._everything = tuple(one for name in sorted(said) for one in said[name])
        return self._everything

    def find_last_evidence(self, record: EpisodeContent) -> datetime | None:
        """Return when *record* ended, or was last seen; None when it is no current record."""
        group = self._groups.get(record.criterion)
        run = None if group is None else group.find_run(record)
        if run is None:
            return None
        course = self._courses[record.criterion]
        unended = course.find_open_run()
        goes_on = unended is not None and unended.onset_at == run.onset_at
        return run.resolved_at or (course.find_last_seen_at() if goes_on else run.last_evidence_at)

    def refresh(self) -> set[str]:
        """Say anew what may have changed; return the criteria of which something else is said."""
        touched = self._touched
        if not touched:
            return touched
        self._touched = set()
        changed = {criterion for criterion in touched if self._regroup(criterion)}
        self._again.clear()
        if CRS in changed:
            changed |= {name for name in self._groups if name.endswith(PARTS_OF_CRS)}
        return {criterion for criterion in changed if self._says_else(criterion)}

    def _regroup(self, criterion: str) -> bool:
        """Make the records of *criterion* whose runs have changed; say whether there are any."""
        course = self._courses[criterion]
        unended = course.find_open_run()
        ended, as_told = course.track.list_ended_runs()
        group, times = self._groups.get(criterion), self._again.get(criterion, ())
        is_new = group is None or group.baseline_grade != course.baseline_grade
        if group is None or is_new:
            group, as_told = CriterionRecords(course.baseline_grade), 0
            self._groups[criterion] = group
        elif not times and group.has_same_runs(ended, as_told, unended):
            return False
        is_syndrome = isinstance(course, FollowedSyndrome)
        named = CriterionLabel(criterion, self._rules.title(criterion), course.baseline_grade)

        def make(run: Run, before: datetime | None) -> EpisodeContent:
            marked = self._before_exposure(run) if is_syndrome else run
            return make_record(named, marked, before, self._person, self._rules.protocol)

        return group.update_runs(ended, as_told, unended, make, times) or is_new

    def _says_else(self, criterion: str) -> bool:
        """Say the records of *criterion*; return whether they are not what was last said."""
        records, last = self._linked(criterion), self._said.get(criterion, ())
        if records == last:
            return False
        self._said[criterion] = records
        self._everything = None
        return True

    def _linked(self, criterion: str) -> tuple[EpisodeContent, ...]:
        records = self._groups[criterion].records
        if not criterion.endswith(PARTS_OF_CRS):
            return records
        syndrome = self._groups.get(CRS)
        found = link_to_crs(records, syndrome.records if syndrome else ())
        known = {one.onset_at: one for one in self._said.get(criterion, ())}
        before = (known.get(one.onset_at) for one in found)
        return tuple(old if old == new else new for new, old in zip(found, before, strict=True))

    def _before_exposure(self, run: Run) -> Run:
        """Mark a run of a syndrome that began before the study drug did."""
        anchor = self._person.anchors.first_infusion_at
        is_before = anchor is None or run.onset_at < anchor
        return replace(run, before_exposure=True) if is_before else run
