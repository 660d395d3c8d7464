"""The last instants at which participants were observed: any dated fact but those on the record."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection, func, select

from services.store.bulk import split_into_parts
from services.store.participant_order import JOINING_KINDS
from services.store.tables import fact as facts_table
from services.store.tables import participant

NOT_CLINICAL = (*JOINING_KINDS, "adjudication", "enrolment", "determination", "protocol-activation")


def find_last_observations(
    conn: Connection,
    as_of: datetime | None = None,
    study: str | None = None,
    *,
    subjects: Sequence[str] | None = None,
) -> Mapping[str, datetime]:
    """Return the last instant at which each participant was observed, as known at *as_of*.

    Any dated fact counts, except those about the record itself (`NOT_CLINICAL`). Of *subjects*
    alone, when they are given.
    """
    table = facts_table.c
    latest = (
        select(table.observed_at)
        .where(table.subject == participant.c.subject)
        .where(table.kind.not_in(NOT_CLINICAL))
        .order_by(table.observed_at.desc())
        .limit(1)
    )
    if as_of is not None:
        latest = latest.where(table.received_at <= as_of)
    query = select(participant.c.subject, latest.scalar_subquery())
    if study is not None:
        query = query.where(participant.c.study == study)
    queries = [query]
    if subjects is not None:
        parts = split_into_parts(subjects)
        queries = [query.where(participant.c.subject.in_(part)) for part in parts]
    return {
        subject: until
        for one in queries
        for subject, until in conn.execute(one)
        if until is not None
    }


def load_observation_instants(
    conn: Connection, study: str, as_of: datetime | None = None
) -> list[tuple[datetime, str, datetime]]:
    """Return the changes of `find_last_observations`, in the order in which they became known.

    Each is the instant of knowledge, the subject, and the latest instant observed then.
    """
    table = facts_table.c
    query = (
        select(table.received_at, table.subject, func.max(table.observed_at))
        .join(participant, participant.c.subject == table.subject)
        .where(participant.c.study == study, table.kind.not_in(NOT_CLINICAL))
        .group_by(table.received_at, table.subject)
        .order_by(table.received_at, table.subject)
    )
    if as_of is not None:
        query = query.where(table.received_at <= as_of)
    return [(at, subject, until) for at, subject, until in conn.execute(query)]
