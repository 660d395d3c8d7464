"""Leases: time-limited, exclusive rights of one process to do a job."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, select, update

from services.store import audit
from services.store.bulk import insert_if_new
from services.store.tables import lease

NAMES = ("rules", "alerts", "sealer", "waker", "relay", "reencryption")
LONGEST_S = 600


def acquire_lease(
    conn: Connection,
    name: str,
    holder: str,
    instant: datetime,
    for_s: float,
    *,
    abandoned_end: datetime | None = None,
) -> bool:
    """Acquire or renew the lease *name* until *instant* + *for_s*; return False when it is taken.

    The lease of another holder is free when it has ended, or when it still ends at
    *abandoned_end*: the caller has seen that nobody renewed it for as long as a lease lasts.

    Raises:
        ValueError: The name is unknown, the holder empty, or *for_s* not in (0, `LONGEST_S`].
    """
    if name not in NAMES or not holder or not 0 < for_s <= LONGEST_S:
        raise ValueError(f"no such lease: {name!r} for {for_s} s by {holder!r}")
    row = {
        "name": name,
        "holder": holder,
        "since": instant,
        "until": instant + timedelta(seconds=for_s),
    }
    current = conn.execute(select(lease).where(lease.c.name == name)).mappings().one_or_none()
    if current is None:
        is_new = bool(insert_if_new(conn, lease, [row]))
        if is_new:
            audit.record_rows(conn, lease, [row], actor=holder)
        return is_new
    if (
        current["holder"] != holder
        and current["until"] > instant
        and current["until"] != abandoned_end
    ):
        return False
    result = conn.execute(
        update(lease)
        .where(lease.c.name == name, lease.c.holder == current["holder"])
        .where(lease.c.until == current["until"])
        .values(row)
    )
    if result.rowcount == 1 and current["holder"] != holder:
        audit.record_rows(conn, lease, [row], action=audit.CHANGE, actor=holder)
    return result.rowcount == 1


def find_lease_end(conn: Connection, name: str) -> datetime | None:
    """Return the end of the lease *name* by its holder's clock; None when nobody holds it."""
    return conn.scalars(select(lease.c.until).where(lease.c.name == name)).one_or_none()


def find_lease_holder(conn: Connection, name: str) -> tuple[str, datetime] | None:
    """Return the holder of the lease *name* and its end; None when nobody holds it."""
    row = conn.execute(select(lease.c.holder, lease.c.until).where(lease.c.name == name)).first()
    return None if row is None else (row.holder, row.until)


def release_lease(conn: Connection, name: str, holder: str) -> None:
    """Release the lease *name* if *holder* has it."""
    result = conn.execute(delete(lease).where(lease.c.name == name, lease.c.holder == holder))
    if result.rowcount:
        audit.record_deletion(conn, lease, [{"name": name}], actor=holder)


def expire_lease(conn: Connection, name: str, holder: str, instant: datetime) -> None:
    """End the lease *name* at *instant* if *holder* has it; the audit trail gets no row of it."""
    is_mine = (lease.c.name == name) & (lease.c.holder == holder)
    conn.execute(update(lease).where(is_mine).values(until=instant))


def is_held(conn: Connection, names: Sequence[str], instant: datetime) -> bool:
    """Return True when any of the leases *names* is held at *instant*."""
    query = select(lease.c.name).where(lease.c.name.in_(names), lease.c.until > instant)
    return conn.execute(query.limit(1)).first() is not None
