"""The use cases of the rules: fold what is new, decide what it means; one transaction each."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from services.safety_rules.application.cache import Cache
from services.safety_rules.application.fold_step import Given, Step, step
from services.safety_rules.application.record_step import OvertakenError, record, write_alerts
from services.safety_rules.domain.alerting import alerts_of_records
from services.safety_rules.domain.ctcae.rule_book import Rules
from services.store import journal, outbox, states
from services.store.participant_order import find_families
from services.store.session import Database, DatabaseError, is_transient
from services.store.states import StateRow
from services.vocabulary.alert import Alert
from services.vocabulary.episode import Episode

__all__ = ["Folded", "Given", "fold", "release"]


@dataclass(frozen=True, slots=True)
class Folded:
    """What one call did, for logs and metrics; *overtaken*: nothing of it was, begin again."""

    facts: int
    episodes: tuple[Episode, ...]
    alerts: tuple[Alert, ...]
    quarantined: tuple[str, ...] = ()
    overtaken: bool = False


@dataclass(frozen=True, slots=True)
class _Failed:
    """Members of a family that cannot be folded, and why, in a word."""

    states: tuple[StateRow, ...]
    why: str


def fold(db: Database, rules: Rules, cache: Cache, subjects: Sequence[str], given: Given) -> Folded:
    """Record what the facts of *subjects* that are not folded yet say, and what time has done.

    Facts of one message make one version at most of each record. A participant whose facts cannot
    be folded is quarantined; the others are recorded.

    Args:
        db: Migrated.
        rules: The running rules.
        cache: Of this worker.
        subjects: Pseudonyms, in any order.
        given: Until when time is told, and what the caller knows of the journal.
    """
    study = rules.protocol.study
    if study in subjects:
        _pass_over(db, study, rules)
    steps, failed = _steps(db, rules, cache, set(subjects) - {study}, given)
    try:
        raised = _record(db, rules, cache, steps, failed)
    except OvertakenError:
        return Folded(0, (), (), overtaken=True)
    for one in failed:
        _quarantine(db, rules, one, given.until)
    recorded = [one for one in steps if all(one.before is not f.states for f in failed)]
    return Folded(
        sum(one.facts for one in recorded),
        tuple(episode for one in recorded for episode in one.episodes),
        tuple(raised),
        tuple(state.subject for one in failed for state in one.states),
    )


def release(db: Database, subjects: Sequence[str] = ()) -> list[str]:
    """Let quarantined participants be folded again, all or *subjects*; return who they are.

    Who is merged with one of *subjects* is set aside, and let in again, with them.
    """
    with db.write() as conn:
        wanted = {member for family in find_families(conn, subjects) for member in family}
        aside = [
            one for one in states.load_quarantined(conn) if not subjects or one.subject in wanted
        ]
        released = [state.subject for state in aside if states.release_state(conn, state)]
        write_alerts(
            conn, [alerts_of_records.make_quarantine_alert_id(subject) for subject in released], []
        )
    return released


def _steps(
    db: Database, rules: Rules, cache: Cache, people: set[str], given: Given
) -> tuple[list[Step], list[_Failed]]:
    """Fold the family of everybody who is not set aside, from one state of the database.

    Who is merged with somebody who is set aside cannot be graded either: they have failed, too.
    """
    steps: list[Step] = []
    failed: list[_Failed] = []
    with db.read() as conn:
        groups = find_families(conn, people)
        known = states.load_states_of(conn, [member for group in groups for member in group])
        for group in groups:
            before = tuple(known[member] for member in group)
            aside = [state for state in before if state.quarantined_seq is not None]
            if aside:
                others = tuple(state for state in before if state not in aside)
                failed += [_Failed(others, aside[0].error)] if others else []
                continue
            try:
                steps.append(step(conn, rules, cache, before, given))
            except DatabaseError:
                raise
            except Exception as error:  # noqa: BLE001 - one poisonous fact may not stop others
                failed.append(_Failed(before, type(error).__name__))
    return steps, failed


def _record(
    db: Database, rules: Rules, cache: Cache, steps: Sequence[Step], failed: list[_Failed]
) -> list[Alert]:
    """Write *steps* at once; when the database refuses, one by one, so that one stops no other."""
    try:
        raised = list(record(db, rules, steps))
    except DatabaseError as error:
        if is_transient(error):
            raise
        if len(steps) > 1:
            return [a for one in steps for a in _record(db, rules, cache, [one], failed)]
        failed.append(_Failed(steps[0].before, type(error).__name__))
        return []
    for one in steps:
        cache.put(one.remembered)
    return raised


def _pass_over(db: Database, study: str, rules: Rules) -> None:
    """Let the facts about the study itself be handled: the study step reads them itself."""
    with db.write() as conn:
        state = states.load_state(conn, study)
        through = max((k.seq for k in journal.load_facts_between(conn, study, 0)), default=0)
        new = replace(state, folded_through=through, rules_version=rules.version)
        states.advance(conn, state, new)
        outbox.announce_standings(conn, study)


def _quarantine(db: Database, rules: Rules, failed: _Failed, at: datetime) -> None:
    """Set a family aside, and say so to operations; its records are not up to date.

    Nothing happens when somebody else has moved it on: then it may be sound.
    """
    with db.write() as conn:
        if not all(
            states.quarantine_state(conn, one, one.folded_through + 1, failed.why)
            for one in failed.states
        ):
            conn.rollback()
            return
        for state in failed.states:
            alert = alerts_of_records.make_quarantine_alert(
                state.subject, at, rules.protocol, failed.why
            )
            write_alerts(conn, [alert.id], [alert])
