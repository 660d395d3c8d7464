"""Transactions: a commit is on disk, and each reader sees one consistent state."""

import select
import sqlite3
import threading
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Protocol, Self
from weakref import finalize

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DataError, DisconnectionError, IntegrityError, ProgrammingError
from sqlalchemy.exc import SQLAlchemyError as DatabaseError

from services.store.private_files import OWNER_ONLY_FILE, make_private_folder

__all__ = [
    "BUSY_TIMEOUT_S",
    "Connection",
    "Database",
    "DatabaseError",
    "is_blocked",
    "is_transient",
    "mask_password",
]

BUSY_TIMEOUT_S = 5.0
CONNECT_TIMEOUT_S = 5
LOCK_TIMEOUT = "10s"
_IDLE_S = 30  # then a silent server is asked whether it is there, by the system
_LIMITS = {  # of a server: a longer wait fails and is tried again
    "lock_timeout": LOCK_TIMEOUT,
    "statement_timeout": "60s",
    "idle_in_transaction_session_timeout": "60s",
    "tcp_user_timeout": "30s",
}
_READ_LIMITS = _LIMITS | {"statement_timeout": "300s"}
_CONNECTIONS = 20  # of one process
_LIMIT_EXCEEDED = "54"  # class of SQLSTATE: longer than an index or a row of PostgreSQL may be

_UNFIT = ("42501", "3F000", "42P01", "42703")  # no right, no schema, no table, no column
_BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
_PRIMARY_BITS = 0xFF  # of an extended result code of SQLite
_LOCK_STATES = ("55P03", "40P01", "40001")  # lock not available, deadlock, serialization failure

_WRITERS: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)


def is_transient(error: DatabaseError) -> bool:
    """Return True when the same transaction may succeed later: its content is not at fault.

    Nor is it where a right, a table or a column is missing: the database is not as it has to be.
    """
    sqlstate = getattr(getattr(error, "orig", None), "sqlstate", None) or ""
    return sqlstate in _UNFIT or not (
        isinstance(error, DataError | IntegrityError | ProgrammingError)
        or sqlstate.startswith(_LIMIT_EXCEEDED)
    )


def is_blocked(error: BaseException) -> bool:
    """Return True when *error* says that another transaction held a lock for too long."""
    cause = getattr(error, "orig", error)
    code = getattr(cause, "sqlite_errorcode", None)
    if code is not None:
        return code & _PRIMARY_BITS in _BUSY
    return getattr(cause, "sqlstate", None) in _LOCK_STATES


def mask_password(url: str) -> str:
    """Return *url* as it may be shown: without its password.

    >>> mask_password("postgresql+psycopg://aegis:secret@db/aegis")
    'postgresql+psycopg://aegis:***@db/aegis'
    """
    return make_url(url).render_as_string(hide_password=True)


class ServerConnection(Protocol):
    """A connection of psycopg, as far as nothing has to be sent."""

    @property
    def closed(self) -> bool:
        """True once it was closed on this side."""

    def fileno(self) -> int:
        """Return its socket."""


class Database:
    """One database; opening it touches nothing.

    On SQLite every write begins IMMEDIATE. It queues behind the writers of this process, and waits
    up to `BUSY_TIMEOUT_S` for those of others. On PostgreSQL writers run in parallel (READ
    COMMITTED); row locks and version checks order them where needed.
    """

    def __init__(self, url: str, role: str = "", *, has_relay: bool = False) -> None:
        """Prepare to connect to *url*, e.g. ``sqlite:////var/aegis/aegis.db``.

        On PostgreSQL the connections act as the database role *role*, if one is named. With
        *has_relay* writes are also announced in the outbox (`services.store.outbox`).

        Raises:
            ValueError: A SQLite database in memory: each connection would see another one.
        """
        parts = make_url(url)
        self.url = url
        self.file = Path(parts.database or "")
        self.is_sqlite = parts.get_backend_name() == "sqlite"
        if self.is_sqlite and parts.database in (None, "", ":memory:"):
            raise ValueError("a SQLite database needs a file; name one in AEGIS_DATABASE_URL")
        self._turn: AbstractContextManager[object] = nullcontext()
        if self.is_sqlite:
            self._turn = _WRITERS[url]
            self._read_engine = _sqlite(url, begin="BEGIN")
            self._write_engine = _sqlite(url, begin="BEGIN IMMEDIATE")
        else:
            self._read_engine = _server(url, role, _READ_LIMITS).execution_options(
                isolation_level="REPEATABLE READ", postgresql_readonly=True
            )
            self._write_engine = _server(url, role, _LIMITS)
        self.has_relay = has_relay
        self._write_engine = self._write_engine.execution_options(has_relay=has_relay)
        # what nobody holds any more, as after a command that failed, leaves no connection open
        end = finalize(self, _close_idle, self._read_engine, self._write_engine)
        end.atexit = False

    @classmethod
    def open(cls, url: str, role: str = "", *, has_relay: bool = False) -> Self:
        """Return the database at *url*; see `services.store.schema.upgrade` for its tables."""
        return cls(url, role, has_relay=has_relay)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Open a connection on which every query sees the same state."""
        with self._read_engine.connect() as connection, connection.begin():
            if self.is_sqlite:  # the snapshot starts at the first query, not at BEGIN
                connection.exec_driver_sql("SELECT 1 FROM sqlite_master LIMIT 1")
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Open a connection whose changes are committed when the block ends without an error."""
        with self._turn, self._write_engine.begin() as connection:
            yield connection

    def connect_alone(self) -> Connection:
        """Return a connection outside the pool and any transaction; the caller closes it."""
        engine = self._read_engine
        if not self.is_sqlite:
            engine = self._write_engine.execution_options(isolation_level="AUTOCOMMIT")
        connection = engine.connect()
        connection.detach()
        return connection

    def exists(self) -> bool:
        """Return True when the database file exists; always for a server."""
        return not self.is_sqlite or self.file.exists()

    def make_folder(self) -> None:
        """Create the folder of a SQLite database; a new one is readable by this user alone."""
        if self.is_sqlite:
            make_private_folder(self.file.parent)

    def restrict_files(self) -> None:
        """Let this user alone read the files of a SQLite database, as far as they are its own."""
        if self.is_sqlite:
            for suffix in ("", "-wal", "-shm"):
                with suppress(FileNotFoundError, PermissionError):
                    self.file.with_name(self.file.name + suffix).chmod(OWNER_ONLY_FILE)

    def close(self) -> None:
        """Close idle connections."""
        _close_idle(self._read_engine, self._write_engine)


def _close_idle(*engines: Engine) -> None:
    for engine in engines:
        engine.dispose()


def _server(url: str, role: str, limits: Mapping[str, str]) -> Engine:
    options = {**limits, **({"role": role} if role else {})}
    engine = create_engine(
        url,
        pool_size=_CONNECTIONS,
        hide_parameters=True,  # of a statement that failed: they are what somebody sent
        connect_args={
            "connect_timeout": CONNECT_TIMEOUT_S,
            "keepalives_idle": _IDLE_S,
            "options": " ".join(f"-c {name}={value}" for name, value in options.items()),
        },
    )

    @event.listens_for(engine, "checkout")
    def replace_ended(connection: ServerConnection, _record: object, _proxy: object) -> None:
        if has_ended(connection):
            raise DisconnectionError  # the pool connects again

    return engine


def has_ended(connection: ServerConnection) -> bool:
    """Return True when the server has ended *connection*, which nobody uses.

    Nothing is sent: an idle server says nothing until it says goodbye or hangs up.
    """
    if connection.closed:
        return True
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    return bool(poll.poll(0))


def _sqlite(url: str, *, begin: str) -> Engine:
    engine = create_engine(
        url,
        hide_parameters=True,
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
