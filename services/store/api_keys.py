"""API keys of sites, stored only as hashes, and when each was used last."""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from importlib import import_module

from sqlalchemy import ColumnElement, Connection, RowMapping, select, update

from services.store import audit
from services.store.tables import api_key, api_key_use


class KeyState(StrEnum):
    """The state of a key at some instant."""

    VALID = "valid"
    EXPIRED = "expired"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key as it is stored.

    Args:
        hash: sha256 of the key.
        site: The site that it speaks for.
        name: Of the key within its site.
        created_at: Aware, as are the others.
        expires_at: From when it is not valid; None: never.
        revoked_at: When somebody revoked it.
        used_at: Of its last use, to the hour.
    """

    hash: str
    site: str
    name: str
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    used_at: datetime | None = None

    def assess(self, instant: datetime) -> KeyState:
        """Return its state at *instant*."""
        if self.revoked_at is not None:
            return KeyState.REVOKED
        if self.expires_at is not None and instant >= self.expires_at:
            return KeyState.EXPIRED
        return KeyState.VALID


def hash_api_key(key: str) -> str:
    """Return the sha256 of *key* (32 random bytes or more); the key itself is never stored."""
    return hashlib.sha256(key.encode()).hexdigest()


def add_api_key(
    conn: Connection,
    key: str,
    site: str,
    instant: datetime,
    *,
    actor: str,
    name: str | None = None,
    expires_at: datetime | None = None,
) -> None:
    """Allow the holder of *key* to send for *site*, until *expires_at* if that is given."""
    row = {
        "hash": hash_api_key(key),
        "site": site,
        "name": name,
        "created_at": instant,
        "expires_at": expires_at,
        "revoked_at": None,
    }
    audit.insert_audited(conn, api_key, [row], actor=actor)


def load_api_keys(conn: Connection, site: str | None = None) -> list[ApiKey]:
    """Return all keys, by site and then oldest first; of *site* only, if given."""
    query = _SELECTION.order_by(api_key.c.site, api_key.c.created_at, api_key.c.name)
    if site is not None:
        query = query.where(api_key.c.site == site)
    return [_read_key(row) for row in conn.execute(query).mappings()]


def find_valid_api_key(conn: Connection, key: str, instant: datetime) -> ApiKey | None:
    """Return the stored key; None when *key* is unknown, expired or revoked."""
    key_hash = hash_api_key(key)
    row = conn.execute(_SELECTION.where(api_key.c.hash == key_hash)).mappings().one_or_none()
    if row is None or not hmac.compare_digest(row["hash"], key_hash):
        return None
    stored_key = _read_key(row)
    return stored_key if stored_key.assess(instant) is KeyState.VALID else None


def revoke_api_keys(
    conn: Connection, site: str, instant: datetime, *, actor: str, key_hash: str | None = None
) -> int:
    """Revoke all keys of *site*, or the one of *key_hash*; return their number."""
    condition = (api_key.c.site == site) & api_key.c.revoked_at.is_(None)
    if key_hash is not None:
        condition &= api_key.c.hash == key_hash
    return _change_keys(conn, condition, {"revoked_at": instant}, actor)


def let_api_key_expire(conn: Connection, key_hash: str, instant: datetime, *, actor: str) -> None:
    """Let the key of *key_hash* be valid until *instant*, unless it ends before."""
    is_longer = api_key.c.expires_at.is_(None) | (api_key.c.expires_at > instant)
    condition = (api_key.c.hash == key_hash) & is_longer
    _change_keys(conn, condition, {"expires_at": instant}, actor)


def record_api_key_use(conn: Connection, key_hash: str, instant: datetime) -> None:
    """Store *instant* as that of the last use of a key; it is no part of the audit trail."""
    insert = import_module(f"sqlalchemy.dialects.{conn.dialect.name}").insert
    statement = insert(api_key_use).values(hash=key_hash, used_at=instant)
    conn.execute(
        statement.on_conflict_do_update(
            index_elements=[api_key_use.c.hash], set_={"used_at": statement.excluded.used_at}
        )
    )


_SELECTION = select(api_key, api_key_use.c.used_at).outerjoin(
    api_key_use, api_key_use.c.hash == api_key.c.hash
)
_NAME_LENGTH = 8  # of a hash that names a key from before keys had names


def _read_key(row: RowMapping) -> ApiKey:
    name = row["name"] or str(row["hash"])[:_NAME_LENGTH]
    return ApiKey(**{**row, "name": name})


def _change_keys(
    conn: Connection, condition: ColumnElement[bool], values: audit.Row, actor: str
) -> int:
    statement = update(api_key).where(condition).values(dict(values)).returning(*api_key.c)
    rows = [dict(row) for row in conn.execute(statement).mappings()]
    audit.record_rows(conn, api_key, rows, action=audit.CHANGE, actor=actor)
    return len(rows)
