"""Accepted messages that produced neither a fact nor a parked item.

Such a message may be empty of content, or its content may have been lost. The study's files may
have changed since, so they are not used to tell the two apart. They decide the meaning of a
message, and hardly ever whether it has any content: whatever they do not explain is parked. The
message is therefore read for the site and sender that it was accepted from, and with every
identifier known. If it then has content, that content was lost.

The limits of this check:

- A message that this version refuses and an earlier version accepted is no finding, because its
  earlier content is unknown.
- A message whose patient the files did not know was parked. If it has no other content, the loss
  of that parked item is not seen here; the audit trail shows it.
- A message that only a newer version can read, and the earlier one could not, is a finding;
  `aegis parked retry` reads it again.
"""

from collections.abc import Mapping
from dataclasses import replace

from services.ingest.dead_letters import DEAD_LETTER_SENDER
from services.ingest.domain.hl7.context import identifiers
from services.ingest.domain.hl7.message import Message, parse_message
from services.ingest.domain.hl7.read import read_message
from services.ingest.domain.message_content import Refusal
from services.ingest.domain.site import SiteMap, Sites
from services.ingest.facts import FACTS_SENDER
from services.ingest.intake import Intake
from services.store import journal, messages
from services.store.journal import RawMessage
from services.store.session import Connection
from services.store.vault import VaultError

_PARTICIPANTS_FILE = "participants"  # a file of participants, whose facts stand with others


def find_lost_messages(intake: Intake, conn: Connection, site: str | None = None) -> list[str]:
    """Return the ids of the messages of *site* (None: of all) that are lost, as `is_lost` says."""
    candidates = messages.find_messages_without_effect(lambda: conn, site)
    return [one for one in candidates if is_lost(intake, conn, one)]


def is_lost(intake: Intake, conn: Connection, message_id: str) -> bool:
    """Return True when a message without fact or parked item has content: it was lost."""
    try:
        message = journal.load_message(conn, intake.keys, message_id)
    except VaultError:  # which is a finding of its own
        return False
    if message is None or message.source == _PARTICIPANTS_FILE:
        return False
    if message.sender.startswith(DEAD_LETTER_SENDER):
        return True  # it was parked as it came
    if message.sender.startswith(FACTS_SENDER):
        return _has_new_facts(intake, conn, message)
    return _has_content(intake, message)


def _has_new_facts(intake: Intake, conn: Connection, message: RawMessage) -> bool:
    """Return True when a message in Aegis's own form has facts or items that are not stored."""
    content = intake.read_stored_facts(message)
    if isinstance(content, Refusal):
        return False
    facts, items = intake.matcher.build_facts(conn, message, content, {})
    return bool(facts or items)


def _has_content(intake: Intake, message: RawMessage) -> bool:
    """Return True when a message of HL7 v2 has content, whatever the study's files are."""
    message_or_refusal = parse_message(message.body)
    if isinstance(message_or_refusal, Refusal):
        return False
    site = intake.sites.by_id.get(message.site) or SiteMap(message.site, "UTC")
    accepting_site = replace(
        site, senders=(message.sender,), authorities=_authorities(message_or_refusal)
    )
    content = read_message(message.body, Sites.build((accepting_site,)), intake.tables)
    if isinstance(content, Refusal):
        return False
    return bool(content.drafts or content.merges_and_moves or content.parked)


def _authorities(message: Message) -> Mapping[str, str]:
    """Return every authority in PID-3 with the type of its identifier."""
    return {
        authority: kind
        for patient in message.segments_named("PID")
        for _, authority, kind in identifiers(patient, 3)
    }
