"""Consistent reads of a database in use: each part from one state, none held for long."""

import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Self

from sqlalchemy import Connection

from services.store.session import Database

LONGEST_S = 30.0

ReadSnapshot = Callable[[], Connection]  # called before each part; its connection sees one state


class Snapshots:
    """Consistent states of *db*, one after another, each held for `LONGEST_S` seconds at most.

    A held state keeps a server from vacuuming rows that are no longer needed.
    """

    def __init__(self, db: Database, longest_s: float = LONGEST_S) -> None:
        """Prepare to look at *db*."""
        self._db = db
        self._longest_s = longest_s
        self._open = ExitStack()
        self._since_s: float | None = None

    def __enter__(self) -> Self:
        """Return itself; the first state is opened at the first call."""
        return self

    def __exit__(self, *_error: object) -> None:
        """Close the held state."""
        self._open.close()

    def __call__(self) -> Connection:
        """Return the held state, or a new one when it was held for long enough."""
        now_s = time.monotonic()
        if self._since_s is None or now_s - self._since_s >= self._longest_s:
            self.renew()
        return self._conn

    def renew(self) -> None:
        """Open a new state."""
        self._open.close()
        self._conn = self._open.enter_context(self._db.read())
        self._since_s = time.monotonic()
