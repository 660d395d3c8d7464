"""The database that the settings of a machine name."""

import time

from services.cli.command import CommandError
from services.runtime.store_settings import StoreSettings
from services.store.file_faults import RESTORE, describe_emptied_file, describe_file_fault
from services.store.roles import name_role
from services.store.session import Database, DatabaseError, mask_password
from services.store.sqlite_copy import find_page_faults

_CREATION_S = 1.0  # an earlier release may just be making the file: empty, for a moment


def open_database(settings: StoreSettings, service: str = "") -> Database:
    """Return the database, to which nothing is connected yet.

    Args:
        settings: Name it.
        service: Of `services.store.roles`, whose rights suffice; empty: those of the user.

    Raises:
        CommandError: The URL cannot be understood.
    """
    is_file = settings.database.startswith("sqlite")  # then nobody carries announcements on
    has_relay = not is_file and _has_brokers()
    try:
        return Database.open(
            settings.database, name_role(service) if service else "", has_relay=has_relay
        )
    except (ValueError, DatabaseError) as error:
        raise CommandError(f"AEGIS_DATABASE_URL: {error}") from error


def _has_brokers() -> bool:
    from services.runtime.settings import KafkaSettings, read_settings  # noqa: PLC0415 (slow)

    return bool(read_settings(KafkaSettings).servers)


def require_data(settings: StoreSettings, db: Database) -> None:
    """Check that there are data.

    Raises:
        CommandError: There are none; says how to begin.
    """
    require_filled_file(db)
    if not db.exists():
        raise CommandError(
            f"there are no data in {settings.data}: name their folder with --data or AEGIS_DATA,"
            " or start with `aegis participants import` or `aegis demo`"
        )


def require_filled_file(db: Database) -> None:
    """Require that a SQLite database is not an empty file, and is no log without its database.

    It has to be asked before anything connects: SQLite deletes the log of an empty file, which may
    hold all that is left, and applies one that is left over to a new file.

    Raises:
        CommandError: It is; says what to do.
    """
    if not db.is_sqlite:
        return
    log_file = db.file.with_name(f"{db.file.name}-wal")
    deadline_s = time.monotonic() + _CREATION_S
    while db.exists() and not db.file.stat().st_size:
        if time.monotonic() > deadline_s:
            raise CommandError(describe_emptied_file(db.file))
        time.sleep(_CREATION_S / 10)
    if not db.exists() and log_file.exists():
        raise CommandError(
            f"the database {db.file} is gone, and its log {log_file} is not: {RESTORE}"
        )


def require_sound_pages(settings: StoreSettings) -> None:
    """Require that a SQLite database, if there is one, has no damaged page; reads all of it.

    Raises:
        CommandError: It has; says what to do.
    """
    db = open_database(settings)
    require_filled_file(db)
    try:
        faults = find_page_faults(db) if db.exists() else []
    finally:
        db.close()
    if faults:
        raise CommandError(f"the database {db.file} is damaged ({faults[0]}): {RESTORE}")


def describe_unreachable(settings: StoreSettings, error: DatabaseError) -> str:
    """Return words for a database that cannot be used, with its address but no password."""
    if file_fault := describe_file_fault(error, open_database(settings).file):
        return file_fault
    address = mask_password(settings.database)
    problem = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
    return (
        f"cannot use the database {address} ({problem}): start it, or name another in"
        " AEGIS_DATABASE_URL"
    )


def name_database(db: Database) -> str:
    """Return the file of *db*, or its address without a password."""
    return str(db.file) if db.is_sqlite else mask_password(db.url)
