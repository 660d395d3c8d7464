"""Matching of messages to participants: drafts become facts of a participant, or are parked."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta

from services.ingest.domain.message_content import (
    MergeDraft,
    MessageContent,
    MoveDraft,
    ParkedItem,
    ParkReason,
    PatientKey,
)
from services.ingest.facts import FactsContent
from services.ingest.ids import fact_id
from services.ingest.line_places import find_line_number
from services.ingest.merge_facts import build_pair_facts, park_unclear_move
from services.ingest.parked_rows import (
    park_future_dated,
    park_missing_end,
    park_unknown_participant,
    park_unsupported_kind,
    park_wrong_site,
    park_wrong_subject,
)
from services.ingest.stored_facts import build_drafted_fact, build_sent_fact, hash_visit
from services.store import journal, participants
from services.store.journal import RawMessage
from services.store.participant_order import list_named_pairs
from services.store.session import Connection
from services.store.vault import Keys, hash_identifier
from services.vocabulary.fact import Fact
from services.vocabulary.identity_change import Merge, Move

_CLOCK_TOLERANCE = timedelta(minutes=10)  # a clock may be this wrong
_KINDS_OF_PEOPLE = frozenset(
    {"merge", "move", "adjudication", "determination", "protocol-activation", "enrolment"}
)


@dataclass(slots=True)
class PatientMatcher:
    """Finds the participants of one study by the identifiers that messages give.

    Args:
        keys: Keys for the identifiers.
        study: Id of the study.
    """

    keys: Keys
    study: str
    _site_of: dict[str, str] = field(default_factory=dict)

    def find_subjects(
        self, conn: Connection, contents: Iterable[MessageContent | FactsContent]
    ) -> Mapping[PatientKey, str]:
        """Return the participant of each identifier in *contents* that has one."""
        patient_ids = {key for reading in contents for key in _iterate_keys(reading)}
        hashes = {
            hash_identifier(self.keys, k.authority, k.type, k.identifier): k for k in patient_ids
        }
        matches = participants.find_subjects(conn, list(hashes))
        return {hashes[hashed]: subject for hashed, subject in matches.items()}

    def build_facts(
        self,
        conn: Connection,
        message: RawMessage,
        content: MessageContent | FactsContent,
        subjects: Mapping[PatientKey, str],
    ) -> tuple[list[Fact], list[ParkedItem]]:
        """Return the facts of a message, and its parked items."""
        if isinstance(content, FactsContent):
            return self._build_own_facts(conn, message, content)
        facts: list[Fact] = []
        parked = list(content.parked)
        unknown: dict[tuple[PatientKey, ...], int] = {}
        for draft in content.drafts:
            subject = self._find_subject(conn, draft.patient_ids, content.site, subjects)
            if subject is None:
                unknown[draft.patient_ids] = unknown.get(draft.patient_ids, 0) + 1
            elif isinstance(subject, ParkedItem):
                parked.append(replace(subject, path=draft.path))
            elif draft.observed_at > message.received_at + _CLOCK_TOLERANCE:
                parked.append(park_future_dated(draft.path, draft.observed_at))
            else:
                facts.append(build_drafted_fact(self.keys, message, content.site, draft, subject))
        for pair_draft in content.merges_and_moves:
            facts_or_parked = self._build_merge_or_move(conn, message, pair_draft, subjects)
            if isinstance(facts_or_parked, ParkedItem):
                parked.append(facts_or_parked)
            else:
                facts += facts_or_parked
        parked += [
            park_unknown_participant(f"{content.find_segment(who)}.3", count)
            for who, count in unknown.items()
        ]
        return facts, parked

    def _build_own_facts(
        self, conn: Connection, message: RawMessage, content: FactsContent
    ) -> tuple[list[Fact], list[ParkedItem]]:
        facts, parked = [], list(content.parked)
        ids = {
            fact_id(message, "fact", line.sender_id): (line.place, line.fact)
            for line in content.facts
        }
        stored_ids = journal.find_known_fact_ids(conn, list(ids))
        subjects = {fact.subject for _, fact in ids.values()}
        site_of = {subject: self._find_site(conn, subject) for subject in subjects}
        for new_id, (place, fact) in ids.items():
            if new_id in stored_ids:
                continue
            site = site_of[fact.subject]
            ends = {end for pair in list_named_pairs([fact]) for end in pair}
            if site is None or (content.site and site != content.site):
                parked.append(park_unknown_participant(place, 1))
            elif content.site and fact.site not in ("", content.site):
                parked.append(park_wrong_site(place, fact.site, content.site))
            elif fact.body.kind in _KINDS_OF_PEOPLE and content.site:
                parked.append(park_unsupported_kind(place, fact))
            elif not self._take_part(conn, ends):
                parked.append(park_unknown_participant(place, 1))
            elif ends and fact.subject not in ends:
                parked.append(park_wrong_subject(place))
            elif fact.observed_at > message.received_at + _CLOCK_TOLERANCE:
                parked.append(park_future_dated(place, fact.observed_at))
            else:
                facts.append(build_sent_fact(self.keys, fact, new_id, content.site, site))
        return facts, sorted(parked, key=lambda item: find_line_number(item.path) or 0)

    def _find_subject(
        self,
        conn: Connection,
        patient_ids: tuple[PatientKey, ...],
        site: str,
        subjects: Mapping[PatientKey, str],
    ) -> str | ParkedItem | None:
        matches = {subjects[key] for key in patient_ids if key in subjects}
        if len(matches) > 1:
            detail = "its identifiers belong to several participants: send a merge, or correct it"
            return ParkedItem("PID.3", ParkReason.AMBIGUOUS_PARTICIPANT, detail)
        for subject in matches:
            if self._find_site(conn, subject) == site:
                return subject
        return None

    def _find_site(self, conn: Connection, subject: str) -> str | None:
        if subject not in self._site_of:
            participant = participants.load_participant(conn, subject)
            if participant is None or participant.study != self.study:
                return None
            self._site_of[subject] = participant.site
        return self._site_of[subject]

    def _take_part(self, conn: Connection, subjects: Iterable[str]) -> bool:
        """Return True when all *subjects* are participants of the study."""
        return all(self._find_site(conn, subject) for subject in subjects)

    def _build_merge_or_move(
        self,
        conn: Connection,
        message: RawMessage,
        draft: MergeDraft | MoveDraft,
        subjects: Mapping[PatientKey, str],
    ) -> list[Fact] | ParkedItem:
        """Return the facts of a merge or a move, or its parked item."""
        pair = [
            self._find_subject(conn, patient_ids, message.site, subjects)
            for patient_ids in draft.ends
        ]
        for subject in pair:
            if isinstance(subject, ParkedItem):
                return replace(subject, path=draft.path)
        first_subject, second_subject = pair
        if not isinstance(first_subject, str) or not isinstance(second_subject, str):
            if not first_subject and not second_subject:
                return park_unknown_participant(draft.path, 1)
            return park_missing_end(draft, 1 if first_subject else 0)
        if isinstance(draft, MergeDraft):
            return build_pair_facts(
                message, draft, Merge(first_subject, second_subject, undone=draft.is_reversal)
            )
        visit, new_visit = (
            hash_visit(self.keys, message.site, v) for v in (draft.visit, draft.new_visit)
        )
        has_others = participants.count_identifiers(conn, first_subject) > len(draft.source)
        return park_unclear_move(
            draft, to_themselves=first_subject == second_subject, has_others=has_others
        ) or build_pair_facts(message, draft, Move(first_subject, second_subject, visit, new_visit))


def _iterate_keys(content: MessageContent | FactsContent) -> Iterable[PatientKey]:
    """Yield every identifier in a message."""
    if isinstance(content, FactsContent):
        return
    for draft in content.drafts:
        yield from draft.patient_ids
    for draft_pair in content.merges_and_moves:
        for patient_ids in draft_pair.ends:
            yield from patient_ids
