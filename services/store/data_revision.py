"""The revision of stored data: a text that is another one once anything was stored or folded."""

import hashlib

from sqlalchemy import Connection, select

from services.store.positions import list_positions
from services.store.tables import audit


def find_data_revision(conn: Connection, study: str) -> str:
    """Return the revision of the data of *study*, in 64 hexadecimal digits.

    It is that of every fact and every step of the rules, with the last row of the audit trail: a
    database that was put back and went on otherwise has another.
    """
    columns = (audit.c.id, audit.c.at, audit.c.sha256)
    last_row = conn.execute(select(*columns).order_by(audit.c.id.desc()).limit(1)).one_or_none()
    lines = [*sorted(list_positions(conn, study)), *map(str, last_row or ())]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
