"""Messages of which nothing is known: whether there was nothing to know.

The study's files may have been edited since, so what they say now is not asked. They decide what a
message means, and hardly ever whether it says anything: what they do not explain is parked. So it
is read as of a participant of the site and sender that it was accepted from, whatever they are
called today. If it then says something, that was lost.

What cannot be told apart any more:

- Of a message that this Aegis refuses, and an earlier one accepted, nobody knows what it said. It
  is no finding.
- That it named nobody whom the files knew then was parked. When the message says nothing else, the
  loss of that item is not seen here; the audit trail shows it.
- A message that says something only to an Aegis that reads more than the earlier one is a finding.
"""

from collections.abc import Mapping
from dataclasses import replace

from services.ingest.application import Intake
from services.ingest.dead_letters import DEAD_LETTER_SENDER
from services.ingest.domain.hl7.context import identifiers
from services.ingest.domain.hl7.message import Message, parse_message
from services.ingest.domain.hl7.read import read_message
from services.ingest.domain.message_content import Refusal
from services.ingest.domain.site import SiteMap, Sites
from services.ingest.facts import FACTS_SENDER, read_facts
from services.store import journal
from services.store.journal import RawMessage
from services.store.session import Connection
from services.store.vault import VaultError

_PARTICIPANTS_FILE = "participants"  # a file of participants, whose facts stand with others


def is_lost(intake: Intake, conn: Connection, message_id: str) -> bool:
    """Say whether a message without fact or parked item says something that is nowhere."""
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
    """Say whether facts of our own form are not known; no file of the study explains them."""
    content = read_facts(message.body, message.site, message.sender.removeprefix(FACTS_SENDER))
    if isinstance(content, Refusal):
        return False
    facts, items = intake.matcher.build_facts(conn, message, content, {})
    return bool(facts or items)


def _has_content(intake: Intake, message: RawMessage) -> bool:
    """Say whether a message of HL7 v2 says anything, to whatever files."""
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
    """Return every authority that PID-3 names, with the type of its identifier."""
    return {
        authority: kind
        for patient in message.segments_named("PID")
        for _, authority, kind in identifiers(patient, 3)
    }
