"""What `aegis verify` and `aegis replay` look for, while others write.

What one row or one participant says is looked at in one state of the database. What follows from
it a moment later, as a decision from standings, is given that moment.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from services.cli.shared.enter_facts import intake_of
from services.cli.shared.open_study import StudyContext
from services.ingest.lost_messages import is_lost
from services.runtime.clock import now_utc
from services.safety_rules.application.decide_study import (
    extract_news_fields,
    find_outdated_decisions,
    list_rules_of_other_protocol,
)
from services.safety_rules.inquiries import verify as journal_proof
from services.store import integrity, journal, leases, messages, parking, records, states
from services.store.session import Connection, Database
from services.store.snapshots import Look

PATIENCE_S = 30.0  # a decision follows its standings within this where a service runs
_AT_MOST_S = 4 * PATIENCE_S
_LOOKED_BACK = timedelta(hours=25)  # a running service does so every day
_FIRST = datetime.min.replace(tzinfo=UTC)
_SERVED_BY = ("rules", "waker")  # leases


def stored_findings(context: StudyContext, look: Look) -> Iterator[str]:
    """Yield what is wrong with rows, messages, records and standings, part by part."""
    for found in integrity.find_faults(look, context.keys):
        yield f"{found.place} {found.key}: {found.problem}"
    for lost in messages.find_damaged_messages(look, context.keys):
        yield f"raw_message {lost}: its content is not what was received"
    intake = intake_of(context)
    for silent in messages.find_messages_without_effect(look):
        if is_lost(intake, look(), silent):
            yield f"raw_message {silent}: it was accepted, and nothing of it is a fact or parked"
    for wrong in journal_proof.check_participants(look, context.study.rules, history=False):
        yield f"{wrong.participant}: {wrong.problem}"


def findings(context: StudyContext, conn: Connection) -> Iterator[str]:
    """Yield everything in one state of the database that Aegis did not write so, or is unfounded.

    `aegis verify` does the same of a database that others write to.
    """
    yield from stored_findings(context, lambda: conn)
    rules = context.study.rules
    for wrong in (
        *journal_proof.check_decisions(conn, rules),
        *journal_proof.check_notifications(conn, rules),
    ):
        yield f"{wrong.participant}: {wrong.problem}"


@dataclass(frozen=True, slots=True)
class StoredCounts:
    """How much a database holds."""

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
    """Return how much there is."""
    return StoredCounts(
        messages.count_messages(conn),
        journal.count_facts(conn),
        sum(parking.count_parked(conn).values()),
        records.count_versions(conn),
    )


def tell_of_others(context: StudyContext, conn: Connection) -> str:
    """Return a line about each part that is not proven here, because other rules wrote it."""
    rules = context.study.rules
    people = states.count_states_of_other_rules(conn, rules.version, context.study_id)
    graded = f"{people} participants were graded by other rules: see `aegis refold`\n"
    spoken = len(list_rules_of_other_protocol(conn, rules))
    decided = f"{spoken} rules last spoke under another protocol: `aegis run` lets them speak\n"
    return (graded if people else "") + (decided if spoken else "")


def of_decisions(context: StudyContext) -> Iterator[str]:
    """Yield rules whose decision is not what they say, or that were never told of.

    Where a service runs it is given the time that it needs for both.
    """
    with context.db.read() as conn:
        is_served = leases.is_held(conn, _SERVED_BY, now_utc())
    for rule in _Stuck(context.db, context, PATIENCE_S if is_served else 0.0).rules():
        yield f"{rule}: the last decision is not what the standings say"
    before = None
    if is_served:  # messages may tell another time than that by which it looks back
        by_message = context.settings.clock == "message"
        before = _FIRST if by_message else now_utc() - _LOOKED_BACK
    with context.db.read() as conn:
        for wrong in journal_proof.check_notifications(conn, context.study.rules, before):
            yield f"{wrong.participant}: {wrong.problem}"


@dataclass(frozen=True, slots=True)
class _Stuck:
    """Rules whose decision does not follow what they say, and says the same all the while."""

    db: Database
    context: StudyContext
    patience_s: float

    def rules(self) -> list[str]:
        """Return them; none when facts wait, or when what they say goes on changing."""
        began_s = time.monotonic()
        since: dict[str, tuple[object, float]] = {}
        while True:
            now_s = time.monotonic()
            wrong = self._wrong()
            since = {
                rule: since[rule] if rule in since and since[rule][0] == said else (said, now_s)
                for rule, said in wrong.items()
            }
            stuck = [r for r, (_, at_s) in since.items() if now_s - at_s >= self.patience_s]
            if stuck or not wrong or now_s - began_s > _AT_MOST_S:
                return stuck
            time.sleep(min(1.0, self.patience_s))

    def _wrong(self) -> dict[str, object]:
        with self.db.read() as conn:
            if journal.count_unhandled(conn):
                return {}
            return {
                one.rule: extract_news_fields(one)
                for one in find_outdated_decisions(conn, self.context.study.rules)
            }
