"""The use cases of the rules: fold what is new, decide what it means; one transaction each."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType

from services.runtime import wire
from services.runtime.failpoints import reached
from services.safety_rules.cache import Cache, Remembered
from services.safety_rules.domain import raising, raising_advice
from services.safety_rules.domain.chronicle import Chronicle, Heard, Stood, heard
from services.safety_rules.domain.families import Family, families
from services.safety_rules.domain.rules import Rules
from services.store import alerts, journal, records, timers
from services.store.records import StandingRow, StateRow
from services.store.session import Connection, Database, DatabaseError
from services.vocabulary.advice import Advice
from services.vocabulary.alert import Alert, Closed
from services.vocabulary.episode import Episode

STANDING = "standing"  # purpose of the timer after which a standing is looked at again
ADVICE = "advice"  # the same, of what is recommended


@dataclass(frozen=True, slots=True)
class Folded:
    """What one step did: counts, for logs and metrics."""

    facts: int
    episodes: tuple[Episode, ...]
    alerts: tuple[Alert, ...]
    quarantined: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Step:
    """One family, folded and not yet recorded."""

    before: tuple[StateRow, ...]
    after: tuple[StateRow, ...]
    remembered: Remembered
    facts: int
    episodes: tuple[Episode, ...]
    stood: tuple[Stood, ...]
    known_at: datetime | None
    at: datetime
    advice: Mapping[str, tuple[Advice, ...]]


def fold(
    db: Database, rules: Rules, cache: Cache, subjects: Sequence[str], until: datetime
) -> Folded:
    """Record what the facts of *subjects* that are not folded yet say, and what time has done.

    Facts of one message make one version at most of each record. A participant whose facts cannot
    be folded is quarantined; the others are recorded.

    Args:
        db: Migrated.
        rules: The running rules.
        cache: Of this worker.
        subjects: Pseudonyms, in any order.
        until: Timers due by then are applied.
    """
    study = rules.protocol.study
    people = set(subjects) - {study}
    if study in subjects:
        _pass_over(db, study, rules)
    steps: list[_Step] = []
    failed: list[tuple[tuple[StateRow, ...], Exception]] = []
    with db.read() as conn:
        merges = [known.fact for known in journal.facts_of_kind(conn, "merge")]
        for group in families(people, merges):
            if people.intersection(group):
                states = tuple(records.load_state(conn, member) for member in group)
                try:
                    steps.append(_step(conn, rules, cache, states, until))
                except DatabaseError:
                    raise
                except Exception as error:  # noqa: BLE001 - one poisonous fact may not stop others
                    failed.append((states, error))
    folded = _record(db, rules, cache, steps)
    for states, problem in failed:
        with db.write() as conn:
            _quarantine(conn, rules, states, problem, until)
    names = tuple(state.subject for states, _ in failed for state in states)
    return replace(folded, quarantined=names)


def release(db: Database, subjects: Sequence[str] = ()) -> list[str]:
    """Let quarantined participants be folded again, *subjects* or all; return who they are."""
    with db.write() as conn:
        states = [
            state
            for state in records.quarantined(conn)
            if not subjects or state.subject in subjects
        ]
        for state in states:
            records.release(conn, state)
            write_alerts(conn, [raising.alert_of_quarantine(state.subject)], [])
    return [state.subject for state in states]


def _step(
    conn: Connection, rules: Rules, cache: Cache, states: tuple[StateRow, ...], until: datetime
) -> _Step:
    """Fold what a family has not folded yet; what is remembered comes back when that is on disk."""
    remembered = cache.get(states) or _rebuilt(conn, rules, states)
    cache.drop(tuple(state.subject for state in states))
    new = [
        known
        for state in states
        for known in journal.facts_between(conn, state.subject, state.folded_through)
    ]
    return _folded(rules, states, remembered, tuple(heard(new)), until)


def _folded(
    rules: Rules,
    states: tuple[StateRow, ...],
    remembered: Remembered,
    new: tuple[Heard, ...],
    until: datetime,
) -> _Step:
    chronicle = remembered.chronicle
    if any(state.rules_version not in ("", rules.version) for state in states):
        chronicle.recount()
    for message in new:
        chronicle.hear(message)
    chronicle.pass_time(until)
    episodes, stood = chronicle.take()
    through = {message.subject: message.seq for message in new}
    after = tuple(
        replace(
            state,
            folded_through=through.get(state.subject, state.folded_through),
            version=state.version + 1,
            rules_version=rules.version,
            digest=wire.digest(
                [(e.id, e.version, e.retracted) for e in chronicle.latest(state.subject)]
            ),
        )
        for state in states
    )
    facts = sum(len(message.facts) for message in new)
    known_at = new[-1].received_at if new else None
    at = max(until, known_at or until)
    return _Step(
        states,
        after,
        Remembered(chronicle, after, remembered.facts + facts),
        facts,
        tuple(episodes),
        tuple(stood),
        known_at,
        at,
        chronicle.take_advice(at),
    )


def _rebuilt(conn: Connection, rules: Rules, states: Iterable[StateRow]) -> Remembered:
    """Take up a family where its stored versions end."""
    states = tuple(states)
    members = [state.subject for state in states]
    past = heard(
        known
        for state in states
        for known in journal.facts_between(conn, state.subject, 0, state.folded_through)
    )
    chronicle = Chronicle(Family(members, rules), rules)
    chronicle.resume(
        past,
        [e for member in members for e in records.latest_episodes(conn, member)],
        [row.standing for m in members for row in records.standings_of(conn, m)],
    )
    return Remembered(chronicle, states, sum(len(message.facts) for message in past))


def _record(db: Database, rules: Rules, cache: Cache, steps: Sequence[_Step]) -> Folded:
    """Write the effects of *steps* in one transaction; those that somebody else did are undone."""
    if not steps:
        return Folded(0, (), ())
    raised: list[Alert] = []
    with db.write() as conn:
        for step in steps:
            if not _write(conn, rules, step, raised):
                conn.rollback()
                return Folded(0, (), ())
        reached("fold.before_commit")
    reached("fold.after_commit")
    for step in steps:
        cache.put(step.remembered)
    return Folded(
        sum(step.facts for step in steps),
        tuple(episode for step in steps for episode in step.episodes),
        tuple(raised),
    )


def _write(conn: Connection, rules: Rules, step: _Step, raised: list[Alert]) -> bool:
    for before, after in zip(step.before, step.after, strict=True):
        if not records.advance(conn, before, after):
            return False
        timers.set_timers(conn, after.subject, _due(step, after.subject))
    for subject in sorted({episode.content.participant for episode in step.episodes}):
        mine = [e for e in step.episodes if e.content.participant == subject]
        records.append_episodes(conn, subject, mine)
    records.append_standings(conn, [StandingRow(s.standing, s.known_at, s.seq) for s in step.stood])
    raised += _raise(conn, rules, step)
    return True


def _due(step: _Step, subject: str) -> dict[str, datetime]:
    chronicle = step.remembered.chronicle
    due = {STANDING: chronicle.due.get(subject), ADVICE: chronicle.advice(subject, step.at)[1]}
    return {purpose: at for purpose, at in due.items() if at is not None}


def _raise(conn: Connection, rules: Rules, step: _Step) -> list[Alert]:
    """Write the alert rows that the new versions of records call for."""
    asked: dict[str, Alert | None] = {}
    for episode in step.episodes:
        alert = raising.of_episode(episode, rules.protocol, wire.canonical)
        before = asked.get(episode.id)
        if alert is not None and before is not None:
            alert = replace(alert, opened_at=before.opened_at)
        asked[episode.id] = alert
    wanted = [alert for alert in asked.values() if alert is not None]
    about = [raising.alert_of_episode(episode_id) for episode_id in asked]
    if step.known_at is not None:
        for state in step.after:
            known = step.remembered.chronicle.anchors(state.subject)
            death = raising.of_death(
                state.subject, known, step.known_at, rules.protocol, wire.canonical
            )
            about.append(raising.alert_of_death(state.subject))
            wanted += [death] if death else []
    for subject, found in step.advice.items():
        said = [
            (alert, wire.read_advice(alert.detail))
            for alert in alerts.load_alerts(conn, participant=subject)
            if alert.kind in raising_advice.KINDS.values()
        ]
        about += [alert.id for alert, _ in said]
        wanted += raising_advice.of_advice(
            found, said, step.known_at or step.at, rules.protocol, wire.canonical
        )
    return write_alerts(conn, about, wanted)


def write_alerts(
    conn: Connection,
    about: Sequence[str],
    wanted: Sequence[Alert],
    closed: Mapping[str, Closed] = MappingProxyType({}),
) -> list[Alert]:
    """Let the alerts of the ids *about* be *wanted* or *closed*; return the rows that are new."""
    known = {alert.id: alert for alert in alerts.load_alerts(conn, ids=about)}
    rows = raising.changed(known, wanted, closed)
    alerts.upsert_alerts(conn, rows)
    return rows


def _pass_over(db: Database, study: str, rules: Rules) -> None:
    """Let the facts about the study itself be handled: the study step reads them itself."""
    with db.write() as conn:
        state = records.load_state(conn, study)
        through = max((k.seq for k in journal.facts_between(conn, study, 0)), default=0)
        new = replace(state, folded_through=through, rules_version=rules.version)
        records.advance(conn, state, new)


def _quarantine(
    conn: Connection,
    rules: Rules,
    states: Sequence[StateRow],
    error: Exception,
    at: datetime,
) -> None:
    """Set a family aside, and say so to operations; its records are not up to date."""
    for state in states:
        records.quarantine(conn, state, state.folded_through + 1, type(error).__name__)
        alert = raising.of_quarantine(state.subject, at, rules.protocol, type(error).__name__)
        write_alerts(conn, [alert.id], [alert])
