"""A message of the journal: its facts about one subject, applied together."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from services.vocabulary.fact import Fact, JournalEntry


@dataclass(frozen=True, slots=True)
class ReceivedMessage:
    """The facts of one message about one subject; *seq* is that of the last."""

    received_at: datetime
    subject: str
    seq: int
    facts: tuple[Fact, ...]


def group_by_message(journaled_facts: Iterable[JournalEntry]) -> list[ReceivedMessage]:
    """Return the messages of linked participants, in the order of their journals."""

    def find_message_key(entry: JournalEntry) -> tuple[datetime, str, str]:
        return entry.received_at, entry.fact.subject, entry.message

    in_order = sorted(journaled_facts, key=lambda k: (k.received_at, k.fact.subject, k.seq))
    messages = []
    for (received_at, subject, _), group in groupby(in_order, key=find_message_key):
        entries = list(group)
        facts = tuple(k.fact for k in entries)
        messages.append(ReceivedMessage(received_at, subject, entries[-1].seq, facts))
    return messages
