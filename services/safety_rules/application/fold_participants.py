"""The use cases of the rules: fold what is new, decide what it means; one transaction each."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from services.safety_rules.application.cache import Cache
from services.safety_rules.application.fold_step import (
    FoldRequest,
    FoldStep,
    FoldStoppedError,
    fold_step,
)
from services.safety_rules.application.record_step import OvertakenError, record_steps, write_alerts
from services.safety_rules.application.stored_family import load_stored_families
from services.safety_rules.domain.alerting import alerts_of_records
from services.safety_rules.domain.ctcae.rule_book import Rules
from services.store import journal, outbox, states
from services.store.participant_order import find_families
from services.store.session import Connection, Database, DatabaseError, is_transient
from services.store.states import StateRow
from services.vocabulary.alert import Alert
from services.vocabulary.episode import Episode

__all__ = [
    "FoldRequest",
    "FoldResult",
    "FoldStoppedError",
    "fold",
    "release_quarantined",
    "release_quarantined_within",
]


@dataclass(frozen=True, slots=True)
class FoldResult:
    """The outcome of one call, for logs and metrics; *overtaken*: nothing is written, retry."""

    facts: int
    episodes: tuple[Episode, ...]
    alerts: tuple[Alert, ...]
    quarantined: tuple[str, ...] = ()
    overtaken: bool = False


@dataclass(frozen=True, slots=True)
class _FoldFailure:
    """Members of a family that cannot be folded, with the reason in a word."""

    states: tuple[StateRow, ...]
    reason: str


def fold(
    db: Database, rules: Rules, cache: Cache, subjects: Sequence[str], request: FoldRequest
) -> FoldResult:
    """Record the effects of the new facts of *subjects*, and of their timers.

    Facts of one message make one version at most of each record. A participant whose facts cannot
    be folded is quarantined; the others are recorded.

    Args:
        db: Migrated.
        rules: The running rules.
        cache: Of this worker.
        subjects: Pseudonyms, in any order.
        request: Until when timers are applied, and the entries that the caller holds.

    Raises:
        FoldStoppedError: The process is asked to end.
    """
    study = rules.protocol.study
    if study in subjects:
        _pass_over(db, study, rules)
    steps, failures = _fold_families(db, rules, cache, set(subjects) - {study}, request)
    try:
        raised_alerts = _record_steps(db, rules, cache, steps, failures)
    except OvertakenError:
        return FoldResult(0, (), (), overtaken=True)
    for failure in failures:
        _quarantine_family(db, rules, failure, request.timers_until)
    recorded_steps = [
        one for one in steps if all(one.states_before is not f.states for f in failures)
    ]
    return FoldResult(
        sum(one.facts for one in recorded_steps),
        tuple(episode for one in recorded_steps for episode in one.episodes),
        tuple(raised_alerts),
        tuple(state.subject for one in failures for state in one.states),
    )


def release_quarantined(db: Database, subjects: Sequence[str] = ()) -> list[str]:
    """Release quarantined participants in a transaction; see `release_quarantined_within`."""
    with db.write() as conn:
        return release_quarantined_within(conn, subjects)


def release_quarantined_within(conn: Connection, subjects: Sequence[str] = ()) -> list[str]:
    """Release quarantined participants, all or *subjects*; return their ids.

    Members of the families of *subjects* are quarantined, and released, with them.
    """
    members = {member for family in find_families(conn, subjects) for member in family}
    quarantined = [
        one for one in states.load_quarantined(conn) if not subjects or one.subject in members
    ]
    released_subjects = [
        state.subject for state in quarantined if states.release_state(conn, state)
    ]
    write_alerts(
        conn,
        [alerts_of_records.make_quarantine_alert_id(subject) for subject in released_subjects],
        [],
    )
    return released_subjects


def _fold_families(
    db: Database, rules: Rules, cache: Cache, people: set[str], request: FoldRequest
) -> tuple[list[FoldStep], list[_FoldFailure]]:
    """Fold every family without a quarantined member, from one state of the database.

    A member linked with a quarantined one cannot be graded either: it has failed, too.
    """
    steps: list[FoldStep] = []
    failures: list[_FoldFailure] = []
    with db.read() as conn:
        groups = find_families(conn, people)
        states_by_subject = states.load_states_of(
            conn, [member for group in groups for member in group]
        )
        families: list[tuple[StateRow, ...]] = []
        for group in groups:
            family_states = tuple(states_by_subject[member] for member in group)
            quarantined = [state for state in family_states if state.quarantined_seq is not None]
            if quarantined:
                companions = tuple(state for state in family_states if state not in quarantined)
                failures += [_FoldFailure(companions, quarantined[0].error)] if companions else []
            else:
                families.append(family_states)
        for family in load_stored_families(conn, cache, families, request.held_entries):
            if family.fault:
                failures.append(_FoldFailure(family.states, family.fault))
                continue
            try:
                steps.append(fold_step(conn, rules, cache, family, request))
            except (DatabaseError, FoldStoppedError):
                raise
            except Exception as error:  # noqa: BLE001 - one poisonous fact may not stop others
                failures.append(_FoldFailure(family.states, type(error).__name__))
    return steps, failures


def _record_steps(
    db: Database,
    rules: Rules,
    cache: Cache,
    steps: Sequence[FoldStep],
    failures: list[_FoldFailure],
) -> list[Alert]:
    """Write *steps* at once; when the database refuses, one by one, so that one stops no other."""
    try:
        raised_alerts = list(record_steps(db, rules, steps))
    except DatabaseError as error:
        if is_transient(error):
            raise
        if len(steps) > 1:
            return [a for one in steps for a in _record_steps(db, rules, cache, [one], failures)]
        failures.append(_FoldFailure(steps[0].states_before, type(error).__name__))
        return []
    for step in steps:
        cache.put(step.cached_history)
    return raised_alerts


def _pass_over(db: Database, study: str, rules: Rules) -> None:
    """Mark the facts about the study itself as folded: the study step reads them itself."""
    with db.write() as conn:
        state = states.load_state(conn, study)
        last_seq = max((k.seq for k in journal.load_facts_between(conn, study, 0)), default=0)
        successor = replace(state, folded_through=last_seq, rules_version=rules.version)
        states.advance(conn, state, successor)
        outbox.announce_standings(conn, study)


def _quarantine_family(
    db: Database, rules: Rules, failure: _FoldFailure, raised_at: datetime
) -> None:
    """Quarantine a family and raise the alert; its records are not up to date.

    Nothing happens when another worker has advanced it: then it may be sound.
    """
    with db.write() as conn:
        if not all(
            states.quarantine_state(conn, one, one.folded_through + 1, failure.reason)
            for one in failure.states
        ):
            conn.rollback()
            return
        for state in failure.states:
            alert = alerts_of_records.make_quarantine_alert(
                state.subject, raised_at, rules.protocol, failure.reason
            )
            write_alerts(conn, [alert.id], [alert])
