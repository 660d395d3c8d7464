"""The standing of a participant under each stopping rule."""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from services.safety_rules.domain.facts.anchors import (
    Anchors,
    WindowPeriod,
    find_missing_anchor,
    find_window_periods,
)
from services.vocabulary.clinical_fact import Action, Administration
from services.vocabulary.episode import EpisodeContent, EpisodeState, Span
from services.vocabulary.fact import Fact
from services.vocabulary.grade import Grade
from services.vocabulary.identity_change import Merge, Move
from services.vocabulary.protocol import LaboratoryCounting, Protocol, Rule
from services.vocabulary.protocol_event import EventPattern
from services.vocabulary.standing import CompetingEvent, CountedEvent, Standing

SpanEnd = Callable[[Span], Grade]
_FOREVER = datetime.max.replace(tzinfo=UTC)
# An event, and the instant from which it counts; None: it counts already.
_DatedEvent = tuple[CountedEvent, datetime | None]


def _lower_end(span: Span) -> Grade:
    return span.at_least


def _upper_end(span: Span) -> Grade:
    return span.at_most


@dataclass(frozen=True, slots=True)
class StandingInputs:
    """The evidence from which the standings of one participant are computed.

    Args:
        participant: Pseudonym.
        anchors: Of the participant.
        records: Every record by criterion, in the order of onset, retracted ones excluded.
        steroids: Instants of protocol-scheduled steroid doses.
        known_at: The instant up to which the absence of a contrary reading means something.
        matches: Returns True when a criterion id belongs to a pattern's term or term set.
        is_laboratory: Returns True when a criterion id is graded from a laboratory value.
    """

    participant: str
    anchors: Anchors
    records: Mapping[str, Sequence[EpisodeContent]]
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
    """Return True when *fact* may change a standing although it changes no record."""
    body = fact.body
    is_steroid = isinstance(body, Administration) and body.drug in protocol.bedside.steroids
    return is_steroid or isinstance(body, Merge | Move)


def find_steroid_doses(facts: Iterable[Fact], protocol: Protocol) -> tuple[datetime, ...]:
    """Return the instants of the protocol's own steroid doses, in order."""
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


def find_standing(rule: Rule, protocol: Protocol, inputs: StandingInputs) -> TimedStanding:
    """Return the participant's standing under *rule*."""
    anchors = inputs.anchors
    exposed_at = {
        "infused": anchors.first_infusion_at,
        "enrolled": anchors.enrolled_at,
        "transplanted": anchors.graft_at,
    }[rule.out_of]
    if missing_anchor := find_missing_anchor(rule, anchors):
        return _find_uncountable_standing(rule, protocol, inputs, missing_anchor)
    windows = find_window_periods(rule.window, anchors)
    ends_at = max((window.end for window in windows), default=None)
    empty = Standing(inputs.participant, rule.id)
    if exposed_at is None or ends_at is None or exposed_at >= ends_at:
        return TimedStanding(empty, None)
    finder = _EventFinder(rule, protocol.laboratory, inputs, exposed_at, windows, ends_at)
    competing = _find_competing(rule, anchors, exposed_at)
    at_least, at_most = list(finder.find_events(_lower_end)), list(finder.find_events(_upper_end))
    event = _unless_competed(_find_first(at_least), competing)
    confirmed = _unless_competed(
        _find_first(dated for dated in at_least if dated[0].confirmed), competing
    )
    upper = _unless_competed(_find_first(at_most), competing)
    highest = rule.if_a_grade_is_incomplete == "highest"
    operative = confirmed if rule.status == "confirmed" else upper if highest else event
    standing = replace(
        empty,
        exposed_at=exposed_at,
        window_ends_at=ends_at,
        frozen_at=anchors.withdrawn_at,
        event=event,
        confirmed=confirmed,
        upper=upper,
        competing=None if operative else competing,
        transplant_day=anchors.find_transplant_day(event.at) if event else None,
        treatment_day=anchors.find_treatment_day(event.at) if event else None,
    )
    due_instants = (due_at for _, due_at in (*at_least, *at_most) if due_at is not None)
    return TimedStanding(standing, min(due_instants, default=None))


def _find_uncountable_standing(
    rule: Rule, protocol: Protocol, inputs: StandingInputs, missing_anchor: str
) -> TimedStanding:
    """Return the standing of a treated participant whose window is not known.

    Any event since treatment may be inside the window.
    """
    treated_at = inputs.anchors.first_infusion_at or _FOREVER
    windows = (WindowPeriod(treated_at, _FOREVER),)
    finder = _EventFinder(rule, protocol.laboratory, inputs, treated_at, windows, _FOREVER)
    at_most = list(finder.find_events(_upper_end))
    upper = _unless_competed(
        _find_first(at_most), _find_competing(rule, inputs.anchors, treated_at)
    )
    standing = Standing(inputs.participant, rule.id, upper=upper, missing_anchor=missing_anchor)
    due_instants = (due_at for _, due_at in at_most if due_at is not None)
    return TimedStanding(standing, min(due_instants, default=None))


def _find_first(events: Iterable[_DatedEvent]) -> CountedEvent | None:
    """Return the earliest of *events* that counts already."""
    counted_events = [event for event, due_at in events if due_at is None]
    return min(counted_events, key=lambda event: (event.at, event.episode), default=None)


def _unless_competed(
    event: CountedEvent | None, competing: CompetingEvent | None
) -> CountedEvent | None:
    """Return *event*, or None when it came after the competing event."""
    is_late = event is not None and competing is not None and event.at > competing.at
    return None if is_late else event


def _find_competing(rule: Rule, anchors: Anchors, exposed_at: datetime) -> CompetingEvent | None:
    instants = {
        "death": anchors.died_at,
        "relapse": anchors.relapsed_at,
        "second_transplant": anchors.second_graft_at,
    }
    events = [
        CompetingEvent(instant, name)
        for name in rule.competing
        if (instant := instants.get(name)) is not None and instant >= exposed_at
    ]
    return min(events, key=lambda event: (event.at, event.what), default=None)


@dataclass(frozen=True, slots=True)
class _EventFinder:
    """The events of one participant that count for one rule."""

    rule: Rule
    laboratory: LaboratoryCounting
    inputs: StandingInputs
    exposed_at: datetime
    windows: Sequence[WindowPeriod]
    ends_at: datetime

    def find_events(self, end: SpanEnd) -> Iterator[_DatedEvent]:
        """Yield every event when grades are taken at that *end* of their spans."""
        for pattern in self.rule.any_of:
            if pattern.fact:
                yield from self._find_fact_event(pattern)
                continue
            for record in self._find_records(pattern):
                if not _counts_by_window(record, pattern, end):
                    continue
                yield from self._find_record_events(record, Grade(pattern.grade_at_least), end)

    def _find_fact_event(self, pattern: EventPattern) -> Iterator[_DatedEvent]:
        anchors = self.inputs.anchors
        died_at, relapsed_at = anchors.died_at, anchors.relapsed_at
        is_non_relapse = died_at is not None and (relapsed_at is None or relapsed_at > died_at)
        instants = {
            "death": died_at,
            "relapse": relapsed_at,
            "nrm": died_at if is_non_relapse else None,
        }
        instant = instants[pattern.fact]
        if instant is not None and self._is_inside(instant):
            yield CountedEvent(instant, pattern.fact, int(Grade.DEATH), confirmed=True), None

    def _find_records(self, pattern: EventPattern) -> Iterator[EpisodeContent]:
        """Yield the records of *pattern* that may count: they begin before the windows end."""
        for criterion, records in self.inputs.records.items():
            if pattern.scale:
                is_match = criterion == pattern.scale
            else:
                is_match = self.inputs.matches(criterion, pattern)
            if not is_match:
                continue
            for record in records[: bisect_left(records, self.ends_at, key=_onset)]:
                if record.before_exposure or record.state is EpisodeState.REJECTED:
                    continue
                if pattern.scale or not record.linked_to:
                    yield record

    def _find_record_events(
        self, record: EpisodeContent, grade: Grade, end: SpanEnd
    ) -> Iterator[_DatedEvent]:
        for reached_at, left_at in _find_rises(record, grade, end, self.exposed_at):
            event_at = record.onset_at if self.rule.event_date == "onset" else reached_at
            if not self._is_inside(event_at):
                continue
            if self._needs_confirmation(record, reached_at):
                continue
            due_at = self._find_due_instant(record, reached_at, left_at, end)
            if due_at is not None and left_at is not None and due_at > left_at:
                continue  # it passed before it counted
            event = CountedEvent(
                event_at,
                f"{record.criterion}@{record.onset_at.isoformat()}",
                int(end(record.worst)),
                record.state is EpisodeState.CONFIRMED,
            )
            is_pending = due_at is not None and due_at > self.inputs.known_at
            yield event, due_at if is_pending else None

    def _is_inside(self, instant: datetime) -> bool:
        return instant > self.exposed_at and any(instant in window for window in self.windows)

    def _needs_confirmation(self, record: EpisodeContent, reached_at: datetime) -> bool:
        """Return True when a protocol steroid explains the event and no clinician confirmed it."""
        slug = record.criterion.rpartition(".")[2]
        return (
            record.state is not EpisodeState.CONFIRMED
            and slug in self.laboratory.only_confirmed_after_steroid
            and any(
                dose_at <= reached_at <= dose_at + self.laboratory.steroid_within
                for dose_at in self.inputs.steroids
            )
        )

    def _find_due_instant(
        self,
        record: EpisodeContent,
        reached_at: datetime,
        left_at: datetime | None,
        end: SpanEnd,
    ) -> datetime | None:
        """Return the instant from which an uncontradicted event counts; None: at once.

        Source: docs/decisions/episodes.md, "Laboratory-only events"
        """
        if record.state is EpisodeState.CONFIRMED or not self.inputs.is_laboratory(
            record.criterion
        ):
            return None
        life_threatening = [c.at for c in record.history if end(c.span) >= Grade.LIFE_THREATENING]
        if any(
            reached_at <= instant and (left_at is None or instant < left_at)
            for instant in life_threatening
        ):
            return None
        return reached_at + self.laboratory.grade3_after


def _counts_by_window(record: EpisodeContent, pattern: EventPattern, end: SpanEnd) -> bool:
    """Return False when the protocol does not count *record*, as no cause of it acted.

    Where it does not say, a person's confirmation counts the record; until then the upper end does.
    """
    if not pattern.scale or not record.outside_inducer_window:
        return True
    counts = pattern.counts_outside_inducer_window
    if counts is None:
        return record.state is EpisodeState.CONFIRMED or end is _upper_end
    return counts or record.worst.at_least is Grade.DEATH


def _onset(record: EpisodeContent) -> datetime:
    return record.onset_at


def _find_rises(
    record: EpisodeContent, grade: Grade, end: SpanEnd, exposed_at: datetime
) -> Iterator[tuple[datetime, datetime | None]]:
    """Yield the instants at which the record reaches *grade* after exposure, and leaves it.

    A record that is already there at exposure reaches it only by rising further, or by falling
    below and coming back.
    """
    floor = Grade(grade - 1)
    reached_at: datetime | None = None
    for change in record.history:
        current = end(change.span)
        if change.at <= exposed_at:
            floor = max(Grade(grade - 1), current)
            continue
        if reached_at is None and current > floor:
            reached_at = change.at
        elif current < grade:
            floor = Grade(grade - 1)
            if reached_at is not None:
                yield reached_at, change.at
                reached_at = None
    if reached_at is not None:
        yield reached_at, record.resolved_at
