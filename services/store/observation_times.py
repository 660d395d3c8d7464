"""The last instants at which participants were observed: any dated fact but those on the record."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Connection, Select, bindparam, func, select

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
    query = _select_last_observations(
        of_study=study is not None, of_subjects=subjects is not None, is_cut=as_of is not None
    )
    parts = [()] if subjects is None else split_into_parts(subjects)
    return {
        subject: until
        for part in parts
        for subject, until in conn.execute(
            query, {"study": study, "subjects": part, "as_of": as_of}
        )
        if until is not None
    }


@cache  # a statement that is made once is read by its library once
def _select_last_observations(*, of_study: bool, of_subjects: bool, is_cut: bool) -> Select[Any]:
    """Return the query of the last observations; what it is of are its parameters."""
    table = facts_table.c
    latest = (
        select(table.observed_at)
        .where(table.subject == participant.c.subject)
        .where(table.kind.not_in(NOT_CLINICAL))
        .order_by(table.observed_at.desc())
        .limit(1)
    )
    if is_cut:
        latest = latest.where(table.received_at <= bindparam("as_of"))
    query = select(participant.c.subject, latest.scalar_subquery())
    if of_study:
        query = query.where(participant.c.study == bindparam("study"))
    if of_subjects:
        query = query.where(participant.c.subject.in_(bindparam("subjects", expanding=True)))
    return query


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
