"""One family, folded as far as its journal goes, and not yet recorded."""

from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from services.runtime.canonical_json import digest_canonical
from services.safety_rules.application.cache import Cache, CachedHistory
from services.safety_rules.application.stored_family import StoredFamily
from services.safety_rules.domain.ctcae.rule_book import Rules
from services.safety_rules.domain.facts.anchors import Anchors
from services.safety_rules.domain.participant.linked_participants import LinkedParticipants
from services.safety_rules.domain.participant.received_message import (
    ReceivedMessage,
    group_by_message,
)
from services.safety_rules.domain.participant.record_history import RecordHistory, StandingChange
from services.store import timers
from services.store.session import Connection
from services.store.states import StateRow
from services.vocabulary.episode import Episode
from services.vocabulary.fact import JournalEntry
from services.vocabulary.fact_place import ChangedPlaces
from services.vocabulary.recommendation import AdvicePeriod


class FoldStoppedError(Exception):
    """The process is asked to end: the step is given up, and nothing of it is written."""


@dataclass(frozen=True, slots=True)
class FoldRequest:
    """The inputs of a step.

    Args:
        timers_until: Timers due by then are applied.
        held_entries: Facts of the journal that the caller holds already, by subject, in order; the
            others are read.
        is_stopped: Asked before each message; True gives up the step.
    """

    timers_until: datetime
    held_entries: Mapping[str, Sequence[JournalEntry]] = field(default_factory=dict)
    is_stopped: Callable[[], bool] = lambda: False

    def iterate_until_stopped(
        self, messages: Iterable[ReceivedMessage]
    ) -> Iterator[ReceivedMessage]:
        """Yield *messages*.

        Raises:
            FoldStoppedError: The process is asked to end.
        """
        for message in messages:
            if self.is_stopped():
                raise FoldStoppedError
            yield message


@dataclass(frozen=True, slots=True)
class FoldStep:
    """The changes of one family, to be recorded.

    *folded_through* is the last fact of each member when timers were applied (none: they were not).
    """

    states_before: tuple[StateRow, ...]
    states_after: tuple[StateRow, ...]
    cached_history: CachedHistory
    facts: int
    episodes: tuple[Episode, ...]
    standing_changes: tuple[StandingChange, ...]
    known_at: datetime | None
    timers_until: datetime
    folded_through: Mapping[str, int]
    advice: Mapping[str, AdvicePeriod]
    places: ChangedPlaces
    milestones: Mapping[str, tuple[str, Anchors]]  # survivor and anchors, where they changed

    @property
    def as_of(self) -> datetime:
        """The instant of its recommendations: the last known, or that of the timers."""
        return max(self.timers_until, self.known_at or self.timers_until)


def fold_step(
    conn: Connection, rules: Rules, cache: Cache, family: StoredFamily, request: FoldRequest
) -> FoldStep:
    """Fold the new facts of a family; its history is back in the cache once they are recorded.

    Raises:
        FoldStoppedError: The process is asked to end.
    """
    states = family.states
    cached_history = family.cached_history or rebuild_history(rules, family, request)
    cache.drop(tuple(state.subject for state in states))
    messages = tuple(group_by_message(family.new_entries))
    if _is_of_other_rules(states, rules):
        cached_history.history.apply_new_rules(
            _find_rules_start(conn, states, messages, request.timers_until)
        )
    return _fold_messages(rules, states, cached_history, messages, request)


def _is_of_other_rules(states: Iterable[StateRow], rules: Rules) -> bool:
    return any(state.is_of_other_rules(rules.version) for state in states)


def _find_rules_start(
    conn: Connection,
    states: Iterable[StateRow],
    messages: Sequence[ReceivedMessage],
    timers_until: datetime,
) -> datetime:
    """Return the instant from which the standings of a family are those of the running rules.

    That is when the refold was requested, of all at once; else that of the first new message.
    """
    family_timers = [timers.load_timers(conn, state.subject) for state in states]
    refold_instants = [mine[timers.REFOLD] for mine in family_timers if timers.REFOLD in mine]
    default = messages[0].received_at if messages else timers_until
    return min(refold_instants, default=default)


def _fold_messages(
    rules: Rules,
    states: tuple[StateRow, ...],
    cached_history: CachedHistory,
    messages: tuple[ReceivedMessage, ...],
    request: FoldRequest,
) -> FoldStep:
    history, timers_until = cached_history.history, request.timers_until
    for message in request.iterate_until_stopped(messages):
        history.receive(message)
    is_due = _is_of_other_rules(states, rules) or any(
        at <= timers_until for at in history.due_instants.values()
    )
    history.pass_time(timers_until)
    episodes, standing_changes = history.take_changes()
    changed_participants = {episode.content.participant for episode in episodes}
    folded_through = {state.subject: state.folded_through for state in states}
    folded_through |= {message.subject: message.seq for message in messages}
    states_after = tuple(
        replace(
            state,
            folded_through=folded_through[state.subject],
            version=state.version + 1,
            rules_version=rules.version,
            digest=_compute_digest(history, state, changed_participants),
        )
        for state in states
    )
    facts = sum(len(message.facts) for message in messages)
    known_at = messages[-1].received_at if messages else None
    return FoldStep(
        states_before=states,
        states_after=states_after,
        cached_history=CachedHistory(history, states_after, cached_history.facts + facts),
        facts=facts,
        episodes=tuple(episodes),
        standing_changes=tuple(standing_changes),
        known_at=known_at,
        timers_until=timers_until,
        folded_through=folded_through if is_due else {},
        advice=history.take_changed_advice(max(timers_until, known_at or timers_until)),
        places=history.take_changed_places(),
        milestones=history.take_changed_milestones(),
    )


def _compute_digest(
    history: RecordHistory, state: StateRow, changed_participants: Container[str]
) -> str:
    """Return the digest of the records: the previous one when none of them has changed."""
    if state.digest and state.subject not in changed_participants:
        return state.digest
    return digest_canonical(
        [(e.id, e.version, e.retracted) for e in history.list_latest_versions(state.subject)]
    )


def rebuild_history(rules: Rules, family: StoredFamily, request: FoldRequest) -> CachedHistory:
    """Return the history of a family, resumed where its stored versions end.

    Raises:
        FoldStoppedError: The process is asked to end.
    """
    members = [state.subject for state in family.states]
    messages = group_by_message(family.folded_entries)
    history = RecordHistory(LinkedParticipants(members, rules), rules)
    history.resume(request.iterate_until_stopped(messages), family.episodes, family.standings)
    return CachedHistory(history, family.states, len(family.folded_entries))
