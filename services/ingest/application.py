"""Accepting messages: read, look up whom they are about, write everything, in one transaction."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256

from services.ingest.domain.hl7.acknowledgement import Answer
from services.ingest.domain.hl7.read import read
from services.ingest.domain.message_content import MessageContent, ParkedItem, Refused
from services.ingest.domain.site import CodeTables, Sites
from services.ingest.facts import FactsContent, read_facts
from services.ingest.ids import message_id
from services.ingest.outcome import Form, Incoming, Outcome, Source
from services.ingest.parked_rows import build_parked_rows
from services.ingest.patient_matching import Attribution
from services.runtime import log
from services.runtime.clock import Clock
from services.runtime.failpoints import reached
from services.store import journal
from services.store.journal import Arrival, RawMessage
from services.store.session import Connection, Database, DatabaseError, is_transient
from services.store.vault import Keys
from services.vocabulary.fact import Fact

__all__ = ["Form", "Incoming", "Intake", "Outcome", "Source", "not_stored"]

_log = log.logger("ingest")


@dataclass(frozen=True, slots=True)
class _Read:
    """A message that can be accepted, and what it says."""

    incoming: Incoming
    reading: MessageContent | FactsContent
    message: RawMessage


@dataclass(slots=True)
class Intake:
    """Where messages enter: one transaction for as many as are given together.

    Args:
        db: Migrated.
        keys: For the raw messages and the identifiers.
        study: Id.
        sites: Of the study.
        tables: What every site may use.
        clock: The machine's.
        by_message: ``received_at`` is the sender's time, not the machine's.
    """

    db: Database
    keys: Keys
    study: str
    sites: Sites
    tables: CodeTables
    clock: Clock
    by_message: bool = False
    on_outcome: Callable[[Outcome], None] = lambda _outcome: None
    attribution: Attribution = field(init=False)

    def __post_init__(self) -> None:
        self.attribution = Attribution(self.keys, self.study)

    def accept(self, incoming: Sequence[Incoming]) -> list[Outcome]:
        """Return what became of each, once the accepted are on disk.

        When the transaction fails, each is tried alone, so that one cannot lose the others.
        """
        try:
            outcomes = self._accept(incoming)
        except Exception as error:  # noqa: BLE001 - the sender is told, and sends again
            if len(incoming) > 1:
                return [outcome for one in incoming for outcome in self.accept([one])]
            _log.error("not_stored", exc_info=error)
            outcomes = [not_stored(error)]
        for outcome in outcomes:
            self.on_outcome(outcome)
        return outcomes

    def _accept(self, incoming: Sequence[Incoming]) -> list[Outcome]:
        readings = [self._read(one) for one in incoming]
        new = [one for one in readings if isinstance(one, _Read)]
        if not new:
            return [_refusal(one) for one in readings if isinstance(one, Refused)]
        with self.db.write() as conn:
            stored = self._stored(conn, new)
            reached("ingest.before_commit")
        reached("ingest.after_commit")
        outcomes = iter(stored)
        return [_refusal(one) if isinstance(one, Refused) else next(outcomes) for one in readings]

    def _read(self, incoming: Incoming) -> _Read | Refused:
        body = incoming.body
        reading: MessageContent | FactsContent | Refused
        if incoming.form == "facts":
            reading = read_facts(body, incoming.site, incoming.actor)
        else:
            reading = read(body, self.sites, self.tables)
        if isinstance(reading, Refused):
            return reading
        if incoming.site and reading.site != incoming.site:
            problem = f"this key may send for {incoming.site} only"
            return Refused("MSH-4", problem, "use the key of the sending site", reading.control_id)
        hashed = sha256(body).hexdigest()
        message = RawMessage(
            id=message_id(reading.sender, reading.control_id, hashed),
            received_at=(reading.sent_at if self.by_message else None) or self.clock(),
            site=reading.site,
            sender=reading.sender,
            control_id=reading.control_id,
            sha256=hashed,
            source=incoming.source,
            clock="message" if self.by_message else "wall",
            body=body,
        )
        return _Read(incoming, reading, message)

    def _stored(self, conn: Connection, new: Sequence[_Read]) -> list[Outcome]:
        known = journal.find_messages(
            conn, [(one.message.sender, one.message.control_id) for one in new]
        )
        subjects = self.attribution.subjects(conn, [one.reading for one in new])
        outcomes, arrivals = [], []
        for one in new:
            key = (one.message.sender, one.message.control_id)
            hashes = known.get(key, set())
            if one.message.sha256 in hashes:
                outcomes.append(_accepted(one, (), (), duplicate=True))
                continue
            facts, parked = self.attribution.facts_of(conn, one.message, one.reading, subjects)
            if hashes:
                facts = [_with_note(fact, "MSH-10 was used before") for fact in facts]
            known = {**known, key: {*hashes, one.message.sha256}}
            rows = build_parked_rows(one.message, parked)
            arrivals.append(Arrival(one.message, tuple(facts), tuple(rows)))
            outcomes.append(_accepted(one, facts, parked))
        journal.append(conn, self.keys, arrivals)
        return outcomes


def _accepted(
    one: _Read,
    facts: Sequence[Fact],
    parked: Sequence[ParkedItem],
    *,
    duplicate: bool = False,
) -> Outcome:
    return Outcome(
        Answer.ACCEPT,
        site=one.reading.site,
        kind=one.reading.kind,
        facts=len(facts),
        parked=tuple(parked),
        duplicate=duplicate,
        received_at=one.message.received_at,
        observed=tuple(fact.observed_at for fact in facts),
    )


def not_stored(error: Exception) -> Outcome:
    """Return the outcome of what *error* kept from being stored, or kept from being told of it."""
    refused = Refused("MSH", f"could not be stored ({type(error).__name__})", "send it again")
    may_pass = isinstance(error, DatabaseError) and is_transient(error)
    return Outcome(Answer.ERROR, refused, is_transient=may_pass)


def _refusal(refused: Refused) -> Outcome:
    return Outcome(Answer.REJECT, refused)


def _with_note(fact: Fact, note: str) -> Fact:
    return replace(fact, notes=(*fact.notes, note))
