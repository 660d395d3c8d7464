"""The fit of keys to a database: one message of each key, and the newest seal, prove it."""

from collections.abc import Iterator

from sqlalchemy import Connection

from services.store import messages, seal_chain
from services.store.vault import Keys, VaultError


def find_key_faults(conn: Connection, keys: Keys) -> Iterator[str]:
    """Yield each proof that the database was written with other keys than *keys*.

    The key of hashed identifiers leaves nothing that it alone can prove.
    """
    for message_id in messages.find_message_of_each_key(conn):
        try:
            messages.load_message(conn, keys, message_id)
        except VaultError as error:
            yield str(error)
    if not seal_chain.fits_newest_seal(conn, keys):
        yield "the newest seal of the audit trail was not made with this seal.key"
