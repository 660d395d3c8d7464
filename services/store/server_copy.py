"""A copy of a PostgreSQL database, by PostgreSQL's own programs."""

import os
import shutil
import subprocess
from pathlib import Path

from sqlalchemy import inspect
from sqlalchemy.engine import URL, make_url

from services.store.session import Database

_OWNER_ONLY = 0o077  # bits of a new file that are taken away
# Owners and rights are those of the place where it is restored: `aegis migrate` grants them.
_PLAIN = ("--no-owner", "--no-privileges")


class ServerCopyError(Exception):
    """A program of PostgreSQL is not installed, or could not do it; says which and why."""


def dump_database(url: str, file: Path) -> None:
    """Write the database at *url*, as it is at one instant, to *file*, while others write.

    Raises:
        ServerCopyError: It cannot be done.
    """
    _run_program("pg_dump", url, "--format=custom", *_PLAIN, f"--file={file.absolute()}")


def restore_dump(url: str, file: Path) -> None:
    """Fill the empty database at *url* from *file*: with everything, or with nothing.

    Raises:
        ServerCopyError: It cannot be done.
    """
    words = ("--single-transaction", "--exit-on-error", *_PLAIN, str(file.absolute()))
    _run_program("pg_restore", url, *words)


def has_tables(db: Database) -> bool:
    """Return True if there is any table in *db*."""
    with db.read() as conn:
        return bool(inspect(conn).get_table_names())


def _run_program(name: str, url: str, *words: str) -> None:
    program = shutil.which(name)
    if program is None:
        raise ServerCopyError(
            f"{name} is not installed here: install the client programs of PostgreSQL, of the"
            " server's version or newer"
        )
    parts = make_url(url)
    address = URL.create(
        "postgresql",
        parts.username,
        host=parts.host,
        port=parts.port,
        database=parts.database,
        query=parts.query,
    ).render_as_string()
    password = {} if parts.password is None else {"PGPASSWORD": parts.password}
    answer = subprocess.run(  # noqa: S603 - a program of PostgreSQL, with words of our own
        [program, f"--dbname={address}", *words],
        env={**os.environ, **password},  # not among the words: every user sees those
        capture_output=True,
        text=True,
        check=False,
        umask=_OWNER_ONLY,
    )
    if answer.returncode:
        lines = answer.stderr.strip().splitlines()
        raise ServerCopyError(next((one for one in lines if "error" in one), f"{name} failed"))
