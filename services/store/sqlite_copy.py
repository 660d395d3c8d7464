"""A copy of a SQLite database while others write to it, and faults of its pages."""

import os
import sqlite3
from pathlib import Path

from services.store.file_faults import is_damage
from services.store.session import Database, DatabaseError

_FAULTS_AT_MOST = 3


def copy_database(db: Database, file: Path) -> None:
    """Copy *db*, as it is at one instant, to the new *file*, which this user alone can read.

    All pages are copied in one step of the online backup: writers go on in the write-ahead log, and
    the copy never has to begin again.

    Raises:
        FileExistsError: There is such a file.
    """
    os.close(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    target = sqlite3.connect(file)
    try:
        with db.read() as conn:
            source = conn.connection.driver_connection
            assert isinstance(source, sqlite3.Connection)  # noqa: S101 - for the types
            source.backup(target)
    finally:
        target.close()


def fold_log(file: Path) -> None:
    """Let the database in *file*, which nobody uses, be that one file, fit for a read-only disk."""
    connection = sqlite3.connect(file)
    try:
        connection.execute("PRAGMA journal_mode=DELETE")
    finally:
        connection.close()


def find_page_faults(db: Database) -> list[str]:
    """Return the first faults of the pages of *db*; none of a server, which checks its own.

    Reads every page, but compares no index with its table.
    """
    if not db.is_sqlite:
        return []
    try:
        with db.read() as conn:
            lines = conn.exec_driver_sql(f"PRAGMA quick_check({_FAULTS_AT_MOST})").scalars().all()
    except DatabaseError as error:
        if not is_damage(error):
            raise
        return [str(getattr(error, "orig", error))]
    parts = (part for line in lines if line != "ok" for part in line.splitlines())
    return [part for part in parts if not part.startswith("***")]  # a heading
