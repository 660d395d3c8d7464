"""A new encryption key in the place of an old one, and the end of the old one."""

from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection

from services.runtime.failpoints import pass_failpoint
from services.store.installation_keys import (
    InstallationKey,
    list_in_use,
    load_keys,
    lock_keys,
    register_keys,
    retire_key,
)
from services.store.key_files import (
    Purpose,
    create_key,
    find_next_encryption_file,
    list_encryption_files,
    make_key_id,
    read_key,
)
from services.store.reencryption import is_needed

_NEVER_RETIRED = {
    Purpose.IDENTITY: "participants are found by hashes of their identifiers that it made, and with"
    " another key none of them would be",
    Purpose.SEAL: "the seals of the audit trail were made with it, and with another key none of"
    " them would fit",
    Purpose.LINKS: "links that are on their way would not open with another key",
}


class KeyRotationError(Exception):
    """A key cannot be made or retired now; says why, and what to do first."""


def rotate_encryption_key(
    conn: Connection, folder: Path, instant: datetime, *, actor: str
) -> InstallationKey:
    """Return the new encryption key, which is in a file of *folder* and encrypts from now on.

    A file that somebody made, and was stopped before it was in use, is taken.

    Raises:
        KeyRotationError: The key before has not been retired yet.
        VaultError: A file cannot be read.
    """
    lock_keys(conn)
    keys = load_keys(conn)
    in_use = list_in_use(keys, Purpose.ENCRYPTION)
    if len(in_use) > 1:
        raise KeyRotationError(
            f"the key {in_use[0].id} ({in_use[0].file}) has not been retired yet, and at most two"
            " are in use at once: `aegis keys list` says when it can be, then `aegis keys retire`"
        )
    path = _find_unused_file(folder, {key.id for key in keys})
    if path is None:
        path = find_next_encryption_file(folder)
        create_key(path)
    pass_failpoint("rotation.before_commit")
    added_at = max([instant, *(key.added_at for key in in_use)])  # by a clock that was set back
    key = InstallationKey(make_key_id(read_key(path)), Purpose.ENCRYPTION, path.name, added_at)
    register_keys(conn, [key], actor=actor)
    return key


def retire_encryption_key(
    conn: Connection, name: str, instant: datetime, *, actor: str
) -> InstallationKey:
    """Let the encryption key *name*, an id or a file, be in use no longer; return it.

    Raises:
        KeyRotationError: It is unknown, of another purpose or retired, it encrypts, or messages are
            encrypted with it.
    """
    lock_keys(conn)
    keys = load_keys(conn)
    key = next((one for one in keys if name in (one.id, one.file)), None)
    if key is None:
        raise KeyRotationError(f"there is no key {name}: `aegis keys list`")
    if key.purpose in _NEVER_RETIRED:
        raise KeyRotationError(f"{key.file} is never replaced: {_NEVER_RETIRED[key.purpose]}")
    if key.retired_at is not None:
        raise KeyRotationError(f"{key.file} was retired at {key.retired_at:%Y-%m-%d %H:%M} UTC")
    if key == list_in_use(keys, Purpose.ENCRYPTION)[-1]:
        raise KeyRotationError(f"{key.file} encrypts: `aegis keys rotate` makes the next one first")
    if is_needed(conn, key.id):
        raise KeyRotationError(
            f"messages are still encrypted with {key.file}: `aegis run` encrypts them again, and"
            " `aegis keys list` says how many are left"
        )
    retire_key(conn, key, instant, actor=actor)
    return key


def _find_unused_file(folder: Path, registered_ids: set[str]) -> Path | None:
    """Return the newest file of an encryption key that never was in use; None: there is none."""
    files = reversed(list_encryption_files(folder))
    return next((one for one in files if make_key_id(read_key(one)) not in registered_ids), None)
