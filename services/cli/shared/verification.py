"""The findings of `aegis verify` and `aegis replay`, while others write.

What one row or one participant says is looked at in one state of the database. What follows from
it a moment later, as a decision from standings, is given that moment.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from services.acts.intake import make_intake
from services.acts.study_context import StudyContext
from services.ingest.lost_messages import is_lost
from services.runtime.clock import now_utc
from services.safety_rules.application.decide_study import (
    extract_news_fields,
    find_outdated_decisions,
    list_rules_of_other_protocol,
)
from services.safety_rules.reports import verify
from services.store import integrity, journal, leases, messages, parking, records, states
from services.store.audit_anchor import Anchor, UnsealedTail, find_anchor_fault, find_unsealed_tail
from services.store.session import Connection, Database
from services.store.snapshots import ReadSnapshot

PATIENCE_S = 30.0  # a decision follows its standings within this where a service runs
_AT_MOST_S = 4 * PATIENCE_S
_LOOKED_BACK = timedelta(hours=25)  # a running service does so every day
_FIRST = datetime.min.replace(tzinfo=UTC)
_SEALED_WITHIN, _SEALER_PATIENCE_S = timedelta(minutes=1), 10.0
_SERVED_BY = ("rules", "waker")  # leases


def find_stored_faults(context: StudyContext, look: ReadSnapshot) -> Iterator[str]:
    """Yield the faults of rows, messages, records and standings, part by part."""
    for fault in integrity.find_faults(look, context.keys):
        yield f"{fault.place} {fault.key}: {fault.problem}"
    for damaged_id in messages.find_damaged_messages(look, context.keys):
        yield f"raw_message {damaged_id}: its content is not what was received"
    intake = make_intake(context)
    for silent_id in messages.find_messages_without_effect(look):
        if is_lost(intake, look(), silent_id):
            yield f"raw_message {silent_id}: it was accepted, and nothing of it is a fact or parked"
    for mismatch in verify.check_participants(look, context.study.rules, history=False):
        yield f"{mismatch.participant}: {mismatch.problem}"


def find_all_faults(context: StudyContext, conn: Connection) -> Iterator[str]:
    """Yield everything in one state of the database that Aegis did not write so, or is unfounded.

    `aegis verify` does the same of a database that others write to.
    """
    yield from find_stored_faults(context, lambda: conn)
    rules = context.study.rules
    for mismatch in (
        *verify.check_decisions(conn, rules),
        *verify.find_untold_crossings(conn, rules),
    ):
        yield f"{mismatch.participant}: {mismatch.problem}"


def find_seal_faults(context: StudyContext, anchor: Anchor | None) -> Iterator[str]:
    """Yield audit rows that wait for a seal although a service seals, and what *anchor* tells.

    A service that has just begun is given the time to seal what others left.
    """
    deadline_s = time.monotonic() + _SEALER_PATIENCE_S
    while (tail := _find_late_tail(context)) is not None and time.monotonic() < deadline_s:
        time.sleep(1.0)
    if tail is not None:
        yield (
            f"audit: {tail.count} rows since {tail.since:%Y-%m-%d %H:%M:%S} UTC are not sealed,"
            " although a service runs that seals"
        )
    if anchor is not None:
        with context.db.read() as conn:
            problem = find_anchor_fault(conn, anchor)
        if problem is not None:
            yield f"audit_seal: {problem}"


def _find_late_tail(context: StudyContext) -> UnsealedTail | None:
    """Return the audit rows that a running service should have sealed by now; None: none."""
    with context.db.read() as conn:
        tail = find_unsealed_tail(conn)
        is_late = tail.since is not None and now_utc() - tail.since > _SEALED_WITHIN
        return tail if is_late and leases.is_held(conn, ("sealer",), now_utc()) else None


@dataclass(frozen=True, slots=True)
class StoredCounts:
    """The size of a database."""

    messages: int
    facts: int
    parked: int
    versions: int

    def __str__(self) -> str:
        """One line."""
        return (
            f"{self.messages} messages, {self.facts} facts, {self.parked} parked,"
            f" {self.versions} versions of records"
        )


def count_stored(conn: Connection) -> StoredCounts:
    """Return the size of the database of *conn*."""
    return StoredCounts(
        messages.count_messages(conn),
        journal.count_facts(conn),
        sum(parking.count_parked(conn).values()),
        records.count_versions(conn),
    )


def describe_other_rules(context: StudyContext, conn: Connection) -> str:
    """Return a line about each part that is not proven here, because other rules wrote it."""
    rules = context.study.rules
    participant_count = states.count_states_of_other_rules(conn, rules.version, context.study_id)
    refold_line = (
        f"{participant_count} participants were graded by other rules: see `aegis refold`\n"
    )
    rule_count = len(list_rules_of_other_protocol(conn, rules))
    decision_line = (
        f"{rule_count} rules last spoke under another protocol: `aegis run` lets them speak\n"
    )
    return (refold_line if participant_count else "") + (decision_line if rule_count else "")


def find_decision_faults(context: StudyContext) -> Iterator[str]:
    """Yield rules whose decision is not what they say, or that were never told of.

    Where a service runs it is given the time that it needs for both.
    """
    with context.db.read() as conn:
        is_served = leases.is_held(conn, _SERVED_BY, now_utc())
    for rule in _StuckRules(context.db, context, PATIENCE_S if is_served else 0.0).find():
        yield f"{rule}: the last decision is not what the standings say"
    horizon = None
    if is_served:  # messages may tell another time than that by which it looks back
        by_message = context.settings.clock == "message"
        horizon = _FIRST if by_message else now_utc() - _LOOKED_BACK
    with context.db.read() as conn:
        for mismatch in verify.find_untold_crossings(conn, context.study.rules, horizon):
            yield f"{mismatch.participant}: {mismatch.problem}"


@dataclass(frozen=True, slots=True)
class _StuckRules:
    """Rules whose stored decision stays outdated while their answer stays the same."""

    db: Database
    context: StudyContext
    patience_s: float

    def find(self) -> list[str]:
        """Return their ids; none when facts wait, or when their answers go on changing."""
        began_s = time.monotonic()
        last_changes: dict[str, tuple[object, float]] = {}  # answer, and the time of its change
        while True:
            now_s = time.monotonic()
            answers = self._unrecorded_answers()
            last_changes = {
                rule: last_changes[rule]
                if rule in last_changes and last_changes[rule][0] == answer
                else (answer, now_s)
                for rule, answer in answers.items()
            }
            stuck_rules = [
                rule
                for rule, (_, changed_s) in last_changes.items()
                if now_s - changed_s >= self.patience_s
            ]
            if stuck_rules or not answers or now_s - began_s > _AT_MOST_S:
                return stuck_rules
            time.sleep(min(1.0, self.patience_s))

    def _unrecorded_answers(self) -> dict[str, object]:
        with self.db.read() as conn:
            if journal.count_unhandled(conn):
                return {}
            return {
                one.rule: extract_news_fields(one)
                for one in find_outdated_decisions(conn, self.context.study.rules)
            }
