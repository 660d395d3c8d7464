"""Participants by pseudonym, and the hashed identifiers that lead to them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select

from services.store import audit
from services.store.bulk import match_any
from services.store.tables import identity, participant


@dataclass(frozen=True, slots=True)
class Participant:
    """A pseudonym of *study*, enrolled at *site*; the study itself has its id and no site.

    *last_seq* and *last_received_at* belong to the journal.
    """

    subject: str
    study: str
    site: str
    last_seq: int = 0
    last_received_at: datetime | None = None


def add_participants(
    conn: Connection,
    participants: Sequence[Participant],
    instant: datetime,
    *,
    actor: str = audit.SERVICE,
) -> list[str]:
    """Add those whose pseudonym is new, and return these pseudonyms.

    Raises:
        ValueError: A pseudonym is taken by another study or site.
    """
    known_participants = load_participants(conn, subjects=[one.subject for one in participants])
    newcomers: dict[str, Participant] = {}
    for candidate in participants:
        namesake = known_participants.get(candidate.subject) or newcomers.get(candidate.subject)
        if namesake is None:
            newcomers[candidate.subject] = candidate
        elif (namesake.study, namesake.site) != (candidate.study, candidate.site):
            raise ValueError(f"pseudonym {candidate.subject} is taken by another study or site")
    rows = [
        {
            "subject": one.subject,
            "study": one.study,
            "site": one.site,
            "added_at": instant,
            "last_seq": 0,
            "last_received_at": None,
        }
        for one in newcomers.values()
    ]
    audit.insert_audited(conn, participant, rows, actor=actor)
    return list(newcomers)


def load_participants(
    conn: Connection, study: str | None = None, *, subjects: Sequence[str] | None = None
) -> Mapping[str, Participant]:
    """Return all participants, those of *study*, or *subjects*, in the order of pseudonyms."""
    columns = participant.c
    query = select(
        columns.subject, columns.study, columns.site, columns.last_seq, columns.last_received_at
    ).order_by(columns.subject)
    if study is not None:
        query = query.where(columns.study == study)
    if subjects is not None:
        query = query.where(columns.subject.in_(subjects))
    return {row.subject: Participant(*row) for row in conn.execute(query)}


def load_participant(conn: Connection, subject: str) -> Participant | None:
    """Return one participant; None when nobody has that pseudonym."""
    columns = participant.c
    query = select(
        columns.subject, columns.study, columns.site, columns.last_seq, columns.last_received_at
    ).where(columns.subject == subject)
    row = conn.execute(query).one_or_none()
    return None if row is None else Participant(*row)


def find_last_received(conn: Connection, study: str) -> datetime | None:
    """Return the instant of the last fact about any participant of *study*; None before it."""
    columns = participant.c
    query = select(columns.last_received_at).where(
        columns.study == study, columns.last_received_at.is_not(None)
    )
    return conn.scalar(query.order_by(columns.last_received_at.desc()).limit(1))


@dataclass(frozen=True, slots=True)
class Identifier:
    """The keyed hash of an identifier, the participant that it leads to, and the site's id."""

    hash: str
    subject: str
    site: str


def link_identifiers(
    conn: Connection,
    identifiers: Sequence[Identifier],
    *,
    key_id: str = "",
    instant: datetime,
    actor: str = audit.SERVICE,
) -> None:
    """Link *identifiers*, which are new, to their participants.

    Raises:
        sqlalchemy.exc.IntegrityError: One leads to somebody already.
    """
    rows = [
        {
            "hash": one.hash,
            "subject": one.subject,
            "site": one.site,
            "key_id": key_id,
            "linked_at": instant,
        }
        for one in identifiers
    ]
    audit.insert_audited(conn, identity, rows, actor=actor)


def count_identifiers(conn: Connection, subject: str) -> int:
    """Return the number of identifiers of *subject*."""
    query = select(func.count()).select_from(identity).where(identity.c.subject == subject)
    return int(conn.scalar(query) or 0)


def find_subjects(conn: Connection, hashes: Sequence[str]) -> Mapping[str, str]:
    """Return the participants that *hashes* of identifiers lead to; unknown ones are absent."""
    subject_of = {}
    for is_wanted in match_any(conn, identity.c.hash, hashes):
        query = select(identity.c.hash, identity.c.subject).where(is_wanted)
        subject_of.update({row.hash: row.subject for row in conn.execute(query)})
    return subject_of
