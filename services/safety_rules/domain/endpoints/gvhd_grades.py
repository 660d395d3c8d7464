"""The grades of GVHD that endpoints read: of each staging, after the decisions of people."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import groupby, zip_longest

from services.safety_rules.domain.endpoints.follow_up import GradedInstant
from services.safety_rules.domain.grade_runs.join_grades import GradePoint
from services.safety_rules.domain.syndromes import acute_gvhd_course, chronic_gvhd
from services.vocabulary.episode import EpisodeContent, EpisodeState
from services.vocabulary.fact import Fact
from services.vocabulary.grade import Grade
from services.vocabulary.measure import Measure
from services.vocabulary.protocol import Protocol


def list_acute_grades(
    facts: Sequence[Fact], protocol: Protocol, measures: Mapping[str, Measure]
) -> list[GradePoint]:
    """Return the grade of acute GVHD at each staging.

    Args:
        facts: That stand, of one participant, by time; others than the scale reads are passed over.
        protocol: The study's.
        measures: Every measure by name.
    """
    charted_facts = _group_by_instant(
        facts, lambda fact: acute_gvhd_course.reads_fact(fact, protocol)
    )
    return acute_gvhd_course.list_grade_points(charted_facts, measures)


def list_chronic_grades(facts: Sequence[Fact], protocol: Protocol) -> list[GradePoint]:
    """Return the severity of chronic GVHD, as a grade, at each visit; arguments as above."""
    visits = _group_by_instant(facts, lambda fact: chronic_gvhd.reads_fact(fact, protocol))
    return [chronic_gvhd.grade_visit(visit[0].observed_at, visit) for visit in visits]


def _group_by_instant(
    facts: Sequence[Fact], reads_fact: Callable[[Fact], bool]
) -> list[Sequence[Fact]]:
    facts_read = filter(reads_fact, facts)
    return [tuple(group) for _, group in groupby(facts_read, key=lambda fact: fact.observed_at)]


def apply_decisions(
    points: Sequence[GradePoint], records: Sequence[EpisodeContent]
) -> tuple[GradedInstant, ...]:
    """Return the grades of *points* and, in place of those within them, of adjudicated records.

    A record that was rejected has none: its signs were no GVHD.

    Args:
        points: Of one disease in one participant, by time.
        records: Of the same disease, not retracted, in any order.
    """
    periods = list(_list_decided_periods(records))
    graded_instants = [
        (point.instant, point.span)
        for point in points
        if not any(
            record.onset_at <= point.instant and (end is None or point.instant < end)
            for record, end in periods
        )
    ]
    graded_instants += [
        (change.at, change.span)
        for record, _ in periods
        if record.state is not EpisodeState.REJECTED
        for change in record.history
    ]
    return tuple(sorted(graded_instants, key=lambda one: one[0]))


def _list_decided_periods(
    records: Sequence[EpisodeContent],
) -> Iterator[tuple[EpisodeContent, datetime | None]]:
    """Yield each record that a person decided about, and its end; None: it lasts."""
    ordered_records = sorted(records, key=lambda record: record.onset_at)
    next_onsets = [record.onset_at for record in ordered_records[1:]]
    for record, next_onset in zip_longest(ordered_records, next_onsets):
        if record.adjudications or record.worst.at_least is Grade.DEATH:
            yield record, record.resolved_at or next_onset
