"""The keys of a database: those that it names, or from its first start on those of the folder."""

from pathlib import Path

from services.runtime.clock import now_utc
from services.store import key_fit
from services.store.installation_keys import (
    NEEDS_OF_SERVICE,
    find_wrong_keys,
    load_keys,
    lock_keys,
    register_files,
)
from services.store.key_files import create_missing_keys, list_encryption_files
from services.store.revisions import find_head, find_revisions
from services.store.session import Database
from services.store.vault import ALL_PURPOSES, WITHOUT_LINKS, Keys, VaultError


def load_keys_of_data(db: Database, folder: Path, service: str = "") -> Keys:
    """Return the keys in *folder* once they are proven to be those of *db*.

    Args:
        db: At the newest revision.
        folder: Of the keys.
        service: Whose keys suffice; empty: all.

    Raises:
        VaultError: One that is needed is missing, or is another; says which, where, and what to do.
    """
    with db.read() as conn:
        registered_keys = load_keys(conn)
    needs = NEEDS_OF_SERVICE[service]
    if not registered_keys:  # the command that migrated was stopped before it wrote them
        if service:
            raise VaultError("the database names no keys yet: run `aegis migrate`")
        return Keys.load(folder, needs & WITHOUT_LINKS)
    keys = Keys.load(folder, needs=())
    for problem in find_wrong_keys(registered_keys, keys, needs):
        raise VaultError(problem)
    return keys


def load_keys_before_upgrade(db: Database, folder: Path) -> Keys | None:
    """Return the keys that a migration of *db* may need; None where nothing was written or is new.

    Raises:
        VaultError: One is missing, or what is stored was written with other keys.
    """
    if not db.exists():
        return None
    with db.read() as conn:
        revisions = find_revisions(conn)
        is_new = not revisions or revisions == (find_head(),)
        if is_new or not (key_fit.needs_keys(conn) or list_encryption_files(folder)):
            return None
        keys = Keys.load(folder)
        for problem in key_fit.find_key_faults(conn, keys):
            raise VaultError(f"these keys are not those of the database: {problem}")
    return keys


def bind_keys(db: Database, folder: Path) -> Keys:
    """Return the keys of *db*; if it names none yet, those in *folder* are its keys from now on.

    Where nothing was written with a key yet, missing ones are made. Else only the key for links is,
    which the first releases did without.

    Args:
        db: At the newest revision.
        folder: Of the keys.

    Raises:
        VaultError: As `load_keys_of_data`; or what is stored was written with other keys.
    """
    with db.write() as conn:
        lock_keys(conn)
        if not load_keys(conn):
            if key_fit.needs_keys(conn):
                for problem in key_fit.find_key_faults(conn, Keys.load(folder)):
                    raise VaultError(f"these keys are not those of the database: {problem}")
            create_missing_keys(folder, ALL_PURPOSES)
            register_files(conn, Keys.load(folder), now_utc())
    return load_keys_of_data(db, folder)
