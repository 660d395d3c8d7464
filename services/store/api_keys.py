"""API keys of sites, stored only as hashes."""

import hashlib
import hmac
from datetime import datetime

from sqlalchemy import Connection, select, update

from services.store import audit
from services.store.tables import api_key


def hash_api_key(key: str) -> str:
    """Return the sha256 of *key* (32 random bytes or more); the key itself is never stored."""
    return hashlib.sha256(key.encode()).hexdigest()


def add_api_key(conn: Connection, key: str, site: str, instant: datetime, *, actor: str) -> None:
    """Allow the holder of *key* to send for *site*."""
    row = {"hash": hash_api_key(key), "site": site, "created_at": instant, "revoked_at": None}
    audit.insert_audited(conn, api_key, [row], actor=actor)


def find_site_of_api_key(conn: Connection, key: str) -> str | None:
    """Return the site that *key* may send for; None when it is unknown or revoked."""
    key_hash = hash_api_key(key)
    query = select(api_key).where(api_key.c.hash == key_hash, api_key.c.revoked_at.is_(None))
    row = conn.execute(query).one_or_none()
    return row.site if row is not None and hmac.compare_digest(row.hash, key_hash) else None


def revoke_api_keys(conn: Connection, site: str, instant: datetime, *, actor: str) -> int:
    """Revoke all keys of *site*; return their number."""
    statement = (
        update(api_key)
        .where(api_key.c.site == site, api_key.c.revoked_at.is_(None))
        .values(revoked_at=instant)
        .returning(*api_key.c)
    )
    rows = [dict(row) for row in conn.execute(statement).mappings()]
    audit.record_rows(conn, api_key, rows, action=audit.CHANGE, actor=actor)
    return len(rows)
