"""What the fold says of each participant: state, episodes and standings, version by version."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime

from sqlalchemy import Connection, Select, and_, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from services.runtime import wire
from services.store import audit
from services.store.tables import episode, participant, participant_state, standing
from services.vocabulary.episode import Episode
from services.vocabulary.standing import Standing


@dataclass(frozen=True, slots=True)
class StateRow:
    """How far a participant is folded: inbox and fence of the step.

    Args:
        subject: Pseudonym.
        folded_through: The last seq whose effects are recorded.
        version: Counts the steps; 0 before the first.
        rules_version: Of the step that wrote it.
        digest: Of the fold's content, or empty.
        quarantined_seq: The seq at which folding failed; None when it did not.
        error: What failed, without identifiers.
    """

    subject: str
    folded_through: int = 0
    version: int = 0
    rules_version: str = ""
    digest: str = ""
    quarantined_seq: int | None = None
    error: str = ""


@dataclass(frozen=True, slots=True)
class StandingRow:
    """One version of a standing: known since *known_at*, because of the fact *seq*.

    *version* 0 lets `append_standings` count.
    """

    standing: Standing
    known_at: datetime
    seq: int
    version: int = 0


def load_state(conn: Connection, subject: str) -> StateRow:
    """Return the state of *subject*; version 0 when it was never folded."""
    query = select(participant_state).where(participant_state.c.subject == subject)
    row = conn.execute(query).mappings().one_or_none()
    return StateRow(subject) if row is None else StateRow(**row)


def load_states(conn: Connection) -> list[StateRow]:
    """Return every state, in the order of pseudonyms."""
    query = select(participant_state).order_by(participant_state.c.subject)
    return [StateRow(**row) for row in conn.execute(query).mappings()]


def under_other_rules(conn: Connection, rules_version: str, limit: int) -> list[str]:
    """Return up to *limit* subjects that were folded under rules other than *rules_version*."""
    state = participant_state.c
    query = select(state.subject).where(state.rules_version.not_in(["", rules_version]))
    query = query.where(state.quarantined_seq.is_(None)).order_by(state.subject)
    return list(conn.scalars(query.limit(limit)))


def advance(conn: Connection, old: StateRow, new: StateRow) -> bool:
    """Replace *old* by *new*, which gets the next version.

    Returns:
        False when somebody else was faster: the caller rolls back, drops its cache and reloads.
    """
    row = asdict(replace(new, version=old.version + 1))
    if old.version == 0:
        try:
            conn.execute(insert(participant_state), row)
        except IntegrityError:
            return False
    else:
        state = participant_state.c
        moved = conn.execute(
            update(participant_state)
            .where(state.subject == old.subject, state.version == old.version)
            .values(row)
        )
        if moved.rowcount != 1:
            return False
    action = audit.CHANGED if old.version else audit.INSERTED
    audit.record(conn, participant_state, [row], action=action)
    return True


def quarantine(conn: Connection, old: StateRow, seq: int, error: str) -> bool:
    """Set *old* aside at *seq* because of *error*; False when somebody else was faster."""
    return advance(conn, old, replace(old, quarantined_seq=seq, error=error))


def release(conn: Connection, old: StateRow) -> bool:
    """Let *old* be folded again; False when somebody else was faster."""
    return advance(conn, old, replace(old, quarantined_seq=None, error=""))


def quarantined(conn: Connection) -> list[StateRow]:
    """Return the states that are set aside."""
    return [state for state in load_states(conn) if state.quarantined_seq is not None]


def append_episodes(conn: Connection, subject: str, episodes: Sequence[Episode]) -> None:
    """Add versions of episodes of *subject* (the surviving participant).

    Raises:
        sqlalchemy.exc.IntegrityError: A version exists already.
    """
    rows = [
        {
            "id": one.id,
            "version": one.version,
            "subject": subject,
            "criterion": one.content.criterion,
            "seq": one.seq,
            "recorded_at": one.recorded_at,
            "rules_version": one.rules_version,
            "cause": one.cause,
            "retracted": one.retracted,
            "merged_into": one.merged_into,
            "payload": wire.canonical(one.content),
        }
        for one in episodes
    ]
    audit.add(conn, episode, rows)


def latest_episodes(
    conn: Connection, subject: str | None = None, as_of: datetime | None = None
) -> list[Episode]:
    """Return the newest version of each episode, retracted ones included, as known at *as_of*."""
    newest = select(episode.c.id, func.max(episode.c.version).label("version")).group_by(
        episode.c.id
    )
    if as_of is not None:
        newest = newest.where(episode.c.recorded_at <= as_of)
    if subject is not None:
        newest = newest.where(episode.c.subject == subject)
    last = newest.subquery()
    query = select(episode).join(
        last, and_(episode.c.id == last.c.id, episode.c.version == last.c.version)
    )
    return _episodes(conn, query)


def episode_versions(
    conn: Connection, subject: str | None = None, episode_id: str | None = None
) -> list[Episode]:
    """Return every version of every episode: of *subject*, or of one episode, when given."""
    query = select(episode)
    if subject is not None:
        query = query.where(episode.c.subject == subject)
    if episode_id is not None:
        query = query.where(episode.c.id == episode_id)
    return _episodes(conn, query)


def count_versions(conn: Connection) -> int:
    """Return how many versions of episodes there are."""
    return int(conn.scalar(select(func.count()).select_from(episode)) or 0)


def append_standings(conn: Connection, rows: Sequence[StandingRow]) -> list[StandingRow]:
    """Add those of *rows* that differ from the latest of their participant and rule.

    Returns:
        What was added, with its versions.
    """
    latest: dict[tuple[str, str], StandingRow] = {}
    for subject in sorted({row.standing.participant for row in rows}):
        for row in _standings(conn, _latest_standings(subject=subject)):
            latest[subject, row.standing.rule] = row
    added = []
    for row in rows:
        key = row.standing.participant, row.standing.rule
        before = latest.get(key)
        if before is None or before.standing != row.standing:
            version = row.version or (1 if before is None else before.version + 1)
            latest[key] = replace(row, version=version)
            added.append(latest[key])
    audit.add(
        conn,
        standing,
        [
            {
                "subject": row.standing.participant,
                "rule": row.standing.rule,
                "version": row.version,
                "known_at": row.known_at,
                "seq": row.seq,
                "payload": wire.canonical(row.standing),
            }
            for row in added
        ],
    )
    return added


def latest_standings(
    conn: Connection, study: str, as_of: datetime | None = None
) -> list[StandingRow]:
    """Return the newest standing of each participant of *study* and rule, as known at *as_of*."""
    of_study = standing.c.subject.in_(
        select(participant.c.subject).where(participant.c.study == study)
    )
    return _standings(conn, _latest_standings(as_of=as_of).where(of_study))


def standings_of(conn: Connection, subject: str) -> list[StandingRow]:
    """Return the newest standing of *subject* under each rule."""
    return _standings(conn, _latest_standings(subject=subject))


def standing_versions_of(conn: Connection, subject: str) -> list[StandingRow]:
    """Return every version of every standing of *subject*."""
    return _standings(conn, select(standing).where(standing.c.subject == subject))


def standing_versions(conn: Connection, study: str) -> list[StandingRow]:
    """Return every version of every standing of *study*, in the order in which it was known."""
    of_study = participant.c.study == study
    query = (
        select(standing)
        .join(participant, participant.c.subject == standing.c.subject)
        .where(of_study)
    )
    rows = _standings(conn, query)
    return sorted(rows, key=lambda row: (row.known_at, row.standing.participant, row.seq))


def _latest_standings(
    *, subject: str | None = None, as_of: datetime | None = None
) -> Select[tuple[object, ...]]:
    table = standing.c
    newest = select(table.subject, table.rule, func.max(table.version).label("version"))
    if subject is not None:
        newest = newest.where(table.subject == subject)
    if as_of is not None:
        newest = newest.where(table.known_at <= as_of)
    last = newest.group_by(table.subject, table.rule).subquery()
    return select(standing).join(
        last,
        and_(
            table.subject == last.c.subject,
            table.rule == last.c.rule,
            table.version == last.c.version,
        ),
    )


def _standings(conn: Connection, query: Select[tuple[object, ...]]) -> list[StandingRow]:
    table = standing.c
    ordered = query.order_by(table.subject, table.rule, table.version)
    return [
        StandingRow(wire.read_standing(row.payload), row.known_at, row.seq, row.version)
        for row in conn.execute(ordered)
    ]


def _episodes(conn: Connection, query: Select[tuple[object, ...]]) -> list[Episode]:
    table = episode.c
    ordered = query.order_by(table.subject, table.criterion, table.id, table.version)
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
        for row in conn.execute(ordered)
    ]
