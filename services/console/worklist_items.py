"""The worklist: open alerts and records that nobody has judged, the most pressing first."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache

from services.alerts.acknowledgement import describe_grade, find_short_name
from services.console.current_records import ParticipantRecords
from services.vocabulary.alert import Alert, AlertKind, Level
from services.vocabulary.decision import Decision
from services.vocabulary.episode import Change, Episode, EpisodeContent, EpisodeState
from services.vocabulary.recommendation import Advice

_LEVELS = {level: number for number, level in enumerate(Level)}
_KEPT_PARTICIPANTS = 10_000
_OF_RECORDS = (AlertKind.EPISODE, AlertKind.POSSIBLE)


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that waits for a person.

    Args:
        level: Its scope.
        grade: As it is shown: a grade, a span, or the number of events.
        severity: The number by which it is ordered, worst first.
        term: As published, or what the alert is about.
        address: Of its page.
        participant: Pseudonym; empty: it is about the study.
        site: Of the participant.
        transplant_day: Of the onset.
        treatment_day: Of the onset.
        because: The grounds, in a few words.
        standing: Suspected, provisional, ...
        due_at: When everybody who has to must have acknowledged it; None: nobody has to any more.
        known_at: When it became known.
        record: Id, if it is a record that can be confirmed; empty otherwise.
        owner: Id of the person who looks after it; empty: nobody yet.
    """

    level: Level
    grade: str
    severity: int
    term: str
    address: str
    participant: str
    site: str
    transplant_day: int | None
    treatment_day: int | None
    because: str
    standing: str
    due_at: datetime | None
    known_at: datetime
    record: str = ""
    owner: str = ""


def list_items(
    by_participant: Mapping[str, ParticipantRecords],
    alerts: Sequence[Alert],
    settled_alerts: frozenset[str],
    owners: Mapping[str, str],
    *,
    lists_records: bool = True,
) -> list[Item]:
    """Return the items that wait, the most pressing first.

    Args:
        by_participant: The records of everybody who is to be seen.
        alerts: Of the study.
        settled_alerts: Ids of alerts that wait for nobody: seen by all who have to, snoozed, or
            answered by the DSMB.
        owners: Ids of persons, by what they look after.
        lists_records: Records are for whoever looks, not alerts of them alone.
    """
    open_alerts = [alert for alert in alerts if alert.is_open]
    of_records = {alert.about: alert for alert in open_alerts if alert.kind in _OF_RECORDS}
    looked_after = of_records.keys() | owners.keys()
    items = [
        _complete_item(item, of_records.get(item.record), settled_alerts, owners)
        if item.record in looked_after
        else item
        for participant_records in by_participant.values()
        for item in _list_record_items(participant_records)
        if lists_records
    ]
    shown_records = {item.record for item in items}
    items += [
        _make_alert_item(alert, _find_site(alert, by_participant), settled_alerts, owners)
        for alert in open_alerts
        if alert.about not in shown_records
        and (not alert.participant or alert.participant in by_participant)
        and not (alert.kind in _OF_RECORDS and alert.id in settled_alerts)
    ]
    return sorted(items, key=_rank)


@lru_cache(maxsize=_KEPT_PARTICIPANTS)
def _list_record_items(participant_records: ParticipantRecords) -> tuple[Item, ...]:
    """Return the items of the records of one participant, as if there were no alert of them."""
    return tuple(
        _make_record_item(episode, participant_records.site)
        for episode in participant_records.episodes
        if is_waiting(episode)
    )


def _complete_item(
    item: Item, alert: Alert | None, settled_alerts: frozenset[str], owners: Mapping[str, str]
) -> Item:
    due_at = _find_due_time(alert, settled_alerts) if alert else None
    return replace(item, due_at=due_at, owner=owners.get(item.record, ""))


def is_waiting(episode: Episode) -> bool:
    """Return True if a person has to judge *episode*: it counts, and nobody has."""
    content = episode.content
    return (
        content.state is EpisodeState.SUSPECTED
        and not content.before_exposure
        and not episode.retracted
    )


def find_worst_change(content: EpisodeContent) -> Change:
    """Return the first change to the worst grade of a record."""
    return max(content.history, key=lambda one: (one.span.at_least, one.span.at_most))


def describe_standing(content: EpisodeContent) -> str:
    """Return the state of a record with what else weakens it."""
    notes = (
        (str(content.state), True),
        ("possible", content.possible),
        ("provisional", content.provisional),
        ("before exposure", content.before_exposure),
        ("outside inducer window", content.outside_inducer_window),
    )
    return ", ".join(words for words, holds in notes if holds)


def _rank(item: Item) -> tuple[object, ...]:
    return (
        _LEVELS[item.level],
        -item.severity,
        item.due_at is None,
        item.due_at or item.known_at,
        item.participant,
        item.term,
    )


def _make_record_item(episode: Episode, site: str) -> Item:
    content = episode.content
    return Item(
        level=Level.PARTICIPANT,
        grade=str(content.worst),
        severity=10 * int(content.worst.at_least) + int(content.worst.at_most),
        term=content.term,
        address=f"/records/{episode.id}",
        participant=content.participant,
        site=site,
        transplant_day=content.transplant_day,
        treatment_day=content.treatment_day,
        because=find_worst_change(content).because,
        standing=describe_standing(content),
        due_at=None,
        known_at=episode.recorded_at,
        record=episode.id,
    )


def _make_alert_item(
    alert: Alert, site: str, settled_alerts: frozenset[str], owners: Mapping[str, str]
) -> Item:
    detail = alert.detail
    return Item(
        level=alert.level,
        grade=str(alert.grade) if isinstance(detail, EpisodeContent | Decision) else "",
        severity=11 * alert.grade,
        term=_name_alert(alert),
        address=f"/alerts/by-id/{alert.id}",
        participant=alert.participant,
        site=site,
        transplant_day=getattr(detail, "transplant_day", None),
        treatment_day=getattr(detail, "treatment_day", None),
        because=" ".join(_list_grounds(alert)),
        standing=f"alert {find_short_name(alert)}",
        due_at=_find_due_time(alert, settled_alerts),
        known_at=alert.opened_at,
        owner=owners.get(alert.id, ""),
    )


def _find_due_time(alert: Alert, settled_alerts: frozenset[str]) -> datetime | None:
    return None if alert.id in settled_alerts else alert.due_at


def _name_alert(alert: Alert) -> str:
    kind = str(alert.kind).replace("_", " ")
    match alert.detail:
        case Decision(rule=rule, title=title):
            return f"{rule}: {title}"
        case EpisodeContent(term=term):
            return term
        case Advice():
            return f"{kind}: {describe_grade(alert)}"
    return kind


def _list_grounds(alert: Alert) -> Iterator[str]:
    match alert.detail:
        case Decision(signal=signal, events=events):
            yield f"{signal}; {events} events"
        case EpisodeContent() as content:
            yield find_worst_change(content).because
        case Advice(because=because):
            yield from because


def _find_site(alert: Alert, by_participant: Mapping[str, ParticipantRecords]) -> str:
    participant_records = by_participant.get(alert.participant)
    return participant_records.site if participant_records else ""


@dataclass(frozen=True, slots=True)
class ItemFilter:
    """The items that are asked for; what is empty asks for nothing in particular.

    Args:
        least_grade: Of items of participants.
        words: In the term, the participant or the grounds.
        site: Id.
        owner: Id of a person; ``-``: nobody's.
        known_after: Known then or later.
    """

    least_grade: int = 0
    words: str = ""
    site: str = ""
    owner: str = ""
    known_after: datetime | None = None

    def select(self, items: Iterable[Item]) -> list[Item]:
        """Return those of *items* that are asked for."""
        return [item for item in items if self._has(item)]

    def _has(self, item: Item) -> bool:
        text = f"{item.term} {item.participant} {item.because}".lower()
        return (
            (item.level is Level.STUDY or item.severity >= 10 * self.least_grade)
            and self.words.lower() in text
            and self.site in ("", item.site)
            and (not self.owner or item.owner == self.owner.strip("-"))
            and (self.known_after is None or item.known_at >= self.known_after)
        )
