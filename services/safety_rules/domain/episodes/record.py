"""Adverse event records made from runs: days, windows, seriousness and human decisions."""

from bisect import bisect_right
from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from datetime import datetime

from services.safety_rules.domain.episodes.confounders import ConfounderEvents
from services.safety_rules.domain.episodes.seriousness import HospitalStays, propose_seriousness
from services.safety_rules.domain.facts.anchors import Anchors, find_window_periods
from services.safety_rules.domain.grade_runs.grade_run import GradeRun
from services.vocabulary.clinical_fact import Movement
from services.vocabulary.data_query import Query
from services.vocabulary.episode import Change, EpisodeContent, EpisodeState, Span, find_worst_span
from services.vocabulary.fact import Fact
from services.vocabulary.grade import Grade, Input
from services.vocabulary.judgement import Adjudication, Assessment, Verdict
from services.vocabulary.protocol import Protocol

CRS = "astct-2019.crs"
# Terms that are the syndrome itself while it lasts, not a second event.
# See docs/decisions/episodes.md
PARTS_OF_CRS = (".fever", ".hypoxia", ".hypotension")

# As an input that is missing where a record was regraded to 5 and nobody is known to have died.
DEATH_MISSING = "death"
_FATAL = Span(Grade.DEATH, Grade.DEATH)
_CAUSE_OF_DEATH = "death adjudicated to this cause"


@dataclass(frozen=True, slots=True)
class CriterionLabel:
    """The name of a criterion, and its baseline grade in one participant.

    *is_laboratory*: it is graded from laboratory results.
    """

    criterion: str
    term: str
    baseline_grade: Grade
    is_laboratory: bool = False


@dataclass(slots=True)
class ParticipantBackground:
    """The facts about a participant, other than runs, that records are made from.

    Args:
        participant: Pseudonym.
        anchors: Of the participant.
        adjudications: By criterion.
        assessments: Ids of facts.
        stays: In hospital and in intensive care.
        confounder_events: Events that could explain a fever.
    """

    participant: str
    anchors: Anchors
    adjudications: dict[str, list[Fact]] = field(default_factory=dict)
    assessments: set[str] = field(default_factory=set)
    stays: HospitalStays = field(default_factory=HospitalStays)
    confounder_events: ConfounderEvents = field(default_factory=ConfounderEvents)

    def change(self, fact: Fact, *, stands: bool) -> None:
        """Add or remove *fact*."""
        match fact.body:
            case Adjudication(criterion=criterion):
                other_adjudications = [
                    f for f in self.adjudications.get(criterion, ()) if f.id != fact.id
                ]
                self.adjudications[criterion] = (
                    [*other_adjudications, fact] if stands else other_adjudications
                )
            case Assessment() if stands:
                self.assessments.add(fact.id)
            case Assessment():
                self.assessments.discard(fact.id)
            case Movement():
                self.stays.change(fact, stands=stands)


def link_to_crs(
    records: Iterable[EpisodeContent], crs: Iterable[EpisodeContent]
) -> tuple[EpisodeContent, ...]:
    """Return *records*, those that began during a record of *crs* linked to it.

    What a participant died of is no mere part of the syndrome, and a syndrome that is only possible
    has none.

    Args:
        records: Of one criterion, in the order of onset.
        crs: Every record of cytokine release syndrome, in the order of onset.
    """
    syndromes = [one for one in crs if one.state is not EpisodeState.REJECTED and not one.possible]
    onsets = [one.onset_at for one in syndromes]
    open_since = min((one.onset_at for one in syndromes if one.resolved_at is None), default=None)

    def is_during_crs(instant: datetime) -> bool:
        if open_since is not None and open_since <= instant:
            return True
        number = bisect_right(onsets, instant)
        last = syndromes[number - 1].resolved_at if number else None
        return last is not None and instant < last

    return tuple(
        replace(one, linked_to=CRS) if one.worst != _FATAL and is_during_crs(one.onset_at) else one
        for one in records
    )


def find_orphaned_adjudications(
    records: Iterable[EpisodeContent], person: ParticipantBackground
) -> list[Query]:
    """Return a query for each adjudication whose instant no record contains any longer."""
    adjudications = [fact for facts in person.adjudications.values() for fact in facts]
    matched_ids = {fact for record in records for fact in record.adjudications}
    return [
        Query("an adjudication matches no record any longer", (fact.id,))
        for fact in sorted(adjudications, key=lambda f: (f.observed_at, f.id))
        if fact.id not in matched_ids
    ]


@dataclass(frozen=True, slots=True)
class _RunSpan:
    """The time that the record of a run covers: an unresolved one, up to the next run."""

    run: GradeRun
    next_onset: datetime | None

    @property
    def end(self) -> datetime | None:
        """The first instant that is not of the run; None: it has no end yet."""
        return self.run.resolved_at or self.next_onset

    def __contains__(self, instant: object) -> bool:
        return (
            isinstance(instant, datetime)
            and self.run.onset_at <= instant
            and (self.end is None or instant < self.end)
        )


def make_record(
    label: CriterionLabel,
    run: GradeRun,
    next_onset: datetime | None,
    background: ParticipantBackground,
    protocol: Protocol,
) -> EpisodeContent:
    """Return the record of one run, not yet linked to syndromes.

    Args:
        label: Of the criterion.
        run: Of the participant.
        next_onset: Onset of the next run of the same criterion; None: there is none yet.
        background: The other facts about the participant.
        protocol: The study's.
    """
    span, anchors = _RunSpan(run, next_onset), background.anchors
    decisions = [
        fact
        for fact in background.adjudications.get(label.criterion, ())
        if fact.observed_at in span or fact.id in run.died_by
    ]
    history, state, attribution = _apply_decisions(run, decisions)
    if state is EpisodeState.SUSPECTED and (
        run.died_at is not None or _is_assessed(run, background.assessments)
    ):
        state = EpisodeState.CONFIRMED  # a person graded it, or named it as the cause of death
    is_possible = run.possible
    other_scales = dict(sorted(run.other_scales.items()))
    if run.possible and run.outside_inducer_window:
        is_possible = state is not EpisodeState.CONFIRMED
        if is_possible:
            history = tuple(map(_doubt_cause, history))
            other_scales = {name: _lower(span) for name, span in other_scales.items()}
    elif run.possible and state is EpisodeState.CONFIRMED:
        history = tuple(map(_accept_duration, history))
        is_possible = all(change.span.at_least <= label.baseline_grade for change in history)
    worst = find_worst_span(change.span for change in history)
    return EpisodeContent(
        participant=background.participant,
        criterion=label.criterion,
        term=label.term,
        onset_at=run.onset_at,
        onset_not_before=run.onset_not_before,
        resolved_at=run.resolved_at,
        resolved_not_before=run.resolved_not_before,
        history=history,
        worst=worst,
        current=history[-1].span if run.resolved_at is None else Span(Grade.NONE, Grade.NONE),
        baseline_grade=Grade.NONE if run.before_exposure else label.baseline_grade,
        before_exposure=run.before_exposure,
        possible=is_possible,
        windows=_find_windows(run.onset_at, anchors, protocol),
        transplant_day=anchors.find_transplant_day(run.onset_at),
        treatment_day=anchors.find_treatment_day(run.onset_at),
        state=state,
        provisional=run.provisional,
        attribution=attribution,
        serious=propose_seriousness(
            history,
            background.assessments,
            has_unplanned_stay=background.stays.has_unplanned(
                run.onset_at, span.end, anchors.courses
            ),
            is_laboratory=label.is_laboratory,
        ),
        confounders=background.confounder_events.find_names(run) if label.criterion == CRS else (),
        other_scales=other_scales or None,
        adjudications=tuple(sorted(f.id for f in decisions)),
        outside_inducer_window=run.outside_inducer_window,
    )


def _doubt_cause(change: Change) -> Change:
    """Return *change* as it is while nobody knows that the signs are those of the syndrome."""
    missing = tuple(sorted({Input.INDUCER, *change.missing}))
    return replace(change, span=_lower(change.span), missing=missing)


def _accept_duration(change: Change) -> Change:
    """Return *change* as certain: a person says that it is the term, and only time was missing."""
    if change.missing != (Input.DURATION,):
        return change
    return replace(change, span=Span(change.span.at_most, change.span.at_most), missing=())


def _lower(span: Span) -> Span:
    return Span(Grade.NONE, span.at_most)


def _is_assessed(run: GradeRun, assessments: AbstractSet[str]) -> bool:
    return any(fact in assessments for change in run.history for fact in change.facts)


def _apply_decisions(
    run: GradeRun, decisions: Iterable[Fact]
) -> tuple[tuple[Change, ...], EpisodeState, str]:
    """Return the history of *run* after *decisions*, its state and its attribution.

    A regrading that names an instant before the death is about the time before it.
    """
    history, state, attribution = run.history, EpisodeState.SUSPECTED, ""
    death = None if run.died_at is None else Change(run.died_at, _FATAL, _CAUSE_OF_DEATH)
    for fact in sorted(decisions, key=order_of_signing):
        match fact.body:
            case Adjudication(verdict=Verdict.CONFIRM):
                state = EpisodeState.CONFIRMED
            case Adjudication(verdict=Verdict.REJECT):
                state = EpisodeState.REJECTED
            case Adjudication(verdict=Verdict.REGRADE, grade=int(grade), by=signer, reason=reason):
                state = EpisodeState.CONFIRMED
                because = f"regraded by {signer}: {reason}"
                if death is not None and (grade == Grade.DEATH or fact.observed_at >= death.at):
                    span = Span(Grade(grade), Grade(grade))
                    because = f"{_CAUSE_OF_DEATH}; {because}" if span == _FATAL else because
                    death = Change(death.at, span, because, facts=(fact.id,))
                if death is None or grade != Grade.DEATH:
                    history = _regrade_history(history, Grade(grade), because, fact.id)
            case Adjudication(verdict=Verdict.ATTRIBUTE, cause=cause):
                attribution = cause
    return (*history, death) if death else history, state, attribution


def order_of_signing(fact: Fact) -> tuple[datetime, str, str]:
    """Return the place of an adjudication among others: when it was signed."""
    body = fact.body
    if not isinstance(body, Adjudication):
        raise TypeError(f"not an adjudication: {fact.id}")
    return body.signed_at, body.by, fact.digest


def _regrade_history(
    history: tuple[Change, ...], grade: Grade, because: str, fact: str
) -> tuple[Change, ...]:
    """Return *history* with *grade* in place of its worst grade, and as a cap on the others.

    Grade 5 is a death: where none is known, it is only the most that the grade may be.
    """
    worst = max((change.span.at_least for change in history), default=grade)
    is_death = grade is Grade.DEATH
    span = Span(min(worst, grade) if is_death else grade, grade)
    missing = (DEATH_MISSING,) if is_death and worst < grade else ()

    def apply_grade(change: Change) -> Change:
        if change.span.at_least == worst:
            return replace(
                change, span=span, because=because, missing=missing, facts=(*change.facts, fact)
            )
        capped_span = Span(min(change.span.at_least, grade), min(change.span.at_most, grade))
        return replace(change, span=capped_span)

    return tuple(apply_grade(change) for change in history)


def _find_windows(instant: datetime, anchors: Anchors, protocol: Protocol) -> tuple[str, ...]:
    return tuple(
        name
        for name, window in sorted(protocol.windows.items())
        if any(instant in period for period in find_window_periods(window, anchors))
    )
