"""From runs to adverse event records: days, windows, seriousness and what people decided."""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from datetime import datetime

from services.safety_rules.domain.episodes.confounders import ConfounderEvents
from services.safety_rules.domain.facts.anchors import Anchors, find_stretches
from services.safety_rules.domain.facts.current_facts import Query
from services.safety_rules.domain.runs.run import Run
from services.vocabulary.episode import Change, EpisodeContent, EpisodeState, Span
from services.vocabulary.fact import Adjudication, Assessment, Fact, Movement, Verdict
from services.vocabulary.grade import Grade
from services.vocabulary.protocol import Protocol

CRS = "astct-2019.crs"
# Terms that are the syndrome itself while it lasts, not a second event.
# See docs/decisions/episodes.md
PARTS_OF_CRS = (".fever", ".hypoxia", ".hypotension")


@dataclass(frozen=True, slots=True)
class CriterionLabel:
    """One criterion in one participant."""

    criterion: str
    term: str
    baseline_grade: Grade


@dataclass(slots=True)
class ParticipantBackground:
    """What is known of a participant beside the runs; facts are those that stand.

    Args:
        participant: Pseudonym.
        anchors: Of the participant.
        adjudications: By criterion.
        assessments: Ids of facts.
        intensive_care: When the participant was moved there, in order.
        confounder_events: What else could explain a fever.
    """

    participant: str
    anchors: Anchors
    adjudications: dict[str, list[Fact]] = field(default_factory=dict)
    assessments: set[str] = field(default_factory=set)
    intensive_care: list[datetime] = field(default_factory=list)
    confounder_events: ConfounderEvents = field(default_factory=ConfounderEvents)

    def change(self, fact: Fact, *, stands: bool) -> None:
        """Let *fact* stand, or stand no longer."""
        match fact.body:
            case Adjudication(criterion=criterion):
                others = [f for f in self.adjudications.get(criterion, ()) if f.id != fact.id]
                self.adjudications[criterion] = [*others, fact] if stands else others
            case Assessment() if stands:
                self.assessments.add(fact.id)
            case Assessment():
                self.assessments.discard(fact.id)
            case Movement(to="icu", cancelled=False) if stands:
                insort(self.intensive_care, fact.observed_at)
            case Movement(to="icu", cancelled=False):
                self.intensive_care.remove(fact.observed_at)


def link_to_crs(
    found: Iterable[EpisodeContent], crs: Iterable[EpisodeContent]
) -> tuple[EpisodeContent, ...]:
    """Return *found*, of one criterion, what is a part of *crs* linked to it.

    Args:
        found: In the order of onset.
        crs: Every record of it, in the order of onset.
    """
    syndromes = [one for one in crs if one.state is not EpisodeState.REJECTED]
    begun = [one.onset_at for one in syndromes]
    lasts_since = min((one.onset_at for one in syndromes if one.resolved_at is None), default=None)

    def is_inside(at: datetime) -> bool:
        if lasts_since is not None and lasts_since <= at:
            return True
        number = bisect_right(begun, at)
        last = syndromes[number - 1].resolved_at if number else None
        return last is not None and at < last

    return tuple(replace(one, linked_to=CRS) if is_inside(one.onset_at) else one for one in found)


def find_orphaned_adjudications(
    records: Iterable[EpisodeContent], person: ParticipantBackground
) -> list[Query]:
    """Return a query for each adjudication whose instant no record contains any longer."""
    everything = [fact for facts in person.adjudications.values() for fact in facts]
    adopted = {fact for record in records for fact in record.adjudications}
    return [
        Query("an adjudication matches no record any longer", (fact.id,))
        for fact in sorted(everything, key=lambda f: (f.observed_at, f.id))
        if fact.id not in adopted
    ]


@dataclass(frozen=True, slots=True)
class _Stretch:
    """The time that a run's record speaks for: an unresolved one, up to the next of its kind."""

    run: Run
    before: datetime | None

    def __contains__(self, at: object) -> bool:
        end = self.run.resolved_at or self.before
        return isinstance(at, datetime) and self.run.onset_at <= at and (end is None or at < end)


def make_record(
    group: CriterionLabel,
    run: Run,
    before: datetime | None,
    person: ParticipantBackground,
    protocol: Protocol,
) -> EpisodeContent:
    """Return the record of one run of *group*, not yet linked to syndromes.

    Args:
        group: What it is a run of.
        run: Of the participant.
        before: When the next run of the same criterion began; None: there is none yet.
        person: What else is known of the participant.
        protocol: The study's.
    """
    stretch, anchors = _Stretch(run, before), person.anchors
    history = _with_death(run.history, group.criterion, stretch, anchors)
    decisions = [
        fact
        for fact in person.adjudications.get(group.criterion, ())
        if fact.observed_at in stretch
    ]
    history, state, attribution = _decided(history, decisions)
    if state is EpisodeState.SUSPECTED and _assessed(run, person.assessments):
        state = EpisodeState.CONFIRMED  # a clinician graded it
    worst = _worst(history)
    return EpisodeContent(
        participant=person.participant,
        criterion=group.criterion,
        term=group.term,
        onset_at=run.onset_at,
        onset_not_before=run.onset_not_before,
        resolved_at=run.resolved_at,
        resolved_not_before=run.resolved_not_before,
        history=history,
        worst=worst,
        current=history[-1].span if run.resolved_at is None else Span(Grade.NONE, Grade.NONE),
        baseline_grade=Grade.NONE if run.before_exposure else group.baseline_grade,
        before_exposure=run.before_exposure,
        possible=run.possible,
        windows=_windows(run.onset_at, anchors, protocol),
        transplant_day=anchors.find_transplant_day(run.onset_at),
        treatment_day=anchors.find_treatment_day(run.onset_at),
        state=state,
        provisional=run.provisional,
        attribution=attribution,
        serious=_serious(stretch, worst, person.intensive_care),
        confounders=person.confounder_events.find_names(run) if group.criterion == CRS else (),
        other_scales=dict(sorted(run.other_scales.items())) or None,
        adjudications=tuple(sorted(f.id for f in decisions)),
    )


def _assessed(run: Run, assessments: AbstractSet[str]) -> bool:
    return any(fact in assessments for change in run.history for fact in change.facts)


def _with_death(
    history: tuple[Change, ...], criterion: str, stretch: _Stretch, anchors: Anchors
) -> tuple[Change, ...]:
    """Grade 5 only by a death that was adjudicated to this cause."""
    died_at = anchors.died_at
    if died_at is None or anchors.death_cause != criterion or died_at not in stretch:
        return history
    death = Span(Grade.DEATH, Grade.DEATH)
    return (*history, Change(died_at, death, "death adjudicated to this cause"))


def _decided(
    history: tuple[Change, ...], decisions: Iterable[Fact]
) -> tuple[tuple[Change, ...], EpisodeState, str]:
    state, attribution = EpisodeState.SUSPECTED, ""
    for fact in sorted(decisions, key=_order_of_signing):
        match fact.body:
            case Adjudication(verdict=Verdict.CONFIRM):
                state = EpisodeState.CONFIRMED
            case Adjudication(verdict=Verdict.REJECT):
                state = EpisodeState.REJECTED
            case Adjudication(verdict=Verdict.REGRADE, grade=int(grade), by=by, reason=reason):
                state = EpisodeState.CONFIRMED
                history = _regraded(history, Grade(grade), f"regraded by {by}: {reason}", fact.id)
            case Adjudication(verdict=Verdict.ATTRIBUTE, cause=cause):
                attribution = cause
    return history, state, attribution


def _order_of_signing(fact: Fact) -> tuple[datetime, str, str]:
    body = fact.body
    if not isinstance(body, Adjudication):
        raise TypeError(f"not an adjudication: {fact.id}")
    return body.signed_at, body.by, fact.digest


def _regraded(
    history: tuple[Change, ...], grade: Grade, because: str, fact: str
) -> tuple[Change, ...]:
    """Let *grade* be the worst of *history*: it stands where the worst stood, and caps the rest."""
    worst = max(change.span.at_least for change in history)
    exact = Span(grade, grade)

    def decided(change: Change) -> Change:
        if change.span.at_least == worst:
            return replace(
                change, span=exact, because=because, missing=(), facts=(*change.facts, fact)
            )
        capped = Span(min(change.span.at_least, grade), min(change.span.at_most, grade))
        return replace(change, span=capped)

    return tuple(decided(change) for change in history)


def _worst(history: Sequence[Change]) -> Span:
    return Span(
        max(change.span.at_least for change in history),
        max(change.span.at_most for change in history),
    )


def _windows(at: datetime, anchors: Anchors, protocol: Protocol) -> tuple[str, ...]:
    return tuple(
        name
        for name, window in sorted(protocol.windows.items())
        if any(at in stretch for stretch in find_stretches(window, anchors))
    )


def _serious(stretch: _Stretch, worst: Span, intensive: Sequence[datetime]) -> tuple[str, ...]:
    """Return why a record is serious; *intensive* is when intensive care began, in order."""
    since_onset = intensive[bisect_left(intensive, stretch.run.onset_at) :][:1]
    reasons = {
        "death": worst.at_least is Grade.DEATH,
        "life-threatening": worst.at_least >= Grade.LIFE_THREATENING,
        "intensive care": any(at in stretch for at in since_onset),
    }
    return tuple(name for name, holds in reasons.items() if holds)
