"""Messages of which nothing is known: whether there was nothing to know."""

from services.ingest.application import Intake
from services.ingest.domain.reading import Refused
from services.ingest.parked import read_again
from services.store import journal
from services.store.session import Connection
from services.store.vault import VaultError

_READ_OTHERWISE = "participants"  # a file of participants, whose facts stand with others


def is_unheard(intake: Intake, conn: Connection, message_id: str) -> bool:
    """Say whether a message without fact or parked item says something that is nowhere."""
    try:
        message = journal.load_message(conn, intake.keys, message_id)
    except VaultError:  # which is a finding of its own
        return False
    if message is None or message.source == _READ_OTHERWISE:
        return False
    reading = read_again(intake, message)
    if isinstance(reading, Refused):
        return True
    facts, items = intake.facts_of(conn, message, reading, intake.subjects(conn, [reading]))
    known = journal.known_facts(conn, [fact.id for fact in facts])
    return bool(items) or any(fact.id not in known for fact in facts)
