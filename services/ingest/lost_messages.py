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
from services.ingest.dead_letters import SENDER as KEPT
from services.ingest.domain.hl7.context import identifiers
from services.ingest.domain.hl7.message import Message, parse
from services.ingest.domain.hl7.read import read
from services.ingest.domain.message_content import Refused
from services.ingest.domain.site import SiteMap, Sites
from services.ingest.facts import SENDER as FACTS
from services.ingest.facts import read_facts
from services.store import journal
from services.store.journal import RawMessage
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
    if message.sender.startswith(KEPT):
        return True  # it was parked as it came
    if message.sender.startswith(FACTS):
        return _says_new_facts(intake, conn, message)
    return _says_something(intake, message)


def _says_new_facts(intake: Intake, conn: Connection, message: RawMessage) -> bool:
    """Say whether facts of our own form are not known; no file of the study explains them."""
    reading = read_facts(message.body, message.site, message.sender.removeprefix(FACTS))
    if isinstance(reading, Refused):
        return False
    facts, items = intake.attribution.facts_of(conn, message, reading, {})
    return bool(facts or items)


def _says_something(intake: Intake, message: RawMessage) -> bool:
    """Say whether a message of HL7 v2 says anything, to whatever files."""
    parsed = parse(message.body)
    if isinstance(parsed, Refused):
        return False
    site = intake.sites.by_id.get(message.site) or SiteMap(message.site, "UTC")
    then = replace(site, senders=(message.sender,), authorities=_authorities(parsed))
    reading = read(message.body, Sites.of((then,)), intake.tables)
    if isinstance(reading, Refused):
        return False
    return bool(reading.drafts or reading.joining or reading.parked)


def _authorities(message: Message) -> Mapping[str, str]:
    """Return every authority that PID-3 names, with the type of its identifier."""
    return {
        authority: kind
        for patient in message.all("PID")
        for _, authority, kind in identifiers(patient, 3)
    }
