"""A lease that is kept: taken when it is free, renewed in time, given back at the end."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from services.runtime.clock import Clock
from services.store import leases
from services.store.session import Connection, Database, DatabaseError

T = TypeVar("T")

FOR_S = 6.0
RENEW_S = 2.0


@dataclass(slots=True)
class RivalLease:
    """What is seen of a lease that others have, by a clock that does not jump."""

    _ends_at: datetime | None = None
    _since_s: float = 0.0

    def observe(self, conn: Connection, name: str) -> None:
        """See until when somebody has the lease *name*."""
        ends_at = leases.find_lease_end(conn, name)
        if ends_at != self._ends_at:
            self._ends_at, self._since_s = ends_at, time.monotonic()

    def find_abandoned_end(self, for_s: float) -> datetime | None:
        """Return the end of the lease that nobody has renewed for *for_s*; None: there is none.

        Its holder died while its clock was ahead: else it would have been over by now.
        """
        return self._ends_at if time.monotonic() - self._since_s > for_s else None


@dataclass(slots=True)
class HeldLease:
    """The lease *name*, as *holder* sees it.

    Args:
        db: Migrated.
        name: One of `services.store.leases.NAMES`.
        holder: Name of this worker among all.
        clock: The machine's; when to renew is counted otherwise, for clocks jump.
    """

    db: Database
    name: str
    holder: str
    clock: Clock
    _renewed_s: float | None = None
    _rival: RivalLease = field(default_factory=RivalLease)

    def hold(self) -> bool:
        """Take or keep the lease; say whether it is this holder's."""
        now_s = time.monotonic()
        if self._renewed_s is not None and now_s - self._renewed_s < RENEW_S:
            return True
        with self.db.write() as conn:
            is_mine = self.take(conn)
        self._renewed_s = now_s if is_mine else None
        return is_mine

    def run_while_held(self, task: Callable[[], T]) -> T:
        """Return what *task* does; the lease is kept meanwhile, however long that takes."""
        with ThreadPoolExecutor(1) as pool:
            future = pool.submit(task)
            while not wait([future], RENEW_S / 2).done:
                with suppress(DatabaseError):  # *does* meets it, too, or has no need of it
                    self.hold()
            return future.result()

    def take(self, conn: Connection) -> bool:
        """Take or renew the lease in the transaction of *conn*; say whether it is this holder's."""
        abandoned_end = self._rival.find_abandoned_end(FOR_S)
        is_mine = leases.acquire_lease(
            conn, self.name, self.holder, self.clock(), FOR_S, abandoned_end=abandoned_end
        )
        self._rival.observe(conn, self.name)
        return is_mine

    def release(self) -> None:
        """Let another holder take it at once, or when it runs out if the database is away."""
        self._renewed_s = None
        with suppress(DatabaseError), self.db.write() as conn:
            leases.release_lease(conn, self.name, self.holder)
