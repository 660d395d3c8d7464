"""Keys that a person makes, rotates, retires or revokes, each change with its act."""

from datetime import datetime
from pathlib import Path

from services.acts.append_act import Subject, Values, append_act
from services.runtime.clock import now_utc
from services.store.installation_keys import InstallationKey
from services.store.key_rotation import retire_encryption_key, rotate_encryption_key
from services.store.session import Connection, Database
from services.vocabulary.act import ActKind
from services.vocabulary.person import Actor


def rotate_data_key(db: Database, actor: Actor, folder: Path, instant: datetime) -> InstallationKey:
    """Make a new encryption key in *folder*; return it.

    Raises:
        KeyRotationError: It cannot be made.
    """
    with db.write() as conn:
        key = rotate_encryption_key(conn, folder, instant, actor=actor.id)
        append_key_act(conn, actor, ActKind.ADD_KEY, key.file, f"{key.id} encrypts")
    return key


def retire_data_key(db: Database, actor: Actor, name: str, instant: datetime) -> InstallationKey:
    """End the use of the encryption key *name*, its id or file; return it.

    Raises:
        KeyRotationError: A message still needs it, or there is no such key.
    """
    with db.write() as conn:
        key = retire_encryption_key(conn, name, instant, actor=actor.id)
        append_key_act(conn, actor, ActKind.REVOKE_KEY, key.file, f"{key.id} is retired")
    return key


def append_key_act(
    conn: Connection, actor: Actor, kind: ActKind, target: str, new_value: str
) -> None:
    """Append the act of a change of keys of *target*, a file or a site; no secret is in it."""
    append_act(
        conn,
        actor,
        kind,
        Subject(target),
        Values(new_value=new_value),
        reason="asked for by command",
        acted_at=now_utc(),
    )
