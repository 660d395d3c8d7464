"""Episodes and standings of participants, version by version."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Connection, Select, and_, bindparam, exists, func, select

from services.runtime import wire
from services.runtime.canonical_json import write_canonical
from services.store import audit
from services.store.bulk import match_any, split_into_parts
from services.store.rules_aliases import list_columns
from services.store.tables import episode, participant, standing
from services.vocabulary.episode import Episode
from services.vocabulary.standing import Standing

_NEWEST_EPISODES = select(episode.c.id, func.max(episode.c.version).label("version")).group_by(
    episode.c.id
)


@dataclass(frozen=True, slots=True)
class StandingRow:
    """A version of a standing, known since *known_at* because of the fact *seq*.

    `append_standings` replaces *version* 0 by the next one.
    """

    standing: Standing
    known_at: datetime
    seq: int
    version: int = 0


def append_episodes(conn: Connection, episodes: Sequence[Episode]) -> None:
    """Add versions of episodes, each to the records of its participant (who survives a merge).

    Raises:
        sqlalchemy.exc.IntegrityError: A version exists already.
    """
    rows = [
        {
            "id": one.id,
            "version": one.version,
            "subject": one.content.participant,
            "criterion": one.content.criterion,
            "seq": one.seq,
            "recorded_at": one.recorded_at,
            "rules_version": one.rules_version,
            "cause": one.cause,
            "retracted": one.retracted,
            "merged_into": one.merged_into,
            "payload": write_canonical(one.content),
        }
        for one in episodes
    ]
    audit.insert_audited(conn, episode, rows)


def load_latest_episodes(
    conn: Connection, subject: str | None = None, as_of: datetime | None = None
) -> list[Episode]:
    """Return the newest version of each episode, retracted ones included, as known at *as_of*."""
    newest = _NEWEST_EPISODES
    if as_of is not None:
        newest = newest.where(episode.c.recorded_at <= as_of)
    if subject is not None:
        newest = newest.where(episode.c.subject == subject)
    return _load_episodes(conn, _select_episodes(newest))


def load_latest_episodes_of(conn: Connection, subjects: Sequence[str]) -> list[Episode]:
    """Return the newest version of each episode of each of *subjects*, retracted ones included."""
    newest = _NEWEST_EPISODES.group_by(episode.c.subject)  # beside its id: merged records moved
    return [
        one
        for is_wanted in match_any(conn, episode.c.subject, subjects)
        for one in _load_episodes(conn, _select_episodes(newest.where(is_wanted)))
    ]


def _select_episodes(versions: Select[Any]) -> Select[Any]:
    """Return the query of the rows of *versions* (id, version)."""
    chosen = versions.subquery()
    return select(*list_columns(episode)).join(
        chosen, and_(episode.c.id == chosen.c.id, episode.c.version == chosen.c.version)
    )


def load_episode_versions(
    conn: Connection, subject: str | None = None, episode_id: str | None = None
) -> list[Episode]:
    """Return every version of every episode: of *subject*, or of one episode, when given."""
    query = select(*list_columns(episode))
    if subject is not None:
        query = query.where(episode.c.subject == subject)
    if episode_id is not None:
        query = query.where(episode.c.id == episode_id)
    return _load_episodes(conn, query)


def count_versions(conn: Connection) -> int:
    """Return the number of versions of all episodes."""
    return int(conn.scalar(select(func.count()).select_from(episode)) or 0)


def append_standings(conn: Connection, rows: Sequence[StandingRow]) -> list[StandingRow]:
    """Add those of *rows* that differ from the latest of their participant and rule.

    Returns:
        The added rows, with their versions.
    """
    latest = {
        (row.standing.participant, row.standing.rule): row
        for row in load_standings(conn, list({row.standing.participant for row in rows}))
    }
    additions = []
    for row in rows:
        key = row.standing.participant, row.standing.rule
        previous = latest.get(key)
        if previous is None or previous.standing != row.standing:
            version = row.version or (1 if previous is None else previous.version + 1)
            latest[key] = replace(row, version=version)
            additions.append(latest[key])
    audit.insert_audited(
        conn,
        standing,
        [
            {
                "subject": row.standing.participant,
                "rule": row.standing.rule,
                "version": row.version,
                "known_at": row.known_at,
                "seq": row.seq,
                "payload": write_canonical(row.standing),
            }
            for row in additions
        ],
    )
    return additions


def load_latest_standings(
    conn: Connection,
    study: str,
    as_of: datetime | None = None,
    *,
    subjects: Sequence[str] | None = None,
) -> list[StandingRow]:
    """Return the newest standing of each participant of *study* and rule, as known at *as_of*.

    Of *subjects* alone, when they are given.
    """
    query = _select_latest_standings(
        of_study=True, of_subjects=subjects is not None, is_cut=as_of is not None
    )
    parts = [()] if subjects is None else split_into_parts(subjects)
    return [
        row
        for part in parts
        for row in _load_standing_rows(conn, query, study=study, subjects=part, as_of=as_of)
    ]


def load_standings(conn: Connection, subjects: Sequence[str]) -> list[StandingRow]:
    """Return the newest standing of each of *subjects* under each rule, in their order."""
    query = _select_latest_standings(of_subjects=True)
    return [
        row
        for part in split_into_parts(sorted(subjects))
        for row in _load_standing_rows(conn, query, subjects=part)
    ]


def load_participant_standing_versions(conn: Connection, subject: str) -> list[StandingRow]:
    """Return every version of every standing of *subject*."""
    query = select(standing).where(standing.c.subject == subject)
    return _load_standing_rows(conn, _order_standings(query))


def load_standing_versions(conn: Connection, study: str) -> list[StandingRow]:
    """Return every version of every standing of *study*, in the order in which it was known."""
    of_study = participant.c.study == study
    query = (
        select(standing)
        .join(participant, participant.c.subject == standing.c.subject)
        .where(of_study)
    )
    rows = _load_standing_rows(conn, _order_standings(query))
    return sorted(rows, key=lambda row: (row.known_at, row.standing.participant, row.seq))


@cache  # a statement that is made once is read by its library once
def _select_latest_standings(
    *, of_study: bool = False, of_subjects: bool = False, is_cut: bool = False
) -> Select[tuple[object, ...]]:
    """Return the query of the newest standings; what it is of are its parameters."""
    table, person = standing.c, participant.c
    newest = select(table.subject, table.rule, func.max(table.version).label("version"))
    if of_subjects:
        newest = newest.where(table.subject.in_(bindparam("subjects", expanding=True)))
    if is_cut:
        newest = newest.where(table.known_at <= bindparam("as_of"))
    last = newest.group_by(table.subject, table.rule).subquery()
    query = select(standing).join(
        last,
        and_(
            table.subject == last.c.subject,
            table.rule == last.c.rule,
            table.version == last.c.version,
        ),
    )
    if of_study:
        is_member = person.subject == table.subject
        query = query.where(exists().where(is_member, person.study == bindparam("study")))
    return _order_standings(query)


def _order_standings(query: Select[tuple[object, ...]]) -> Select[tuple[object, ...]]:
    table = standing.c
    return query.order_by(table.subject, table.rule, table.version)


def _load_standing_rows(
    conn: Connection, query: Select[tuple[object, ...]], **parameters: object
) -> list[StandingRow]:
    return [
        StandingRow(wire.read_standing(row.payload), row.known_at, row.seq, row.version)
        for row in conn.execute(query, parameters)
    ]


def _load_episodes(conn: Connection, query: Select[Any]) -> list[Episode]:
    table = episode.c
    ordered_query = query.order_by(table.subject, table.criterion, table.id, table.version)
    return [
        Episode(
            id=row.id,
            version=row.version,
            content=wire.read_episode_content(row.payload),
            seq=row.seq,
            recorded_at=row.recorded_at,
            rules_version=row.rules_version,
            cause=row.cause,
            retracted=row.retracted,
            merged_into=row.merged_into,
        )
        for row in conn.execute(ordered_query)
    ]
