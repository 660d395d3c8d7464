"""All that one record rests on, for the clinician who signs it.

The record and its versions are as they were stored. What they do not hold, the baseline, the
thresholds left open and the readings beside a grade, comes from its facts by the rules that run.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from datetime import datetime

from services.safety_rules.adapters.activated_rules import ActivatedRules
from services.safety_rules.adapters.scale_wording import load_scale_rows
from services.safety_rules.domain.ctcae.open_thresholds import OpenThreshold
from services.safety_rules.domain.episodes.adjudication_effects import (
    list_adjudication_effects,
)
from services.safety_rules.domain.episodes.course_evidence import (
    describe_side_of_baseline,
    list_baseline_facts,
    list_companions_before_exposure,
    list_lasting_facts,
    list_thresholds_left_open,
)
from services.safety_rules.domain.episodes.criterion_course import CriterionCourse
from services.safety_rules.domain.episodes.version_changes import (
    list_version_changes,
)
from services.safety_rules.domain.facts.current_facts import select_current_facts
from services.safety_rules.domain.participant.fold import Fold
from services.safety_rules.domain.syndromes.followed_syndrome import FollowedSyndrome
from services.safety_rules.reports.explained_record import (
    ExplainedAdjudication,
    ExplainedVersion,
    Explanation,
    Moment,
    Stretch,
)
from services.safety_rules.reports.explained_versions import list_received_facts
from services.safety_rules.reports.folded_participant import fold_participant
from services.safety_rules.reports.record_wording import list_wordings
from services.store import records
from services.store.session import Connection
from services.vocabulary.clinical_fact import Death
from services.vocabulary.episode import Change, Episode, EpisodeContent, Span
from services.vocabulary.fact import Fact, JournalEntry
from services.vocabulary.grade import Grade


def explain_record(
    conn: Connection, activated_rules: ActivatedRules, record_id: str
) -> Explanation:
    """Return the explanation of the stored record *record_id*.

    Args:
        conn: Of one `Database.read`.
        activated_rules: The rules that run.
        record_id: The whole id.
    """
    versions = tuple(records.load_episode_versions(conn, episode_id=record_id))
    participant = versions[-1].content.participant
    folded = fold_participant(conn, activated_rules.rules, participant)
    return _explain(activated_rules, versions, folded.entries, folded.fold)


def _explain(
    activated_rules: ActivatedRules,
    versions: tuple[Episode, ...],
    entries: Sequence[JournalEntry],
    fold: Fold,
) -> Explanation:
    content = versions[-1].content
    facts = {entry.fact.id: entry.fact for entry in entries}
    course = fold.find_course(content.criterion)
    baseline, side = _explain_baseline(course, content)
    ended_by = tuple(fact.id for fact in _list_readings(course, content.resolved_at))
    stretches = tuple(
        _add_death(stretch, facts.values()) for stretch in _list_stretches(fold, course, versions)
    )
    evidence = {
        *baseline,
        *ended_by,
        *(fact for one in stretches for fact in (*one.facts, *one.other_readings)),
        *(fact for one in stretches for fact in one.later_facts),
        *(fact for version in versions for fact in _list_evidence(version.content)),
    }
    taken_at = {facts[fact].observed_at for fact in baseline if fact in facts}
    changes = tuple(_list_versions(versions, entries, evidence))
    adjudications = tuple(_list_adjudications(content, facts))
    named_facts = evidence | {fact for one in changes for fact in one.facts}
    return Explanation(
        versions=versions,
        timezone=fold.anchors.timezone,
        onset=_find_moment(fold, content.onset_at),
        resolution=_find_moment(fold, content.resolved_at) if content.resolved_at else None,
        ended_by=ended_by,
        wordings=tuple(list_wordings(activated_rules.table, content, _list_spans(stretches))),
        has_baseline=isinstance(course, CriterionCourse)
        and course.context.criterion is not None
        and not content.before_exposure,
        baseline=baseline,
        baseline_at=_find_moment(fold, *taken_at) if len(taken_at) == 1 else None,
        baseline_side=side,
        stretches=stretches,
        changes=changes,
        adjudications=adjudications,
        facts={fact: facts[fact] for fact in sorted(named_facts & facts.keys())},
        is_current=versions[-1].retracted or content in fold.list_records(),
    )


def _find_moment(fold: Fold, instant: datetime) -> Moment:
    anchors = fold.anchors
    return Moment(
        instant, anchors.find_transplant_day(instant), anchors.find_treatment_day(instant)
    )


def _explain_baseline(
    course: CriterionCourse | FollowedSyndrome | None, content: EpisodeContent
) -> tuple[tuple[str, ...], str]:
    """Return the ids of the baseline, and the side of its limits on which it lies."""
    if course is None or content.before_exposure:
        return (), ""
    if not isinstance(course, CriterionCourse):
        return tuple(fact.id for fact in course.list_baseline_facts(content.onset_at)), ""
    facts = [*list_baseline_facts(course), *list_companions_before_exposure(course)]
    return tuple(fact.id for fact in facts), describe_side_of_baseline(course, content.onset_at)


def _list_stretches(
    fold: Fold, course: CriterionCourse | FollowedSyndrome | None, versions: Sequence[Episode]
) -> Iterator[Stretch]:
    content = versions[-1].content
    next_instants = [*(change.at for change in content.history[1:]), content.resolved_at]
    next_onset = _find_next_onset(fold, content)
    for change, next_at in zip(content.history, next_instants, strict=True):
        facts, other_readings = change.facts, tuple[str, ...]()
        if isinstance(course, CriterionCourse):
            lasting_ids = (fact.id for fact in list_lasting_facts(course, change.at))
            facts = tuple(dict.fromkeys((*lasting_ids, *change.facts)))
        elif course is not None:
            charted_ids = (fact.id for fact in _list_readings(course, change.at))
            other_readings = tuple(fact for fact in charted_ids if fact not in facts)
        yield Stretch(
            begins=_find_moment(fold, change.at),
            ends=None if next_at is None else _find_moment(fold, next_at),
            change=change,
            as_graded=_find_graded_change(versions, change),
            facts=facts,
            other_readings=other_readings,
            later_facts=tuple(_list_later_facts(course, change.at, next_at or next_onset)),
            could_be=()
            if versions[-1].retracted  # its readings stand no more
            else tuple(_list_open_thresholds(course, content.criterion, change)),
        )


def _add_death(stretch: Stretch, facts: Iterable[Fact]) -> Stretch:
    """Return *stretch* with the death that is its grade 5 among its facts."""
    if stretch.change.span.at_least is not Grade.DEATH:
        return stretch
    deaths = tuple(
        fact.id
        for fact in select_current_facts(facts)
        if isinstance(fact.body, Death) and fact.observed_at == stretch.begins.instant
    )
    return replace(stretch, facts=tuple(dict.fromkeys((*deaths, *stretch.facts))))


def _find_graded_change(versions: Sequence[Episode], change: Change) -> Change | None:
    """Return the last change at the instant of *change* that no adjudication was a part of."""
    decisions = {fact for version in versions for fact in version.content.adjudications}
    if decisions.isdisjoint(change.facts):
        return None
    earlier_changes = (
        one
        for version in reversed(versions)
        for one in version.content.history
        if one.at == change.at and decisions.isdisjoint(one.facts)
    )
    return next(earlier_changes, None)


def _list_spans(stretches: Sequence[Stretch]) -> list[Span]:
    """Return every grade of *stretches*, as the record has it and from the facts alone."""
    changes = [change for one in stretches for change in (one.change, one.as_graded) if change]
    return [change.span for change in changes]


def _list_evidence(content: EpisodeContent) -> Iterator[str]:
    yield from content.adjudications
    for change in content.history:
        yield from change.facts


def _find_next_onset(fold: Fold, content: EpisodeContent) -> datetime | None:
    """Return the onset of the next record of the criterion; None: there is none."""
    onsets = (one.onset_at for one in fold.group_by_criterion().get(content.criterion, ()))
    return min((onset for onset in onsets if onset > content.onset_at), default=None)


def _list_later_facts(
    course: CriterionCourse | FollowedSyndrome | None, begins_at: datetime, ends_at: datetime | None
) -> Iterator[str]:
    """Yield the ids of the facts of *course* between the two instants; None: up to the last."""
    for fact in course.timeline.list_facts() if course is not None else ():
        if begins_at < fact.observed_at and (ends_at is None or fact.observed_at < ends_at):
            yield fact.id


def _list_readings(
    course: CriterionCourse | FollowedSyndrome | None, instant: datetime | None
) -> Sequence[Fact]:
    """Return the readings of *instant*; of a syndrome, the last ones of its signs by then."""
    if course is None or instant is None:
        return ()
    if isinstance(course, CriterionCourse):
        return course.timeline.list_facts_at(instant)
    return course.list_readings(instant)


def _list_open_thresholds(
    course: CriterionCourse | FollowedSyndrome | None, criterion: str, change: Change
) -> Iterator[OpenThreshold]:
    """Yield the thresholds between the ends of the grade; of a scale, its rows."""
    span = change.span
    if isinstance(course, CriterionCourse):
        for threshold in list_thresholds_left_open(course, change.at):
            if span.at_least < threshold.grade <= span.at_most:
                yield threshold
        return
    for grade, row in sorted(load_scale_rows().get(criterion, {}).items()):
        if span.at_least < grade <= span.at_most:
            yield OpenThreshold(grade, row.says, change.missing)


def _list_versions(
    versions: Sequence[Episode], entries: Sequence[JournalEntry], evidence: AbstractSet[str]
) -> Iterator[ExplainedVersion]:
    previous: EpisodeContent | None = None
    for version in versions:
        yield ExplainedVersion(
            version.version,
            version.recorded_at,
            version.cause,
            version.rules_version,
            tuple(list_version_changes(previous, version.content)),
            tuple(list_received_facts(version, evidence, entries)),
        )
        previous = version.content


def _list_adjudications(
    content: EpisodeContent, facts: Mapping[str, Fact]
) -> Iterator[ExplainedAdjudication]:
    decisions = [facts[fact] for fact in content.adjudications if fact in facts]
    for fact, effects in list_adjudication_effects(decisions):
        signed_at = getattr(fact.body, "signed_at", fact.observed_at)
        yield ExplainedAdjudication(fact.id, signed_at, effects)
