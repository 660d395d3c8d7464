"""The fit of keys to a database: their registered ids, and what each of them has written."""

from collections.abc import Iterator

from sqlalchemy import Connection, inspect, literal, select

from services.store import installation_keys, messages, seal_chain
from services.store.tables import audit_seal, identity, installation_key, raw_message
from services.store.vault import ALL_PURPOSES, Keys, VaultError

_WRITTEN_WITH_KEYS = (raw_message, identity, audit_seal)  # as of the first release


def needs_keys(conn: Connection) -> bool:
    """Return True if anything was written with a key."""
    return any(
        conn.execute(select(literal(1)).select_from(table).limit(1)).first()
        for table in _WRITTEN_WITH_KEYS
    )


def find_key_faults(conn: Connection, keys: Keys) -> Iterator[str]:
    """Yield each proof that the database was written with other keys than *keys*.

    Where no ids are registered, as in the first releases, the key of hashed identifiers leaves
    nothing that it alone can prove.
    """
    if inspect(conn).has_table(installation_key.name):
        registered_keys = installation_keys.load_keys(conn)
        yield from installation_keys.find_wrong_keys(registered_keys, keys, ALL_PURPOSES)
    for message_id in messages.find_message_of_each_key(conn):
        try:
            messages.load_message(conn, keys, message_id)
        except VaultError as error:
            yield str(error)
    if not seal_chain.fits_newest_seal(conn, keys):
        yield "the newest seal of the audit trail was not made with this seal.key"
