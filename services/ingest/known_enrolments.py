"""Stored enrolments that lines of a file are compared with, read for many lines at once."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain, count

from services.store import journal, participants
from services.store.participants import Participant
from services.store.session import Connection
from services.store.vault import Keys
from services.vocabulary.fact import Fact, Status

SENDER = "participants|import"
KINDS = ("enrolment", "transplant")  # of the facts that a line makes


@dataclass(slots=True)
class KnownEnrolments:
    """The stored state that lines of a file are compared with.

    Args:
        participants: By pseudonym.
        subjects: Pseudonyms by the hash of an identifier.
        control_ids: Those of earlier lines of the same content.
        last_facts: The last fact of each series that an import made.
    """

    participants: dict[str, Participant]
    subjects: dict[str, str]
    control_ids: set[str]
    last_facts: dict[str, Fact]

    def find_conflict(self, candidate: Participant, identifier_hash: str) -> str:
        """Return the reason why *candidate* cannot have the identifier; empty when it can."""
        namesake = self.participants.get(candidate.subject, candidate)
        if (namesake.study, namesake.site) != (candidate.study, candidate.site):
            return f"pseudonym {candidate.subject} is taken by another study or site"
        leads_to = self.subjects.get(identifier_hash, candidate.subject)
        if leads_to != candidate.subject:
            return f"the identifier of {candidate.subject} already leads to {leads_to}"
        return ""

    def choose_control_id(self, digest: str) -> str:
        """Return *digest*, with a number when such a line is stored: it may correct another."""
        return next(one for one in _list_control_ids(digest) if one not in self.control_ids)

    def remember_facts(self, facts: Sequence[Fact]) -> None:
        """Let each of *facts* be the last one of its series, unless a later one is known."""
        for fact in facts:
            last = self.last_facts.get(fact.series, fact)
            self.last_facts[fact.series] = max(last, fact, key=_order_of_report)


def name_series(subject: str, kind: str) -> str:
    """Return the series of the facts of *kind* that imports make about *subject*."""
    return f"{SENDER}|{subject}|{kind}"


def load_known_enrolments(
    conn: Connection,
    keys: Keys,
    subjects: Sequence[str],
    identifier_hashes: Sequence[str],
    digests: Sequence[str],
) -> KnownEnrolments:
    """Return the enrolments of *subjects*, *identifier_hashes* and lines with *digests*."""
    enrolments = KnownEnrolments(
        participants=dict(participants.load_participants(conn, subjects=subjects)),
        subjects=dict(participants.find_subjects(conn, identifier_hashes)),
        control_ids=_find_control_ids(conn, keys, digests),
        last_facts={},
    )
    facts = [one.fact for one in journal.load_facts_of_kinds(conn, KINDS, subjects)]
    enrolments.remember_facts([one for one in facts if one.series.startswith(f"{SENDER}|")])
    return enrolments


def _find_control_ids(conn: Connection, keys: Keys, digests: Sequence[str]) -> set[str]:
    """Return the stored control ids of lines with *digests*: numbered without a gap."""
    stored_ids: set[str] = set()
    sequences: Mapping[str, Iterator[str]] = {one: _list_control_ids(one) for one in digests}
    unchecked_ids = {next(control_ids): digest for digest, control_ids in sequences.items()}
    while unchecked_ids:
        found_ids = journal.find_payload_hashes(
            conn, keys, [(SENDER, one) for one in unchecked_ids]
        )
        stored_ids.update(control_id for _, control_id in found_ids)
        unchecked_ids = {
            next(sequences[unchecked_ids[one]]): unchecked_ids[one] for _, one in found_ids
        }
    return stored_ids


def _list_control_ids(digest: str) -> Iterator[str]:
    return chain([digest], (f"{digest}|{number}" for number in count(2)))


def _order_of_report(fact: Fact) -> tuple[datetime, bool, str]:
    """Return the sort key of facts of imports, as grading orders them: the last one stands."""
    return fact.reported_at, fact.status is not Status.FINAL, fact.digest
