"""Parked items: list them, read their messages again, or discard them."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import uuid5

from services.ingest.application import Intake
from services.ingest.dead_letters import SENDER as KEPT
from services.ingest.dead_letters import enter_again
from services.ingest.discarded_items import key, renumbered, without
from services.ingest.domain.hl7.read import read
from services.ingest.domain.message_content import MessageContent, Refused
from services.ingest.facts import SENDER as FACTS
from services.ingest.facts import FactsContent, read_facts
from services.ingest.ids import NAMESPACE
from services.ingest.parked_rows import build_parked_rows
from services.store import journal, parking
from services.store.journal import RawMessage
from services.store.parking import ParkedRow
from services.store.session import Connection


@dataclass(frozen=True, slots=True)
class RetryResult:
    """What a retry did: facts that came of it, items closed, items that still wait."""

    facts: int
    closed: int
    waiting: int


def list_parked(intake: Intake, site: str | None = None) -> list[ParkedRow]:
    """Return what is parked, oldest first."""
    with intake.db.read() as conn:
        return parking.load_parked(conn, site=site)


def retry(intake: Intake, by: str, site: str | None = None) -> RetryResult:
    """Read every message with parked items again, each in a transaction of its own."""
    messages = dict.fromkeys(row.message for row in list_parked(intake, site))
    done = [_retry(intake, message, by) for message in messages]
    return RetryResult(
        sum(one.facts for one in done),
        sum(one.closed for one in done),
        sum(one.waiting for one in done),
    )


def discard(intake: Intake, ids: Sequence[str], by: str, reason: str) -> int:
    """Set items aside for good, with who and why; the raw message stays."""
    with intake.db.write() as conn:
        return parking.resolve_parked(
            conn, ids, resolution="discarded", at=intake.clock(), by=by, comment=reason
        )


def _retry(intake: Intake, message_id: str, by: str) -> RetryResult:
    with intake.db.read() as conn:
        open_rows = parking.load_parked(conn, message=message_id)
        message = journal.load_message(conn, intake.keys, message_id)
    if message is not None and message.sender.startswith(KEPT):
        return _enter(intake, message, open_rows, by)
    with intake.db.write() as conn:
        open_rows = parking.load_parked(conn, message=message_id)
        if message is None:
            return RetryResult(0, 0, len(open_rows))
        reading = read_again(intake, message)
        if isinstance(reading, Refused):
            return RetryResult(0, 0, len(open_rows))
        return _apply(conn, intake, message, reading, by)


def _enter(intake: Intake, kept: RawMessage, rows: Sequence[ParkedRow], by: str) -> RetryResult:
    """Let what was kept unread enter as a message of its own, if it can now."""
    outcome = enter_again(intake, kept)
    if outcome is None or outcome.refused is not None:
        return RetryResult(0, 0, len(rows))
    with intake.db.write() as conn:
        closed = parking.resolve_parked(
            conn, [row.id for row in rows], resolution="retried", at=intake.clock(), by=by
        )
    return RetryResult(outcome.facts, closed, len(outcome.parked))


def read_again(intake: Intake, message: RawMessage) -> MessageContent | FactsContent | Refused:
    """Return what a stored message says as the study's files are now."""
    if message.sender.startswith(FACTS):
        return read_facts(message.body, message.site, message.sender.removeprefix(FACTS))
    return read(message.body, intake.sites, intake.tables)


def _apply(
    conn: Connection,
    intake: Intake,
    message: RawMessage,
    reading: MessageContent | FactsContent,
    by: str,
) -> RetryResult:
    """Add what can be used now; park what came to light only now; close what waits no longer.

    What was discarded stays so: nothing of it is added, or parked again.
    """
    at = message.received_at if intake.by_message else intake.clock()
    seen = replace(message, received_at=at)
    before = {one.fact.id for one in journal.facts_of_message(conn, message.id)}
    rows = parking.load_parked(conn, message=message.id, still_open=False, hold=True)
    rows = renumbered(rows, message, reading, before)
    left = without(reading, {key(row) for row in rows if row.resolution == "discarded"})
    whom = intake.attribution
    facts, items = whom.facts_of(conn, seen, left, whom.subjects(conn, [left]))
    stored = journal.known_facts(conn, [fact.id for fact in facts])
    new = [fact for fact in facts if fact.id not in stored]
    journal.append_facts(conn, message.id, new, at)
    still = {key(row): row for row in build_parked_rows(seen, items)}
    waits = {key(row) for row in rows if not row.resolution}
    times = Counter(key(row) for row in rows)
    parking.park(conn, [_again(row, times[k]) for k, row in still.items() if k not in waits])
    closing = [row.id for row in rows if not row.resolution and key(row) not in still]
    closed = parking.resolve_parked(conn, closing, resolution="retried", at=intake.clock(), by=by)
    return RetryResult(len(new), closed, len(still))


def _again(row: ParkedRow, times: int) -> ParkedRow:
    """Return *row* under an id of its own when it was parked, and closed, so many times before."""
    return replace(row, id=str(uuid5(NAMESPACE, f"{row.id}|{times}"))) if times else row
