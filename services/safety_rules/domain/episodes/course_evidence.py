"""The evidence of a criterion's grades, beside the facts that their history names.

For a person who signs: the baseline, the first reading of what has lasted, thresholds left open.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from services.safety_rules.domain.ctcae.baseline_limits import describe_baseline
from services.safety_rules.domain.ctcae.grading import (
    Baseline,
    BaselineKnown,
    HeldDurations,
    Reading,
    grade_reading,
)
from services.safety_rules.domain.ctcae.open_thresholds import OpenThreshold, list_open_thresholds
from services.safety_rules.domain.episodes.criterion_course import CriterionCourse
from services.vocabulary.clinical_fact import Observation
from services.vocabulary.fact import Fact


def list_baseline_facts(course: CriterionCourse) -> list[Fact]:
    """Return the results that the baseline was taken from; none: it is not known."""
    baseline, anchor = course.context.baseline, course.context.anchor
    if anchor is None or not isinstance(baseline, BaselineKnown):
        return []
    for facts in reversed(course.timeline.list_facts_before(anchor)):
        if baseline_facts := [
            fact
            for fact in facts
            if fact.status.is_final
            and isinstance(fact.body, Observation)
            and fact.body.value == baseline.quantity
        ]:
            return baseline_facts
    return []


def list_companions_before_exposure(course: CriterionCourse) -> list[Fact]:
    """Return the last final results before exposure of what is graded beside other readings.

    Those of a fever are neutrophils, those of a calcium albumin.
    """
    criterion, anchor = course.context.criterion, course.context.anchor
    if criterion is None or anchor is None:
        return []
    companions = course.context.supporting_facts.companions
    names = dict.fromkeys(
        name
        for measure in criterion.measures
        if measure not in criterion.criterion.unfollowed_measures
        for name in criterion.list_companions(measure)
    )
    last_facts = []
    for name in names:
        final_facts = [
            fact for fact in companions[name].list_facts_before(anchor) if fact.status.is_final
        ]
        last_facts += [
            fact for fact in final_facts if fact.observed_at == final_facts[-1].observed_at
        ]
    return last_facts


def describe_side_of_baseline(course: CriterionCourse, instant: datetime) -> str:
    """Return the side of its own limits on which the baseline lies; empty: no grade asks."""
    criterion = course.context.criterion
    if criterion is None:
        return ""
    for reading, baseline in _list_readings(course, instant):
        if side := describe_baseline(criterion.gradings[reading.measure], reading, baseline):
            return side
    return ""


def list_thresholds_left_open(course: CriterionCourse, instant: datetime) -> list[OpenThreshold]:
    """Return the thresholds that the readings of *instant* may still meet, mildest first."""
    criterion = course.context.criterion
    if criterion is None:
        return []
    thresholds = [
        threshold
        for reading, baseline in _list_readings(course, instant)
        for threshold in list_open_thresholds(criterion, reading, baseline)
    ]
    return sorted(dict.fromkeys(thresholds), key=lambda threshold: threshold.grade)


def list_lasting_facts(course: CriterionCourse, instant: datetime) -> list[Fact]:
    """Return the first readings of what had lasted by *instant*, where its grade needs that."""
    criterion = course.context.criterion
    held_since = course.timeline.find_state(instant).held_since
    if criterion is None or not any(
        grade_reading(criterion, reading, baseline)
        != grade_reading(criterion, replace(reading, held_durations=None), baseline)
        for reading, baseline in _list_readings(course, instant)
    ):
        return []
    starts = sorted({since for since in held_since.values() if since < instant})
    return [fact for start in starts for fact in course.timeline.list_facts_at(start)]


def _list_readings(
    course: CriterionCourse, instant: datetime
) -> Iterator[tuple[Reading, Baseline]]:
    """Yield the readings of *instant*, each with what it is compared with."""
    context = course.context
    is_before = context.anchor is None or instant < context.anchor
    baseline = context.baseline_before_anchor if is_before else context.baseline
    held_since = course.timeline.find_state(instant).held_since
    durations: HeldDurations = {name: instant - since for name, since in held_since.items()}
    for fact in course.timeline.list_facts_at(instant):
        if isinstance(fact.body, Observation):
            yield context.make_reading(fact, durations), baseline
