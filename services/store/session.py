"""Transactions: one writer at a time, readers that each see one consistent state."""

import sqlite3
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError as DatabaseError

__all__ = ["BUSY_TIMEOUT_S", "Connection", "Database", "DatabaseError"]

BUSY_TIMEOUT_S = 5.0

_WRITERS: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)


class Database:
    """One database; opening it touches nothing.

    On SQLite every write begins IMMEDIATE and waits for the other writers of this process in a
    queue, for those of other processes up to `BUSY_TIMEOUT_S`.
    """

    def __init__(self, url: str) -> None:
        """Prepare to connect to *url*, e.g. ``sqlite:////var/aegis/aegis.db``.

        Raises:
            ValueError: A SQLite database in memory: each connection would see another one.
        """
        parsed = make_url(url)
        self.url = url
        self._file = Path(parsed.database or "")
        self.is_sqlite = parsed.get_backend_name() == "sqlite"
        if self.is_sqlite and parsed.database in (None, "", ":memory:"):
            raise ValueError("a SQLite database needs a file; name one in AEGIS_DATABASE_URL")
        self._lock = _WRITERS[url]
        self._reading = _sqlite(url, begin="BEGIN") if self.is_sqlite else _snapshots(url)
        self._writing = (
            _sqlite(url, begin="BEGIN IMMEDIATE") if self.is_sqlite else create_engine(url)
        )

    @classmethod
    def open(cls, url: str) -> Self:
        """Return the database at *url*; see `services.store.schema.upgrade` for its tables."""
        return cls(url)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Lend a connection on which every query sees the same state."""
        with self._reading.connect() as connection, connection.begin():
            if self.is_sqlite:  # the snapshot starts at the first query, not at BEGIN
                connection.exec_driver_sql("SELECT 1 FROM sqlite_master LIMIT 1")
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Lend a connection whose changes are on disk when the block ends without an error."""
        with self._lock, self._writing.begin() as connection:
            yield connection

    def exists(self) -> bool:
        """Say whether there is a database; a server is taken at its word."""
        return not self.is_sqlite or self._file.exists()

    def make_folder(self) -> None:
        """Let the folder of a SQLite database exist, for this user alone."""
        if self.is_sqlite:
            self._file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)

    def close(self) -> None:
        """Close idle connections."""
        self._reading.dispose()
        self._writing.dispose()


def _snapshots(url: str) -> Engine:
    return create_engine(url).execution_options(
        isolation_level="REPEATABLE READ", postgresql_readonly=True
    )


def _sqlite(url: str, *, begin: str) -> Engine:
    engine = create_engine(
        url,
        connect_args={
            "timeout": BUSY_TIMEOUT_S,
            "isolation_level": None,  # the driver begins nothing of its own
            "check_same_thread": False,
        },
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, _record: object) -> None:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        if begin == "BEGIN":
            connection.execute("PRAGMA query_only=ON")

    @event.listens_for(engine, "begin")
    def begin_as_told(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine
