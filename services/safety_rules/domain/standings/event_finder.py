"""The events of a participant that count for a stopping rule, each from an instant on."""

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from services.safety_rules.domain.facts.anchors import WindowPeriod
from services.safety_rules.domain.standings.standing_inputs import StandingInputs
from services.vocabulary.episode import EpisodeContent, EpisodeState, Span
from services.vocabulary.grade import Grade
from services.vocabulary.protocol import LaboratoryCounting, Rule
from services.vocabulary.protocol_event import EventPattern
from services.vocabulary.standing import CountedEvent

SpanEnd = Callable[[Span], Grade]
# An event, and the instant from which it counts; None: it counts already.
DatedEvent = tuple[CountedEvent, datetime | None]


def take_lower_end(span: Span) -> Grade:
    """Return the least that the grade of *span* may be."""
    return span.at_least


def take_upper_end(span: Span) -> Grade:
    """Return the most that the grade of *span* may be."""
    return span.at_most


@dataclass(frozen=True, slots=True)
class EventFinder:
    """The events of one participant that count for one rule."""

    rule: Rule
    laboratory: LaboratoryCounting
    inputs: StandingInputs
    exposed_at: datetime
    windows: Sequence[WindowPeriod]
    ends_at: datetime

    def find_events(self, end: SpanEnd) -> Iterator[DatedEvent]:
        """Yield every event when grades are taken at that *end* of their spans."""
        for pattern in self.rule.any_of:
            if pattern.fact:
                yield from self._find_fact_event(pattern)
                continue
            for record in self._find_records(pattern):
                if not _counts_by_window(record, pattern, end):
                    continue
                yield from self._find_record_events(record, Grade(pattern.grade_at_least), end)

    def _find_fact_event(self, pattern: EventPattern) -> Iterator[DatedEvent]:
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
    ) -> Iterator[DatedEvent]:
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
        return record.state is EpisodeState.CONFIRMED or end is take_upper_end
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
