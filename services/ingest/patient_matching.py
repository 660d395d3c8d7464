"""Whom a message is about: what it says becomes facts of participants, or has to wait."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial

from services.ingest.domain.message_content import (
    Draft,
    MergeDraft,
    MessageContent,
    MoveDraft,
    ParkedItem,
    ParkReason,
    PatientKey,
)
from services.ingest.facts import FactsContent
from services.ingest.ids import fact_id
from services.ingest.merge_facts import cannot_move, in_both_journals, with_hashed_visits
from services.ingest.parked_rows import (
    park_future_dated,
    park_unknown_participant,
    park_unsupported_kind,
    park_wrong_subject,
)
from services.runtime import wire
from services.store import journal, participants
from services.store.journal import RawMessage
from services.store.participant_order import named_together
from services.store.session import Connection
from services.store.vault import Keys, identity_hash
from services.vocabulary.fact import Fact, Merge, Move

_AHEAD = timedelta(minutes=10)  # a clock may be this wrong
_NOT_FROM_A_SITE = frozenset(
    {"merge", "move", "adjudication", "determination", "protocol-activation"}
)
_VISIT, _VISIT_DIGITS = "VN", 32  # HL7 table 0203; 128 bits tell all visits of a trial apart


@dataclass(slots=True)
class Attribution:
    """Finds the participants of one study by the identifiers that messages give.

    Args:
        keys: For the identifiers.
        study: Id.
    """

    keys: Keys
    study: str
    _site_of: dict[str, str] = field(default_factory=dict)

    def subjects(
        self, conn: Connection, readings: Iterable[MessageContent | FactsContent]
    ) -> Mapping[PatientKey, str]:
        """Return the participant that each identifier of *readings* leads to, where it does."""
        wanted = {key for reading in readings for key in _keys_of(reading)}
        hashes = {identity_hash(self.keys, k.authority, k.type, k.identifier): k for k in wanted}
        found = participants.subjects_for(conn, list(hashes))
        return {hashes[hashed]: subject for hashed, subject in found.items()}

    def facts_of(
        self,
        conn: Connection,
        message: RawMessage,
        reading: MessageContent | FactsContent,
        subjects: Mapping[PatientKey, str],
    ) -> tuple[list[Fact], list[ParkedItem]]:
        """Return the facts of a message, and what of it has to wait."""
        if isinstance(reading, FactsContent):
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
                parked.append(park_future_dated(draft.path, draft.observed_at))
            else:
                facts.append(self._fact(message, reading.site, draft, subject))
        for joining in reading.joining:
            joined = self._joined(conn, message, joining, subjects)
            if isinstance(joined, ParkedItem):
                parked.append(joined)
            else:
                facts += joined
        parked += [
            park_unknown_participant(f"{reading.place_of(who)}.3", count)
            for who, count in unknown.items()
        ]
        return facts, parked

    def _own_facts(
        self, conn: Connection, message: RawMessage, reading: FactsContent
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
                parked.append(park_unknown_participant(place, 1))
            elif fact.body.kind in _NOT_FROM_A_SITE and reading.site:
                parked.append(park_unsupported_kind(place, fact))
            elif not self._take_part(conn, ends):
                parked.append(park_unknown_participant(place, 1))
            elif ends and fact.subject not in ends:
                parked.append(park_wrong_subject(place))
            elif fact.observed_at > message.received_at + _AHEAD:
                parked.append(park_future_dated(place, fact.observed_at))
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
                return park_unknown_participant(draft.path, 1)
            pair.append(subject)
        one, other = pair
        if isinstance(draft, MergeDraft):
            return in_both_journals(message, draft, Merge(one, other, undone=draft.undone))
        visit, new = (self._visit(message.site, v) for v in (draft.visit, draft.new_visit))
        has_others = participants.count_identifiers(conn, one) > len(draft.source)
        return cannot_move(
            draft, to_themselves=one == other, has_others=has_others
        ) or in_both_journals(message, draft, Move(one, other, visit, new))


def _keys_of(reading: MessageContent | FactsContent) -> Iterable[PatientKey]:
    """Yield every identifier that a message names."""
    if isinstance(reading, FactsContent):
        return
    for draft in reading.drafts:
        yield from draft.who
    for joining in reading.joining:
        for who in joining.ends:
            yield from who
