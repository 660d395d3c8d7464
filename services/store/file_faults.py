"""Words for a database or a disk that cannot be used: damaged, read-only, full, out of rights."""

import errno
import sqlite3
from pathlib import Path

from sqlalchemy.exc import DBAPIError

RESTORE = "stop what writes to it, and restore a backup into another folder (docs/backup.md)"
_DAMAGE_CODES = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_UNWRITABLE = (
    "cannot be opened: its folder and every file in it must be writable by this user, also for"
    " commands that only look"
)
_BY_SQLITE = {
    **dict.fromkeys(_DAMAGE_CODES, f"is damaged: {RESTORE}"),
    sqlite3.SQLITE_READONLY: _UNWRITABLE,
    sqlite3.SQLITE_CANTOPEN: _UNWRITABLE,
    sqlite3.SQLITE_PERM: _UNWRITABLE,
    sqlite3.SQLITE_FULL: "has no room left on its disk: free some, then do it again",
    sqlite3.SQLITE_IOERR: "cannot be read or written: look at its disk and the system's log",
}
_BY_SYSTEM = {
    errno.EACCES: "this user has no right to read or to write it",
    errno.EPERM: "this user has no right to read or to write it",
    errno.EROFS: "its disk can only be read",
    errno.ENOSPC: "there is no room left on the disk: free some, then do it again",
    errno.EDQUOT: "this user's share of the disk is used up: free some, then do it again",
}
_NO_RIGHT = "42501"  # SQLSTATE of PostgreSQL
_PRIMARY_BITS = 0xFF  # of an extended result code


def describe_emptied_file(database: Path) -> str:
    """Return one sentence about a file that has no tables; a new one has them from the start."""
    return (
        f"the database {database} has no tables: it was emptied or cut off, or is no database of"
        f" Aegis; {RESTORE}, or delete the file if there never was anything in it"
    )


def is_damage(error: BaseException) -> bool:
    """Return True if *error* says that a SQLite file is damaged, or is none."""
    return _find_sqlite_code(error) in _DAMAGE_CODES


def describe_file_fault(error: BaseException, database: Path) -> str | None:
    """Return one sentence about the fault, and what to do; None: *error* is of another kind.

    *database* is the file that SQLite has opened.

    >>> refused = PermissionError(errno.EACCES, "Permission denied", "var/keys")
    >>> describe_file_fault(refused, Path("var/db/aegis.db"))
    'var/keys: this user has no right to read or to write it'
    >>> describe_file_fault(FileNotFoundError(errno.ENOENT, "none"), Path("var/db/aegis.db"))
    """
    code = _find_sqlite_code(error)
    if code in _BY_SQLITE:
        return f"the database {database} {_BY_SQLITE[code]}"
    if (refusal := _find_refusal(error)) is not None:
        return (
            f"the login in AEGIS_DATABASE_URL may not do this ({refusal}): commands need the owner,"
            " aegis_owner, and `aegis migrate` after an upgrade"
        )
    if isinstance(error, OSError) and error.errno in _BY_SYSTEM:
        place = f"{error.filename}: " if error.filename else ""
        return f"{place}{_BY_SYSTEM[error.errno]}"
    return None


def _find_refusal(error: BaseException) -> str | None:
    """Return the words of PostgreSQL for a missing right; None: it is another error."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    if getattr(cause, "sqlstate", None) != _NO_RIGHT:
        return None
    return str(cause).partition("\n")[0]


def _find_sqlite_code(error: BaseException) -> int | None:
    """Return the primary result code of SQLite; None: the error is not SQLite's."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    code = getattr(cause, "sqlite_errorcode", None)
    return None if code is None else code & _PRIMARY_BITS
