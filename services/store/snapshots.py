"""Looking through a database that others write to: each part from one state, none held for long."""

import time
from collections.abc import Callable
from contextlib import ExitStack
from types import TracebackType
from typing import Self

from sqlalchemy import Connection

from services.store.session import Database

LONGEST_S = 30.0

Look = Callable[[], Connection]  # asked for again before each part: what it lends is of one state


class Snapshots:
    """Lends one state of *db* after the other; each goes on for `LONGEST_S` seconds at most.

    A state that is held keeps a server from clearing away what is no longer needed.
    """

    def __init__(self, db: Database, longest_s: float = LONGEST_S) -> None:
        """Prepare to look at *db*."""
        self._db = db
        self._longest_s = longest_s
        self._open = ExitStack()
        self._since_s: float | None = None

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Let go."""
        self._open.close()

    def __call__(self) -> Connection:
        """Return the state that is held, or a new one when that was held for long enough."""
        now_s = time.monotonic()
        if self._since_s is None or now_s - self._since_s >= self._longest_s:
            self.renew()
        return self._conn

    def renew(self) -> None:
        """Look at what is there now."""
        self._open.close()
        self._conn = self._open.enter_context(self._db.read())
        self._since_s = time.monotonic()
