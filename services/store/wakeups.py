"""Wake-ups: a worker that has nothing to do rests until what it reads may have changed.

On PostgreSQL a transaction notifies a channel, and whoever listens hears of it after the commit. On
SQLite the commits of all processes move a counter of the file. Nothing depends on either: a rest
ends after its longest time, and the worker looks for itself.
"""

import sqlite3
import threading
import time
from abc import ABC, abstractmethod
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, cast

from sqlalchemy import bindparam, func, select
from sqlalchemy.exc import DBAPIError

from services.store.session import Connection, Database, DatabaseError

FACTS_CHANGED, OUTBOX_CHANGED, ALERTS_CHANGED = "aegis_facts", "aegis_outbox", "aegis_alerts"
STUDY_ACTIVATED = "aegis_study"

_STOP_EVERY_S = 0.25  # a stop is not heard on the connection
_COUNTER_EVERY_S = 0.02  # reading it takes some 10 us
_STANDBY_S = 0.25  # while another worker has the lease
_NOTIFY = select(func.pg_notify(bindparam("channel"), ""))


@dataclass(slots=True)
class Wakeups(ABC):
    """The rests of one worker; used by one thread at a time."""

    db: Database
    _connection: Connection | None = field(default=None, init=False)

    @abstractmethod
    def rest(self, stop: threading.Event, longest_s: float) -> None:
        """Return after a change, when *stop* is set, or after *longest_s* seconds."""

    def stand_by(self, stop: threading.Event) -> None:
        """Rest for a moment while another worker has the lease, without listening."""
        self.close()
        stop.wait(_STANDBY_S)

    def close(self) -> None:
        """Stop listening until the next rest, which returns at once."""
        if self._connection is not None:
            with suppress(DatabaseError):
                self._connection.close()
            self._connection = None


def notify_channel(conn: Connection, channel: str) -> None:
    """Wake those who rest on *channel*, once *conn* has committed."""
    if conn.dialect.name == "postgresql":
        conn.execute(_NOTIFY, {"channel": channel})


def make_wakeups(db: Database, channel: str) -> Wakeups:
    """Return the wake-ups of a worker that reads what *channel* is about."""
    return FileWakeups(db) if db.is_sqlite else ServerWakeups(db, channel)


@dataclass(slots=True)
class ServerWakeups(Wakeups):
    """Wake-ups by the notifications of PostgreSQL on *channel*.

    A worker that does not rest for long calls it all the same, with 0 seconds, or closes it: a
    server keeps what is not read, and in the end refuses to commit.
    """

    channel: str

    def rest(self, stop: threading.Event, longest_s: float) -> None:
        """See `Wakeups`; without a connection it is a plain rest."""
        try:
            if self._connection is None:
                self._connection = self.db.connect_alone()
                self._connection.exec_driver_sql(f'LISTEN "{self.channel}"')
                return  # nobody heard of what was committed before
            self._wait_for_notification(self._connection, stop, longest_s)
        except DatabaseError:
            self.close()
            stop.wait(longest_s)

    def _wait_for_notification(
        self, connection: Connection, stop: threading.Event, longest_s: float
    ) -> None:
        driver = cast("Any", connection.connection.dbapi_connection)
        dbapi = cast("Any", connection.dialect.dbapi)  # SQLite goes without psycopg
        ends_at_s = time.monotonic() + longest_s
        try:
            while not stop.is_set():
                rest_s = max(0.0, ends_at_s - time.monotonic())
                if list(driver.notifies(timeout=min(rest_s, _STOP_EVERY_S), stop_after=1)):
                    return
                if rest_s <= _STOP_EVERY_S:
                    return
        except dbapi.Error as error:
            raise DBAPIError.instance("LISTEN", None, error, dbapi.Error) from error


@dataclass(slots=True)
class FileWakeups(Wakeups):
    """Wake-ups by the counter of commits of a SQLite database.

    Source: https://www.sqlite.org/pragma.html#pragma_data_version
    """

    _count: int = field(default=-1, init=False)

    def rest(self, stop: threading.Event, longest_s: float) -> None:
        """See `Wakeups`."""
        ends_at_s = time.monotonic() + longest_s
        try:
            while self._read_counter() and not stop.is_set():
                rest_s = ends_at_s - time.monotonic()
                if rest_s <= 0:
                    return
                stop.wait(min(rest_s, _COUNTER_EVERY_S))
        except (DatabaseError, sqlite3.Error):
            self.close()
            stop.wait(longest_s)

    def _read_counter(self) -> bool:
        """Read the counter; return True when it is where it was."""
        if self._connection is None:
            self._connection, self._count = self.db.connect_alone(), -1
        driver = cast("Any", self._connection.connection.dbapi_connection)
        count: int = driver.execute("PRAGMA data_version").fetchone()[0]
        is_same, self._count = count == self._count, count
        return is_same
