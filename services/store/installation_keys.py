"""The keys that a database was written with: their ids, so that a wrong key is met at the start.

The keys themselves are in files. An encryption key is in use from when it is registered until it is
retired; the newest in use encrypts. The others are never replaced: identifiers would no longer be
found by their hashes, and seals no longer fit.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Final

from sqlalchemy import Connection, func, select, update

from services.store import audit
from services.store.key_files import Purpose, VaultError, make_key_id, read_key
from services.store.tables import installation_key
from services.store.vault import ALL_PURPOSES, Keys

# A process lacks the keys that its service does not need; commands of a person need all.
NEEDS_OF_SERVICE: Final[Mapping[str, frozenset[Purpose]]] = MappingProxyType(
    {
        "": ALL_PURPOSES,
        "ingest": frozenset({Purpose.ENCRYPTION, Purpose.IDENTITY}),
        "relay": frozenset(),
        "rules": frozenset({Purpose.SEAL}),
        "alerts": frozenset({Purpose.LINKS}),
        "console": frozenset({Purpose.ENCRYPTION, Purpose.IDENTITY}),
    }
)
_LOCK = 0x41656B79  # the advisory lock of whoever changes which keys are in use


@dataclass(frozen=True, slots=True)
class InstallationKey:
    """A key by its id: its purpose, the name of its file, and since and until when it is in use."""

    id: str
    purpose: Purpose
    file: str
    added_at: datetime
    retired_at: datetime | None = None


def lock_keys(conn: Connection) -> None:
    """Let nobody else change which keys are in use, or encrypt, until *conn* ends."""
    if conn.dialect.name == "postgresql":
        conn.execute(select(func.pg_advisory_xact_lock(_LOCK)))


def load_keys(conn: Connection) -> list[InstallationKey]:
    """Return the keys, oldest first."""
    query = select(installation_key).order_by(installation_key.c.added_at, installation_key.c.file)
    return [
        InstallationKey(**{**row, "purpose": Purpose(str(row["purpose"]))})
        for row in conn.execute(query).mappings()
    ]


def list_in_use(keys: Sequence[InstallationKey], purpose: Purpose) -> list[InstallationKey]:
    """Return those of *keys* of *purpose* that are not retired, oldest first."""
    return [key for key in keys if key.purpose is purpose and key.retired_at is None]


def register_keys(
    conn: Connection, keys: Sequence[InstallationKey], *, actor: str = audit.SERVICE
) -> None:
    """Let *keys* be in use from now on."""
    audit.insert_audited(conn, installation_key, [asdict(key) for key in keys], actor=actor)


def register_files(conn: Connection, keys: Keys, instant: datetime) -> None:
    """Let every key of *keys* be in use from *instant* on."""
    files = {make_key_id(read_key(path)): path.name for path in keys.folder.glob("*.key")}
    register_keys(
        conn,
        [
            InstallationKey(key_id, purpose, files[key_id], instant)
            for key_id, purpose in keys.list_ids().items()
        ],
    )


def retire_key(conn: Connection, key: InstallationKey, instant: datetime, *, actor: str) -> None:
    """Let *key* be in use no longer; the caller has locked the keys, and no row needs it."""
    conn.execute(
        update(installation_key).where(installation_key.c.id == key.id).values(retired_at=instant)
    )
    row = asdict(replace(key, retired_at=instant))
    audit.record_rows(conn, installation_key, [row], action=audit.CHANGE, actor=actor)


def choose_encryption_key(conn: Connection, keys: Keys) -> str:
    """Return the id of the newest key in use that is among *keys*.

    A process that has not got the newest goes on with the one before, whose rows are encrypted
    again by one that has. No key is retired until *conn* ends.

    Raises:
        VaultError: None of the keys in use is here.
    """
    if conn.dialect.name == "postgresql":
        conn.execute(select(func.pg_advisory_xact_lock_shared(_LOCK)))
    table = installation_key.c
    query = select(table.id).where(
        table.purpose == Purpose.ENCRYPTION.value, table.retired_at.is_(None)
    )
    ids = list(conn.scalars(query.order_by(table.added_at.desc(), table.file.desc())))
    chosen_id: str | None = next(
        (one for one in ids if keys.find_encryption_key(one) is not None), None
    )
    if chosen_id is None:
        raise VaultError(f"no encryption key that is in use is in {keys.folder}")
    return chosen_id


def find_wrong_keys(
    registered_keys: Sequence[InstallationKey], keys: Keys, needs: Collection[Purpose]
) -> Iterator[str]:
    """Yield a sentence for each key in use that is needed, and is not among *keys*."""
    present_ids = keys.list_ids()
    for key in registered_keys:
        if key.purpose in needs and key.retired_at is None and key.id not in present_ids:
            yield (
                f"the database needs the key {key.id} ({key.purpose.value}), and"
                f" {_describe_file(keys.folder / key.file)}: put that key back from its backup, or"
                " name the folder that has it in AEGIS_KEYS (docs/backup.md)"
            )


def _describe_file(path: Path) -> str:
    if not path.exists():
        return f"{path} is missing"
    return f"{path} has the key {make_key_id(read_key(path))}"
