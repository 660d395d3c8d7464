"""The courses of one participant: of every criterion and syndrome, and the context they share."""

from collections.abc import Iterable
from datetime import datetime

from services.safety_rules.domain.ctcae.clinician_findings import (
    FINDING_WINDOW,
    ParticipantFindings,
)
from services.safety_rules.domain.ctcae.concomitant_drugs import TREATMENT_WINDOW, ConcomitantDrugs
from services.safety_rules.domain.ctcae.rule_book import Rules
from services.safety_rules.domain.episodes.criterion_course import CriterionCourse
from services.safety_rules.domain.episodes.supporting_facts import SupportingFacts
from services.safety_rules.domain.facts.anchors import Anchors
from services.safety_rules.domain.facts.nearest_reading import COMPANION_WINDOWS, NearestReadings
from services.safety_rules.domain.syndromes.bedside import BedsideContext
from services.safety_rules.domain.syndromes.followed_syndrome import SCALES, FollowedSyndrome
from services.vocabulary.fact import Fact
from services.vocabulary.judgement import Finding


class ParticipantCourses:
    """The courses of one participant, by criterion and by scale.

    Companion readings, drugs and findings grade readings of several criteria: each `change_*`
    grades them again and returns the ids of these criteria.
    """

    def __init__(self, rules: Rules) -> None:
        """Start with no facts and before any exposure."""
        self._rules = rules
        self._anchors = Anchors()
        self.syndromes = {
            name: FollowedSyndrome(scale, rules.protocol, rules.measures)
            for name, scale in SCALES.items()
        }
        self.by_name: dict[str, CriterionCourse | FollowedSyndrome] = {**self.syndromes}
        self._criterion_courses: dict[str, CriterionCourse] = {}
        self._supporting_facts = SupportingFacts(
            ConcomitantDrugs(rules.drugs),
            ParticipantFindings(),
            {measure: NearestReadings(window) for measure, window in COMPANION_WINDOWS.items()},
        )

    def find_course(self, criterion: str) -> CriterionCourse:
        """Return the course of *criterion*; a new one when it has no readings yet."""
        course = self._criterion_courses.get(criterion)
        if course is None:
            course = CriterionCourse(
                self._rules.compiled_criteria.by_id.get(criterion),
                self._rules.protocol.merge_gap,
                self._supporting_facts,
            )
            course.update_baseline(self._anchors.first_infusion_at)
            self._criterion_courses[criterion] = self.by_name[criterion] = course
        return course

    def update_anchors(self, anchors: Anchors) -> None:
        """Take over *anchors*: baselines and the bedside context may change with them."""
        previous, self._anchors = self._anchors, anchors
        if anchors.first_infusion_at != previous.first_infusion_at:
            for course in self._criterion_courses.values():
                course.update_baseline(anchors.first_infusion_at)
        context = BedsideContext(anchors.graft_at, anchors.donor, anchors.timezone)
        if context != BedsideContext(previous.graft_at, previous.donor, previous.timezone):
            for syndrome in self.syndromes.values():
                syndrome.restart(context)

    def change_companion(self, measure: str, fact: Fact, *, stands: bool) -> set[str]:
        """Add or remove *fact*, a reading of *measure*, one of `COMPANION_WINDOWS`."""
        period = self._supporting_facts.companions[measure].change(fact, stands=stands)
        if period is None:
            return set()
        criteria = self._rules.compiled_criteria.by_companion.get(measure, ())
        return self._grade_again((one.id for one in criteria), *period)

    def change_drug(self, fact: Fact, measures: Iterable[str], *, stands: bool) -> set[str]:
        """Add or remove *fact*, an administration that may decide grades of *measures*."""
        self._supporting_facts.drugs.change(fact, stands=stands)
        by_measure = self._rules.compiled_criteria.by_measure
        criteria = (one.id for measure in measures for one in by_measure.get(measure, ()))
        return self._grade_again(criteria, fact.observed_at - TREATMENT_WINDOW)

    def change_finding(self, fact: Fact, finding: Finding, *, stands: bool) -> set[str]:
        """Add or remove *fact*, a clinician's *finding*."""
        if finding.criterion not in self._rules.compiled_criteria.by_id:
            return set()
        self._supporting_facts.findings.change(fact, stands=stands)
        return self._grade_again([finding.criterion], fact.observed_at - FINDING_WINDOW)

    def _grade_again(
        self, criteria: Iterable[str], start: datetime, end: datetime | None = None
    ) -> set[str]:
        """Grade again the readings of *criteria* from *start* to *end*; None: to the last one."""
        anchor = self._anchors.first_infusion_at
        graded_criteria = dict.fromkeys(criteria)
        for criterion in graded_criteria:
            course = self.find_course(criterion)
            course.timeline.step_again(start, end)
            if anchor is not None and start < anchor:
                course.update_baseline(anchor)
        return set(graded_criteria)
