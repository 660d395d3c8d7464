"""From runs to adverse event records: days, windows, seriousness and what people decided."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import zip_longest

from services.safety_rules.domain.anchors import Anchors, stretches
from services.safety_rules.domain.confounders import Confounding
from services.safety_rules.domain.current_facts import Query
from services.safety_rules.domain.runs import Run
from services.vocabulary.episode import Change, EpisodeContent, EpisodeState, Span
from services.vocabulary.fact import Adjudication, Fact, Movement, Verdict
from services.vocabulary.grade import Grade
from services.vocabulary.protocol import Protocol

CRS = "astct-2019.crs"
# Terms that are the syndrome itself while it lasts, not a second event.
# See docs/decisions/episodes.md
PARTS_OF_CRS = (".fever", ".hypoxia", ".hypotension")


@dataclass(frozen=True, slots=True)
class Named:
    """The runs of one criterion in one participant."""

    criterion: str
    term: str
    baseline_grade: Grade
    runs: tuple[Run, ...]


@dataclass(frozen=True, slots=True)
class Person:
    """What is known of a participant beside the runs; facts are those that stand."""

    participant: str
    anchors: Anchors
    adjudications: tuple[Fact, ...] = ()
    assessments: frozenset[str] = frozenset()  # fact ids
    movements: tuple[Fact, ...] = ()
    confounding: Confounding = field(default_factory=Confounding)


def records(group: Named, person: Person, protocol: Protocol) -> tuple[EpisodeContent, ...]:
    """Return a record for each run of *group*, not yet linked to syndromes."""
    following = [run.onset_at for run in group.runs[1:]]
    return tuple(
        _content(group, run, _Stretch(run, before), person, protocol)
        for run, before in zip_longest(group.runs, following)
    )


def linked(found: Iterable[EpisodeContent]) -> tuple[EpisodeContent, ...]:
    """Return *found* by criterion and onset, what is a part of a syndrome linked to it."""
    everything = sorted(found, key=lambda c: (c.criterion, c.onset_at))
    syndromes = [
        crs for crs in everything if crs.criterion == CRS and crs.state is not EpisodeState.REJECTED
    ]
    return tuple(_linked(content, syndromes) for content in everything)


def orphaned(records: Sequence[EpisodeContent], person: Person) -> list[Query]:
    """Return a query for each adjudication whose instant no record contains any longer."""
    return [
        Query("an adjudication matches no record any longer", (fact.id,))
        for fact in person.adjudications
        if not any(fact.id in record.adjudications for record in records)
    ]


@dataclass(frozen=True, slots=True)
class _Stretch:
    """The time that a run's record speaks for: an unresolved one, up to the next of its kind."""

    run: Run
    before: datetime | None

    def __contains__(self, at: object) -> bool:
        end = self.run.resolved_at or self.before
        return isinstance(at, datetime) and self.run.onset_at <= at and (end is None or at < end)


def _content(
    group: Named, run: Run, stretch: _Stretch, person: Person, protocol: Protocol
) -> EpisodeContent:
    anchors = person.anchors
    history = _with_death(run.history, group.criterion, stretch, anchors)
    decisions = [
        fact
        for fact in person.adjudications
        if isinstance(fact.body, Adjudication)
        and fact.body.criterion == group.criterion
        and fact.observed_at in stretch
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
        transplant_day=anchors.transplant_day(run.onset_at),
        treatment_day=anchors.treatment_day(run.onset_at),
        state=state,
        provisional=run.provisional,
        attribution=attribution,
        serious=_serious(stretch, worst, person.movements),
        confounders=person.confounding.of(run) if group.criterion == CRS else (),
        other_scales=dict(sorted(run.other_scales.items())) or None,
        adjudications=tuple(sorted(f.id for f in decisions)),
    )


def _assessed(run: Run, assessments: frozenset[str]) -> bool:
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
        if any(at in stretch for stretch in stretches(window, anchors))
    )


def _serious(stretch: _Stretch, worst: Span, movements: Iterable[Fact]) -> tuple[str, ...]:
    reasons = {
        "death": worst.at_least is Grade.DEATH,
        "life-threatening": worst.at_least >= Grade.LIFE_THREATENING,
        "intensive care": any(
            isinstance(f.body, Movement) and f.body.to == "icu" and f.observed_at in stretch
            for f in movements
        ),
    }
    return tuple(name for name, holds in reasons.items() if holds)


def _linked(content: EpisodeContent, syndromes: Iterable[EpisodeContent]) -> EpisodeContent:
    if not content.criterion.endswith(PARTS_OF_CRS):
        return content
    inside = any(
        crs.onset_at <= content.onset_at
        and (crs.resolved_at is None or content.onset_at < crs.resolved_at)
        for crs in syndromes
    )
    return replace(content, linked_to=CRS) if inside else content
