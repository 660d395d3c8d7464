"""Parked items: list them, and read their messages again."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from uuid import uuid5

from services.ingest.dead_letters import DEAD_LETTER_SENDER, resubmit
from services.ingest.discarded_items import drop_discarded, item_key, renumber_paths
from services.ingest.domain.hl7.read import read_message
from services.ingest.domain.message_content import MessageContent, ParkedItem, Refusal
from services.ingest.facts import FACTS_SENDER, FactsContent
from services.ingest.failing_lines import select_failing_lines
from services.ingest.ids import NAMESPACE, bound_control_id
from services.ingest.intake import Intake
from services.ingest.lost_messages import find_lost_messages
from services.ingest.parked_rows import build_parked_rows
from services.ingest.unread_messages import may_pass, name_message
from services.runtime import log
from services.store import journal, parking
from services.store.journal import RawMessage
from services.store.parking import ParkedRow
from services.store.session import Connection

_log = log.make_logger("ingest")


@dataclass(frozen=True, slots=True)
class RetryResult:
    """The result of a retry: counts of new facts, closed items and items still parked."""

    facts: int
    closed_items: int
    still_parked: int

    @classmethod
    def total(cls, results: Iterable["RetryResult"]) -> "RetryResult":
        """Return the sums over *results*."""
        facts = closed_items = still_parked = 0
        for result in results:
            facts += result.facts
            closed_items += result.closed_items
            still_parked += result.still_parked
        return cls(facts, closed_items, still_parked)


def list_parked(intake: Intake, site: str | None = None) -> list[ParkedRow]:
    """Return the open parked items, oldest first; of *site* only, if given."""
    with intake.db.read() as conn:
        return parking.load_parked(conn, site=site)


def retry_parked(intake: Intake, actor: str, site: str | None = None) -> RetryResult:
    """Read every message with parked items again, each in a transaction of its own."""
    messages = dict.fromkeys(row.message for row in list_parked(intake, site))
    return RetryResult.total(_retry_message(intake, message, actor) for message in messages)


def retry_lost(intake: Intake, actor: str, site: str | None = None) -> RetryResult:
    """Read every message again that was accepted and came to nothing, as `retry_parked` does.

    An earlier version may have read nothing in it.
    """
    with intake.db.read() as conn:
        lost_messages = find_lost_messages(intake, conn, site)
    return RetryResult.total(_retry_message(intake, message, actor) for message in lost_messages)


def _retry_message(intake: Intake, message_id: str, actor: str) -> RetryResult:
    """Read one message again; one that fails for what it is waits on, and the others go on.

    Facts are then read without the lines that failed when they came.
    """
    with intake.db.read() as conn:
        open_rows = parking.load_parked(conn, message=message_id)
    failed_lines = select_failing_lines((row.path, row.reason, row.detail) for row in open_rows)
    for passed_over in ([], failed_lines) if failed_lines else ([],):
        try:
            return _read_again(intake, message_id, open_rows, passed_over, actor)
        except Exception as error:
            if may_pass(error):
                raise
            _log.error("not_stored", exc_info=error, message=message_id)
    return RetryResult(0, 0, len(open_rows))


def _read_again(
    intake: Intake,
    message_id: str,
    open_rows: Sequence[ParkedRow],
    failed_lines: Sequence[ParkedItem],
    actor: str,
) -> RetryResult:
    with intake.db.read() as conn:
        message = journal.load_message(conn, intake.keys, message_id)
    if message is not None and message.sender.startswith(DEAD_LETTER_SENDER):
        return _retry_dead_letter(intake, message, open_rows, actor)
    with intake.db.write() as conn:
        open_rows = parking.load_parked(conn, message=message_id)
        if message is None:
            return RetryResult(0, 0, len(open_rows))
        message = _restore_control_id(message)
        content = reread_message(intake, message, failed_lines)
        if isinstance(content, Refusal):
            return RetryResult(0, 0, len(open_rows))
        return _apply_content(conn, intake, message, content, actor)


def _restore_control_id(message: RawMessage) -> RawMessage:
    """Return a stored HL7 message with its own number again: its facts have ids made of that."""
    if message.sender.startswith(FACTS_SENDER):
        return message
    return replace(message, control_id=bound_control_id(name_message(message.body)[1]))


def _retry_dead_letter(
    intake: Intake, dead_letter: RawMessage, rows: Sequence[ParkedRow], actor: str
) -> RetryResult:
    """Submit a dead letter again, as a message of its own."""
    outcome = resubmit(intake, dead_letter)
    if outcome is None or outcome.refusal is not None:
        return RetryResult(0, 0, len(rows))
    with intake.db.write() as conn:
        closed_count = parking.resolve_parked(
            conn,
            [row.id for row in rows],
            resolution="retried",
            instant=intake.clock(),
            actor=actor,
        )
    return RetryResult(outcome.facts, closed_count, len(outcome.parked))


def reread_message(
    intake: Intake, message: RawMessage, failed_lines: Sequence[ParkedItem] = ()
) -> MessageContent | FactsContent | Refusal:
    """Return the content of a stored message, read with the study's present files.

    Of facts without *failed_lines*.
    """
    if message.sender.startswith(FACTS_SENDER):
        return intake.read_stored_facts(message, failed_lines)
    return read_message(message.body, intake.sites, intake.tables, intake.most_items)


def _apply_content(
    conn: Connection,
    intake: Intake,
    message: RawMessage,
    content: MessageContent | FactsContent,
    actor: str,
) -> RetryResult:
    """Add the facts that can be read now, park new problems, and close the items that are solved.

    Discarded items stay discarded: nothing of them is added or parked again.
    """
    received_at = message.received_at if intake.by_message else intake.clock()
    retried_message = replace(message, received_at=received_at)
    fact_ids = {one.fact.id for one in journal.load_facts_of_message(conn, message.id)}
    rows = parking.load_parked(conn, message=message.id, still_open=False, hold=True)
    rows = renumber_paths(rows, message, content, fact_ids)
    usable_content = drop_discarded(
        content, {item_key(row) for row in rows if row.resolution == "discarded"}
    )
    matcher = intake.matcher
    facts, items = matcher.build_facts(
        conn, retried_message, usable_content, matcher.find_subjects(conn, [usable_content])
    )
    stored_ids = journal.find_known_fact_ids(conn, [fact.id for fact in facts])
    new_facts = [fact for fact in facts if fact.id not in stored_ids]
    journal.append_facts(conn, message.id, new_facts, received_at)
    new_rows = build_parked_rows(intake.keys, retried_message, items)
    parked_rows = {item_key(row): row for row in new_rows}
    open_keys = {item_key(row) for row in rows if not row.resolution}
    times = Counter(item_key(row) for row in rows)
    parking.park_items(
        conn, [_number_again(row, times[k]) for k, row in parked_rows.items() if k not in open_keys]
    )
    closed_ids = [row.id for row in rows if not row.resolution and item_key(row) not in parked_rows]
    closed_count = parking.resolve_parked(
        conn, closed_ids, resolution="retried", instant=intake.clock(), actor=actor
    )
    return RetryResult(len(new_facts), closed_count, len(parked_rows))


def _number_again(row: ParkedRow, times: int) -> ParkedRow:
    """Return *row* with an id of its own when it was parked and closed *times* times before."""
    return replace(row, id=str(uuid5(NAMESPACE, f"{row.id}|{times}"))) if times else row
