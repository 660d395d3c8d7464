"""Sign-ins of persons, by the hash of a secret: in the database, so that they can be ended."""

import hashlib
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import ColumnElement, Connection, select, update

from services.store import audit
from services.store.tables import sign_in as table


class Use(StrEnum):
    """The place for which a secret is good; it is good for no other."""

    BROWSER = "browser"
    COMMAND_LINE = "command line"
    SIGNATURE = "signature"  # one act, by who has just been asked by the provider


@dataclass(frozen=True, slots=True)
class SignIn:
    """One person who is signed in at one place.

    Attributes:
        hash: sha256 of the secret.
        person: Their id.
        use: Browser or command line.
        began_at: Aware, as are the others.
        used_at: Of the last use, to the minute.
        expires_at: However much it is used.
        ended_at: By the person, by a new password, or with the person; None: it is not.
    """

    hash: str
    person: str
    use: Use
    began_at: datetime
    used_at: datetime
    expires_at: datetime
    ended_at: datetime | None = None


def hash_secret(secret: str) -> str:
    """Return the sha256 of *secret* (32 random bytes); the secret itself is never stored."""
    return hashlib.sha256(secret.encode()).hexdigest()


def add_sign_in(conn: Connection, sign_in: SignIn) -> None:
    """Let somebody be signed in."""
    audit.insert_audited(conn, table, [asdict(sign_in)], actor=sign_in.person)


def find_sign_in(conn: Connection, secret: str) -> SignIn | None:
    """Return the sign-in of *secret*, also one that ended or expired; None: it is unknown."""
    query = select(table).where(table.c.hash == hash_secret(secret))
    row = conn.execute(query).mappings().one_or_none()
    return None if row is None else SignIn(**{**row, "use": Use(row["use"])})


def load_open_sign_ins(
    conn: Connection, person_id: str, use: Use, instant: datetime
) -> list[SignIn]:
    """Return the sign-ins of a person for *use* that are good at *instant*, the oldest first."""
    columns = table.c
    query = select(table).where(
        columns.person == person_id,
        columns.use == use,
        columns.ended_at.is_(None),
        columns.expires_at > instant,
    )
    rows = conn.execute(query.order_by(columns.began_at, columns.hash)).mappings()
    return [SignIn(**{**row, "use": Use(row["use"])}) for row in rows]


def find_earlier_use(conn: Connection, sign_in: SignIn) -> datetime | None:
    """Return the last use of the sign-in before *sign_in*, of its person and place; None: none."""
    columns = table.c
    query = select(columns.used_at).where(
        columns.person == sign_in.person,
        columns.use == sign_in.use,
        columns.began_at < sign_in.began_at,
    )
    return conn.scalar(query.order_by(columns.began_at.desc()).limit(1))


def record_use(conn: Connection, sign_in: SignIn, instant: datetime) -> None:
    """Store *instant* as that of the last use; it is no part of the audit trail."""
    conn.execute(update(table).where(table.c.hash == sign_in.hash).values(used_at=instant))


def end_sign_in(conn: Connection, sign_in: SignIn, instant: datetime, *, actor: str) -> None:
    """Let *sign_in* be good for nothing any more."""
    _end(conn, table.c.hash == sign_in.hash, instant, actor)


def end_sign_ins_of(conn: Connection, person_id: str, instant: datetime, *, actor: str) -> int:
    """Sign a person out everywhere; return at how many places they were signed in."""
    return _end(conn, table.c.person == person_id, instant, actor)


def _end(conn: Connection, condition: ColumnElement[bool], instant: datetime, actor: str) -> int:
    statement = update(table).where(condition, table.c.ended_at.is_(None))
    result = conn.execute(statement.values(ended_at=instant).returning(*table.c))
    rows = [dict(row) for row in result.mappings()]
    audit.record_rows(conn, table, rows, action=audit.CHANGE, actor=actor)
    return len(rows)
