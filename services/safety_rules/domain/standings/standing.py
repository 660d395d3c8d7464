"""Where a participant stands under each stopping rule."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from services.safety_rules.domain.facts.anchors import Anchors, Stretch, find_stretches
from services.vocabulary.episode import EpisodeContent, EpisodeState, Span
from services.vocabulary.fact import Action, Administration, Fact, Merge, Move
from services.vocabulary.grade import Grade
from services.vocabulary.protocol import LaboratoryCounting, Protocol, Rule
from services.vocabulary.protocol_event import EventPattern
from services.vocabulary.standing import CompetingEvent, CountedEvent, Standing

End = Callable[[Span], Grade]
_Event = tuple[CountedEvent, datetime | None]  # what counts, and when it begins to; None: it does


def _lower(span: Span) -> Grade:
    return span.at_least


def _upper(span: Span) -> Grade:
    return span.at_most


@dataclass(frozen=True, slots=True)
class StandingInputs:
    """What the standings of one participant are computed from.

    Args:
        participant: Pseudonym.
        anchors: Of the participant.
        records: Every record, retracted ones excluded.
        steroids: Instants of protocol-scheduled steroid doses.
        known_at: Until when the absence of a contrary reading means something.
        matches: Says whether a criterion id belongs to a pattern's term or term set.
        is_laboratory: Says whether a criterion id is graded from a laboratory value.
    """

    participant: str
    anchors: Anchors
    records: Sequence[EpisodeContent]
    steroids: tuple[datetime, ...]
    known_at: datetime
    matches: Callable[[str, EventPattern], bool]
    is_laboratory: Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class TimedStanding:
    """A standing, and the next instant at which it may change without a fact; None: never."""

    standing: Standing
    due_at: datetime | None


def may_change_standing(fact: Fact, protocol: Protocol) -> bool:
    """Say whether *fact* may change a standing and no record."""
    body = fact.body
    is_steroid = isinstance(body, Administration) and body.drug in protocol.bedside.steroids
    return is_steroid or isinstance(body, Merge | Move)


def find_steroid_doses(facts: Iterable[Fact], protocol: Protocol) -> tuple[datetime, ...]:
    """Return when the protocol's own steroid doses were given, in order."""
    return tuple(
        sorted(
            fact.observed_at
            for fact in facts
            if isinstance(fact.body, Administration)
            and fact.body.scheduled
            and fact.body.drug in protocol.bedside.steroids
            and fact.body.action in (Action.DOSE, Action.START)
        )
    )


def find_standing(rule: Rule, protocol: Protocol, known: StandingInputs) -> TimedStanding:
    """Return where the participant stands under *rule*, from what is known."""
    anchors = known.anchors
    exposed_at = {
        "infused": anchors.first_infusion_at,
        "enrolled": anchors.enrolled_at,
        "transplanted": anchors.graft_at,
    }[rule.out_of]
    windows = find_stretches(rule.window, anchors)
    ends_at = max((window.end for window in windows), default=None)
    empty = Standing(known.participant, rule.id)
    if exposed_at is None or ends_at is None or exposed_at >= ends_at:
        return TimedStanding(empty, None)
    found = _Counting(rule, protocol.laboratory, known, exposed_at, windows)
    competing = _competing(rule, anchors, exposed_at)
    at_least, at_most = list(found.events(_lower)), list(found.events(_upper))
    event = _possible(_first(at_least), competing)
    confirmed = _possible(_first(one for one in at_least if one[0].confirmed), competing)
    upper = _possible(_first(at_most), competing)
    highest = rule.if_a_grade_is_incomplete == "highest"
    counts = confirmed if rule.status == "confirmed" else upper if highest else event
    standing = replace(
        empty,
        exposed_at=exposed_at,
        window_ends_at=ends_at,
        frozen_at=anchors.withdrawn_at,
        event=event,
        confirmed=confirmed,
        upper=upper,
        competing=None if counts else competing,
        transplant_day=anchors.find_transplant_day(event.at) if event else None,
        treatment_day=anchors.find_treatment_day(event.at) if event else None,
    )
    waiting = (due for _, due in (*at_least, *at_most) if due is not None)
    return TimedStanding(standing, min(waiting, default=None))


def _first(events: Iterable[_Event]) -> CountedEvent | None:
    """Return the earliest of *events* that counts already."""
    found = [event for event, due in events if due is None]
    return min(found, key=lambda event: (event.at, event.episode), default=None)


def _possible(event: CountedEvent | None, competing: CompetingEvent | None) -> CountedEvent | None:
    """Return *event*, unless it came after what made it impossible."""
    too_late = event is not None and competing is not None and event.at > competing.at
    return None if too_late else event


def _competing(rule: Rule, anchors: Anchors, exposed_at: datetime) -> CompetingEvent | None:
    instants = {
        "death": anchors.died_at,
        "relapse": anchors.relapsed_at,
        "second_transplant": anchors.second_graft_at,
    }
    found = [
        CompetingEvent(at, what)
        for what in rule.competing
        if (at := instants.get(what)) is not None and at >= exposed_at
    ]
    return min(found, key=lambda c: (c.at, c.what), default=None)


@dataclass(frozen=True, slots=True)
class _Counting:
    """Which events of one participant count for one rule."""

    rule: Rule
    laboratory: LaboratoryCounting
    known: StandingInputs
    exposed_at: datetime
    windows: Sequence[Stretch]

    def events(self, end: End) -> Iterator[_Event]:
        """Yield every event at that end of each grade."""
        for pattern in self.rule.any_of:
            if pattern.fact:
                yield from self._of_fact(pattern)
                continue
            for record in self.known.records:
                if self._may_count(record, pattern):
                    yield from self._of_record(record, Grade(pattern.grade_at_least), end)

    def _of_fact(self, pattern: EventPattern) -> Iterator[_Event]:
        anchors = self.known.anchors
        died, relapsed = anchors.died_at, anchors.relapsed_at
        without_relapse = died is not None and (relapsed is None or relapsed > died)
        at = {"death": died, "relapse": relapsed, "nrm": died if without_relapse else None}[
            pattern.fact
        ]
        if at is not None and self._is_inside(at):
            yield CountedEvent(at, pattern.fact, int(Grade.DEATH), confirmed=True), None

    def _may_count(self, record: EpisodeContent, pattern: EventPattern) -> bool:
        if record.before_exposure or record.state is EpisodeState.REJECTED:
            return False
        if pattern.scale:
            return record.criterion == pattern.scale
        return not record.linked_to and self.known.matches(record.criterion, pattern)

    def _of_record(self, record: EpisodeContent, grade: Grade, end: End) -> Iterator[_Event]:
        for at, until in _reached(record, grade, end, self.exposed_at):
            dated = record.onset_at if self.rule.event_date == "onset" else at
            if not self._is_inside(dated):
                continue
            if self._needs_confirmation(record, at):
                continue
            due = self._counts_from(record, grade, at, until, end)
            if due is not None and until is not None and due > until:
                continue  # it passed before it counted
            event = CountedEvent(
                dated,
                f"{record.criterion}@{record.onset_at.isoformat()}",
                int(end(record.worst)),
                record.state is EpisodeState.CONFIRMED,
            )
            yield event, due if due is not None and due > self.known.known_at else None

    def _is_inside(self, at: datetime) -> bool:
        return at > self.exposed_at and any(at in window for window in self.windows)

    def _needs_confirmation(self, record: EpisodeContent, at: datetime) -> bool:
        """Say whether a protocol steroid explains the event unless a clinician says otherwise."""
        slug = record.criterion.rpartition(".")[2]
        return (
            record.state is not EpisodeState.CONFIRMED
            and slug in self.laboratory.only_confirmed_after_steroid
            and any(
                given <= at <= given + self.laboratory.steroid_within
                for given in self.known.steroids
            )
        )

    def _counts_from(
        self, record: EpisodeContent, grade: Grade, at: datetime, until: datetime | None, end: End
    ) -> datetime | None:
        """Return when the event counts if nothing contradicts it; None: at once.

        Source: docs/decisions/episodes.md, "Laboratory-only events"
        """
        if record.state is EpisodeState.CONFIRMED or not self.known.is_laboratory(record.criterion):
            return None
        reached = [c.at for c in record.history if end(c.span) >= Grade.LIFE_THREATENING]
        if grade >= Grade.LIFE_THREATENING or any(
            at <= t and (until is None or t < until) for t in reached
        ):
            return None
        return at + self.laboratory.grade3_after


def _reached(
    record: EpisodeContent, grade: Grade, end: End, exposed_at: datetime
) -> Iterator[tuple[datetime, datetime | None]]:
    """Yield when the record reaches *grade* after exposure, and until when it stays there.

    A record that is already there at exposure reaches it only by rising further, or by falling
    below and coming back.
    """
    floor = Grade(grade - 1)
    since: datetime | None = None
    for change in record.history:
        now = end(change.span)
        if change.at <= exposed_at:
            floor = max(Grade(grade - 1), now)
            continue
        if since is None and now > floor:
            since = change.at
        elif now < grade:
            floor = Grade(grade - 1)
            if since is not None:
                yield since, change.at
                since = None
    if since is not None:
        yield since, record.resolved_at
