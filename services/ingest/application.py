"""Accepting messages: read, look up whom they are about, write everything, in one transaction."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from hashlib import sha256

from services.ingest.domain.hl7.acknowledgement import Answer
from services.ingest.domain.hl7.read import read
from services.ingest.domain.reading import (
    Draft,
    MergeDraft,
    MoveDraft,
    ParkedItem,
    ParkReason,
    PatientKey,
    Reading,
    Refused,
)
from services.ingest.domain.site import CodeTables, Sites
from services.ingest.facts import FactReading, read_facts
from services.ingest.ids import fact_id, message_id
from services.ingest.joining import cannot_move, in_both_journals, with_hashed_visits
from services.ingest.outcome import Form, Incoming, Outcome, Source
from services.ingest.waiting import (
    about_neither,
    about_nobody,
    from_the_future,
    not_from_a_site,
    parked_rows,
)
from services.runtime import log, wire
from services.runtime.clock import Clock
from services.runtime.failpoints import reached
from services.store import journal, participants
from services.store.journal import Arrival, RawMessage
from services.store.session import Connection, Database, DatabaseError, is_transient
from services.store.turns import named_together
from services.store.vault import Keys, identity_hash
from services.vocabulary.fact import Fact, Merge, Move

_AHEAD = timedelta(minutes=10)  # a clock may be this wrong
_NOT_FROM_A_SITE = frozenset(
    {"merge", "move", "adjudication", "determination", "protocol-activation"}
)
_VISIT, _VISIT_DIGITS = "VN", 32  # HL7 table 0203; 128 bits tell all visits of a trial apart

__all__ = ["Form", "Incoming", "Intake", "Outcome", "Source", "not_stored", "reading_keys"]

_log = log.logger("ingest")


@dataclass(frozen=True, slots=True)
class _Read:
    """A message that can be accepted, and what it says."""

    incoming: Incoming
    reading: Reading | FactReading
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
    _site_of: dict[str, str] = field(default_factory=dict)

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
        reading: Reading | FactReading | Refused
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
        subjects = self.subjects(conn, [one.reading for one in new])
        outcomes, arrivals = [], []
        for one in new:
            key = (one.message.sender, one.message.control_id)
            hashes = known.get(key, set())
            if one.message.sha256 in hashes:
                outcomes.append(_accepted(one, (), (), duplicate=True))
                continue
            facts, parked = self.facts_of(conn, one.message, one.reading, subjects)
            if hashes:
                facts = [_with_note(fact, "MSH-10 was used before") for fact in facts]
            known = {**known, key: {*hashes, one.message.sha256}}
            rows = parked_rows(one.message, parked)
            arrivals.append(Arrival(one.message, tuple(facts), tuple(rows)))
            outcomes.append(_accepted(one, facts, parked))
        journal.append(conn, self.keys, arrivals)
        return outcomes

    def subjects(
        self, conn: Connection, readings: Iterable[Reading | FactReading]
    ) -> Mapping[PatientKey, str]:
        """Return the participant that each identifier of *readings* leads to, where it does."""
        wanted = {key for reading in readings for key in reading_keys(reading)}
        hashes = {identity_hash(self.keys, k.authority, k.type, k.identifier): k for k in wanted}
        found = participants.subjects_for(conn, list(hashes))
        return {hashes[hashed]: subject for hashed, subject in found.items()}

    def facts_of(
        self,
        conn: Connection,
        message: RawMessage,
        reading: Reading | FactReading,
        subjects: Mapping[PatientKey, str],
    ) -> tuple[list[Fact], list[ParkedItem]]:
        """Return the facts of a message, and what of it has to wait."""
        if isinstance(reading, FactReading):
            return self._own_facts(conn, message, reading)
        facts: list[Fact] = []
        parked = list(reading.parked)
        unknown: dict[tuple[PatientKey, ...], int] = {}
        for draft in reading.drafts:
            subject = self._subject(conn, draft.who, reading.site, subjects)
            if subject is None:
                unknown[draft.who] = unknown.get(draft.who, 0) + 1
            elif isinstance(subject, ParkedItem):
                parked.append(replace(subject, path=draft.path))
            elif draft.observed_at > message.received_at + _AHEAD:
                parked.append(from_the_future(draft.path, draft.observed_at))
            else:
                facts.append(self._fact(message, reading.site, draft, subject))
        for joining in reading.joining:
            joined = self._joined(conn, message, joining, subjects)
            if isinstance(joined, ParkedItem):
                parked.append(joined)
            else:
                facts += joined
        parked += [
            about_nobody(f"{reading.place_of(who)}.3", count) for who, count in unknown.items()
        ]
        return facts, parked

    def _own_facts(
        self, conn: Connection, message: RawMessage, reading: FactReading
    ) -> tuple[list[Fact], list[ParkedItem]]:
        facts, parked = [], list(reading.parked)
        ids = {
            fact_id(message, "fact", line.own): (line.place, line.fact) for line in reading.facts
        }
        stored = journal.known_facts(conn, list(ids))
        for made, (place, fact) in ids.items():
            if made in stored:
                continue
            site = self._participant_site(conn, fact.subject)
            ends = {end for pair in named_together([fact]) for end in pair}
            if site is None or (reading.site and site != reading.site):
                parked.append(about_nobody(place, 1))
            elif fact.body.kind in _NOT_FROM_A_SITE and reading.site:
                parked.append(not_from_a_site(place, fact))
            elif not self._take_part(conn, ends):
                parked.append(about_nobody(place, 1))
            elif ends and fact.subject not in ends:
                parked.append(about_neither(place))
            elif fact.observed_at > message.received_at + _AHEAD:
                parked.append(from_the_future(place, fact.observed_at))
            else:
                hashed = with_hashed_visits(fact, partial(self._visit, site))
                digest = wire.clinical_digest(hashed)
                facts.append(replace(hashed, id=made, site=reading.site, digest=digest))
        return facts, parked

    def _subject(
        self,
        conn: Connection,
        who: tuple[PatientKey, ...],
        site: str,
        subjects: Mapping[PatientKey, str],
    ) -> str | ParkedItem | None:
        found = {subjects[key] for key in who if key in subjects}
        if len(found) > 1:
            detail = "its identifiers belong to several participants: send a merge, or correct it"
            return ParkedItem("PID.3", ParkReason.AMBIGUOUS_PARTICIPANT, detail)
        for subject in found:
            if self._participant_site(conn, subject) == site:
                return subject
        return None

    def _participant_site(self, conn: Connection, subject: str) -> str | None:
        if subject not in self._site_of:
            found = participants.load_participant(conn, subject)
            if found is None or found.study != self.study:
                return None
            self._site_of[subject] = found.site
        return self._site_of[subject]

    def _take_part(self, conn: Connection, subjects: Iterable[str]) -> bool:
        """Say whether all of *subjects* are people of the study, which is a subject of no site."""
        return all(self._participant_site(conn, subject) for subject in subjects)

    def _fact(self, message: RawMessage, site: str, draft: Draft, subject: str) -> Fact:
        visit = self._visit(site, draft.visit)
        fact = Fact(
            id=fact_id(message, draft.path),
            subject=subject,
            observed_at=draft.observed_at,
            reported_at=draft.reported_at,
            body=draft.body,
            digest="",
            site=site,
            status=draft.status,
            series=f"{draft.series}|{visit}" if draft.is_of_visit else draft.series,
            sequence=draft.sequence,
            notes=draft.notes,
            visit=visit,
        )
        return replace(fact, digest=wire.clinical_digest(fact))

    def _visit(self, site: str, number: str) -> str:
        """Return what a fact says of a visit: a hash that only the key holder can repeat."""
        return identity_hash(self.keys, site, _VISIT, number)[:_VISIT_DIGITS] if number else ""

    def _joined(
        self,
        conn: Connection,
        message: RawMessage,
        draft: MergeDraft | MoveDraft,
        subjects: Mapping[PatientKey, str],
    ) -> list[Fact] | ParkedItem:
        """Return the facts of a merge or a move, or why it has to wait."""
        pair = []
        for who in draft.ends:
            subject = self._subject(conn, who, message.site, subjects)
            if not isinstance(subject, str):
                return about_nobody(draft.path, 1)
            pair.append(subject)
        one, other = pair
        if isinstance(draft, MergeDraft):
            return in_both_journals(message, draft, Merge(one, other, undone=draft.undone))
        visit, new = (self._visit(message.site, v) for v in (draft.visit, draft.new_visit))
        has_others = participants.count_identifiers(conn, one) > len(draft.source)
        return cannot_move(
            draft, to_themselves=one == other, has_others=has_others
        ) or in_both_journals(message, draft, Move(one, other, visit, new))


def reading_keys(reading: Reading | FactReading) -> Iterable[PatientKey]:
    """Yield every identifier that a message names."""
    if isinstance(reading, FactReading):
        return
    for draft in reading.drafts:
        yield from draft.who
    for joining in reading.joining:
        for who in joining.ends:
            yield from who


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
