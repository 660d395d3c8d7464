"""The revision of a database's tables, beside the newest that this program knows.

Reads the files of ``migrations/versions`` and no more: `services.store.schema` has what changes
tables, and loads Alembic for it.
"""

import re
from functools import cache
from pathlib import Path

from sqlalchemy import Connection, inspect, text

import services
from services.store.file_faults import describe_emptied_file
from services.store.session import Database

MIGRATIONS = Path(services.__file__).parent.parent / "migrations"
_REVISION = re.compile(r'^(down_)?revision = "(\w+)"$', re.MULTILINE)
_TABLE = "alembic_version"


class NewerSchemaError(Exception):
    """The database was written by a newer Aegis than this one."""


class UnfitDatabaseError(Exception):
    """The database cannot be used as it is; says what to do."""


def find_revisions(conn: Connection) -> tuple[str, ...]:
    """Return the revisions that the database names: none, one, or several by mistake."""
    if not inspect(conn).has_table(_TABLE):
        return ()
    return tuple(conn.scalars(text(f"SELECT version_num FROM {_TABLE} ORDER BY 1")))  # noqa: S608


def find_head() -> str:
    """Return the newest revision that this program knows."""
    return _read_revisions()[0]


def list_revisions() -> set[str]:
    """Return every revision that this program knows."""
    return set(_read_revisions()[1])


def require_newest(db: Database) -> None:
    """Require that the tables of *db* are at the newest revision of this program.

    Raises:
        NewerSchemaError: This program is too old for the database.
        UnfitDatabaseError: It has to be migrated first.
    """
    with db.read() as conn:
        revisions = set(find_revisions(conn))
    if revisions == {find_head()}:
        return
    require_known(revisions)
    if db.is_sqlite and not revisions:
        raise UnfitDatabaseError(describe_emptied_file(db.file))
    place = f"at revision {min(revisions)}" if revisions else "empty"
    raise UnfitDatabaseError(
        f"the database is {place}, and this version of Aegis needs {find_head()}:"
        " run `aegis migrate`"
    )


def require_known(revisions: set[str]) -> None:
    """Require that this program knows each of *revisions*.

    Raises:
        NewerSchemaError: It does not.
    """
    if unknown := revisions - list_revisions():
        raise NewerSchemaError(
            f"the database is at revision {min(unknown)}, which this version of Aegis does not"
            " know: start the version that wrote it, or a newer one"
        )


@cache
def _read_revisions() -> tuple[str, frozenset[str]]:
    """Return the newest revision, and all."""
    revisions: set[str] = set()
    earlier_revisions: set[str] = set()
    for file in sorted((MIGRATIONS / "versions").glob("*.py")):
        for is_earlier, revision in _REVISION.findall(file.read_text()):
            (earlier_revisions if is_earlier else revisions).add(revision)
    (newest,) = revisions - earlier_revisions
    return newest, frozenset(revisions)
