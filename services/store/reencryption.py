"""Messages encrypted again with the newest key, some at a time, in the order of their ids."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, func, select, update

from services.store import audit, vault
from services.store.tables import raw_message
from services.store.vault import Ciphertext, Keys, VaultError

_IDS_AT_ONCE = 1_000
_MESSAGES_AT_ONCE = 100
_BYTES_AT_ONCE = 4 * 1024 * 1024  # the writers of SQLite wait meanwhile

_REPLACE = (
    update(raw_message)
    .where(raw_message.c.id == bindparam("message"))
    .values(key_id=bindparam("new_key_id"), body=bindparam("new_body"))
)


@dataclass(frozen=True, slots=True)
class Selection:
    """Some messages that another key encrypted, and the id up to which there are no others.

    *last_id* is empty at the end of the table.
    """

    messages: tuple[str, ...]
    last_id: str


def count_messages_by_key(conn: Connection) -> Mapping[str, int]:
    """Return the number of messages that each key encrypted; reads the whole table."""
    key_id = raw_message.c.key_id
    rows = conn.execute(select(key_id, func.count()).group_by(key_id))
    return {row[0]: int(row[1]) for row in rows}


def is_needed(conn: Connection, key_id: str) -> bool:
    """Return True if any message is encrypted with the key *key_id*."""
    query = select(raw_message.c.id).where(raw_message.c.key_id == key_id).limit(1)
    return conn.execute(query).first() is not None


def select_outdated_messages(conn: Connection, key_id: str, after_id: str) -> Selection:
    """Return the next messages that are not encrypted with the key *key_id*.

    Args:
        conn: Of one `Database.read`.
        key_id: Of the key that encrypts.
        after_id: The id up to which there are none; empty: from the first on.
    """
    columns = raw_message.c.id, raw_message.c.key_id, func.length(raw_message.c.body)
    query = select(*columns).where(raw_message.c.id > after_id).order_by(raw_message.c.id)
    rows = conn.execute(query.limit(_IDS_AT_ONCE)).all()
    selected_ids: list[str] = []
    byte_count = 0
    for message_id, message_key_id, length in rows:
        if message_key_id != key_id:
            byte_count += length
            selected_ids.append(message_id)
        if len(selected_ids) == _MESSAGES_AT_ONCE or byte_count > _BYTES_AT_ONCE:
            return Selection(tuple(selected_ids), message_id)
    return Selection(tuple(selected_ids), rows[-1].id if len(rows) == _IDS_AT_ONCE else "")


def reencrypt_messages(
    conn: Connection, keys: Keys, key_id: str, messages: Sequence[str]
) -> list[str]:
    """Encrypt *messages* again with the key *key_id*; return the ids of those that cannot be read.

    Those stay as they are: `aegis verify` names them.
    """
    query = select(raw_message).where(
        raw_message.c.id.in_(messages), raw_message.c.key_id != key_id
    )
    rows, unreadable_ids = [], []
    for row in conn.execute(query).mappings():
        try:
            body = vault.decrypt(keys, row["id"], Ciphertext(row["key_id"], row["body"]))
        except VaultError:
            unreadable_ids.append(row["id"])
            continue
        ciphertext = vault.encrypt(keys, key_id, row["id"], body)
        rows.append({**row, "key_id": ciphertext.key_id, "body": ciphertext.data})
    if rows:
        values = [
            {"message": row["id"], "new_key_id": row["key_id"], "new_body": row["body"]}
            for row in rows
        ]
        conn.execute(_REPLACE, values)
        audit.record_rows(
            conn, raw_message, rows, action=audit.CHANGE, detail=f"encrypted again with {key_id}"
        )
    return unreadable_ids
