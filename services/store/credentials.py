"""Passwords as hashes, second factors encrypted, and who somebody is at the provider."""

from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import Connection, select, update

from services.store import audit
from services.store.tables import credential as table


@dataclass(frozen=True, slots=True)
class Credential:
    """The proofs that a person can give of who they are.

    Attributes:
        person: Their id.
        password_hash: argon2id, with its parameters; empty: they sign in at the provider.
        provider_subject: Issuer and subject; empty: they never signed in there.
        hidden_totp: The secret of the second factor (`services.store.hidden_text`); None: none.
        totp_step: Of the last code that was taken.
        changed_at: By the person or an administrator.
    """

    person: str
    password_hash: str
    changed_at: datetime
    provider_subject: str = ""
    hidden_totp: str | None = None
    totp_step: int = 0


def load_credential(conn: Connection, person_id: str) -> Credential | None:
    """Return the credential of a person; None: they have none."""
    row = conn.execute(select(table).where(table.c.person == person_id)).mappings().one_or_none()
    return None if row is None else Credential(**row)


def find_provider_person(conn: Connection, subject: str) -> str | None:
    """Return the id of the person who is *subject* at the provider; None: nobody yet."""
    return conn.scalar(select(table.c.person).where(table.c.provider_subject == subject))


def put_credential(conn: Connection, credential: Credential, *, actor: str) -> None:
    """Let *credential* take the place of what its person had."""
    earlier_credential = load_credential(conn, credential.person)
    if earlier_credential is None:
        audit.insert_audited(conn, table, [asdict(credential)], actor=actor)
        return
    if credential != earlier_credential:
        _replace(conn, credential, actor)


def take_totp_step(conn: Connection, person_id: str, step: int) -> bool:
    """Let no code of *step*, or of one before, be taken again; False: one has been."""
    query = select(table).where(table.c.person == person_id).with_for_update()
    row = conn.execute(query).mappings().one()
    if row["totp_step"] >= step:
        return False
    _replace(conn, Credential(**{**row, "totp_step": step}), person_id)
    return True


def _replace(conn: Connection, credential: Credential, actor: str) -> None:
    row = asdict(credential)
    conn.execute(update(table).where(table.c.person == credential.person).values(row))
    audit.record_rows(conn, table, [row], action=audit.CHANGE, actor=actor)
