"""One family, folded as far as its journal goes, and not yet recorded."""

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from services.runtime import wire
from services.safety_rules.application.cache import Cache, Remembered
from services.safety_rules.domain.ctcae.rule_book import Rules
from services.safety_rules.domain.participant.linked_participants import LinkedParticipants
from services.safety_rules.domain.participant.record_history import (
    ReceivedMessage,
    RecordHistory,
    StandingChange,
    group_by_message,
)
from services.store import journal, records, timers
from services.store.session import Connection
from services.store.states import StateRow
from services.vocabulary.episode import Episode
from services.vocabulary.fact import JournalEntry
from services.vocabulary.recommendation import Advice


@dataclass(frozen=True, slots=True)
class Given:
    """What a step is given.

    Args:
        until: Timers due by then are applied.
        carried: Facts of the journal that the caller holds already, by subject, in order; what it
            does not hold is read.
    """

    until: datetime
    carried: Mapping[str, Sequence[JournalEntry]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Step:
    """What is to be recorded of one family.

    *through* is how far each member was heard when time was told to them (none: it was not).
    """

    before: tuple[StateRow, ...]
    after: tuple[StateRow, ...]
    remembered: Remembered
    facts: int
    episodes: tuple[Episode, ...]
    stood: tuple[StandingChange, ...]
    known_at: datetime | None
    until: datetime
    through: Mapping[str, int]
    advice: Mapping[str, tuple[Advice, ...]]

    @property
    def at(self) -> datetime:
        """The last instant that was looked at."""
        return max(self.until, self.known_at or self.until)


def step(
    conn: Connection, rules: Rules, cache: Cache, states: tuple[StateRow, ...], given: Given
) -> Step:
    """Fold what a family has not folded yet; what is remembered comes back when that is on disk."""
    remembered = cache.get(states) or _rebuilt(conn, rules, states)
    cache.drop(tuple(state.subject for state in states))
    known = [k for state in states for k in _new(conn, state, given, alone=len(states) == 1)]
    new = tuple(group_by_message(known))
    if _is_of_others(states, rules):
        remembered.chronicle.apply_new_rules(_since(conn, states, new, given.until))
    return _folded(rules, states, remembered, new, given.until)


def _is_of_others(states: Iterable[StateRow], rules: Rules) -> bool:
    return any(state.is_of_other_rules(rules.version) for state in states)


def _since(
    conn: Connection, states: Iterable[StateRow], new: Sequence[ReceivedMessage], until: datetime
) -> datetime:
    """Return since when a family stands as the rules have it that run now.

    That is since it was asked for, of all at once; else since what is told now.
    """
    kept = [timers.load_timers(conn, state.subject) for state in states]
    asked = [mine[timers.REFOLD] for mine in kept if timers.REFOLD in mine]
    told = new[0].received_at if new else until
    return min(asked, default=told)


def _new(conn: Connection, state: StateRow, given: Given, *, alone: bool) -> Sequence[JournalEntry]:
    """Return what *state* has not folded yet; what is carried suffices when it has no gap.

    Of a family of several the journal is read: what one member heard may come before what another
    did.
    """
    carried = [k for k in given.carried.get(state.subject, ()) if k.seq > state.folded_through]
    is_whole = [k.seq for k in carried] == list(
        range(state.folded_through + 1, state.folded_through + 1 + len(carried))
    )
    if alone and carried and is_whole:
        return carried
    return journal.load_facts_between(conn, state.subject, state.folded_through)


def _folded(
    rules: Rules,
    states: tuple[StateRow, ...],
    remembered: Remembered,
    new: tuple[ReceivedMessage, ...],
    until: datetime,
) -> Step:
    chronicle = remembered.chronicle
    for message in new:
        chronicle.receive(message)
    is_due = _is_of_others(states, rules) or any(
        at <= until for at in chronicle.due_instants.values()
    )
    chronicle.pass_time(until)
    episodes, stood = chronicle.take_changes()
    changed = {episode.content.participant for episode in episodes}
    through = {state.subject: state.folded_through for state in states}
    through |= {message.subject: message.seq for message in new}
    after = tuple(
        replace(
            state,
            folded_through=through[state.subject],
            version=state.version + 1,
            rules_version=rules.version,
            digest=_digest(chronicle, state, changed),
        )
        for state in states
    )
    facts = sum(len(message.facts) for message in new)
    known_at = new[-1].received_at if new else None
    return Step(
        before=states,
        after=after,
        remembered=Remembered(chronicle, after, remembered.facts + facts),
        facts=facts,
        episodes=tuple(episodes),
        stood=tuple(stood),
        known_at=known_at,
        until=until,
        through=through if is_due else {},
        advice=chronicle.take_changed_advice(max(until, known_at or until)),
    )


def _digest(chronicle: RecordHistory, state: StateRow, changed: Container[str]) -> str:
    """Return the digest of the records, which is the one before when none of them has changed."""
    if state.digest and state.subject not in changed:
        return state.digest
    return wire.digest_canonical(
        [(e.id, e.version, e.retracted) for e in chronicle.list_latest_versions(state.subject)]
    )


def _rebuilt(conn: Connection, rules: Rules, states: Iterable[StateRow]) -> Remembered:
    """Take up a family where its stored versions end."""
    states = tuple(states)
    members = [state.subject for state in states]
    past = group_by_message(
        known
        for state in states
        for known in journal.load_facts_between(conn, state.subject, 0, state.folded_through)
    )
    chronicle = RecordHistory(LinkedParticipants(members, rules), rules)
    chronicle.resume(
        past,
        [e for member in members for e in records.load_latest_episodes(conn, member)],
        [row.standing for m in members for row in records.load_standings(conn, m)],
    )
    return Remembered(chronicle, states, sum(len(message.facts) for message in past))
