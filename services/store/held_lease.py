"""A lease that a worker holds: acquired when free, renewed in time, released at the end."""

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
    """The observed end of a lease that others hold, timed by a monotonic clock."""

    _ends_at: datetime | None = None
    _since_s: float = 0.0

    def observe(self, conn: Connection, name: str) -> None:
        """Read the end of the lease *name*, and note when it last changed."""
        ends_at = leases.find_lease_end(conn, name)
        if ends_at != self._ends_at:
            self._ends_at, self._since_s = ends_at, time.monotonic()

    def find_abandoned_end(self, for_s: float) -> datetime | None:
        """Return the end of the lease when nobody has renewed it for *for_s* seconds, else None.

        Its holder died while its clock was ahead; otherwise the lease would have ended.
        """
        return self._ends_at if time.monotonic() - self._since_s > for_s else None


@dataclass(slots=True)
class HeldLease:
    """The lease *name* from the point of view of *holder*.

    Args:
        db: Migrated.
        name: One of `services.store.leases.NAMES`.
        holder: Name of this worker among all.
        clock: The machine's; the time to renew is counted by the monotonic clock instead.
    """

    db: Database
    name: str
    holder: str
    clock: Clock
    _renewed_s: float | None = None
    _rival: RivalLease = field(default_factory=RivalLease)

    def hold(self) -> bool:
        """Acquire or renew the lease; return True when this holder has it."""
        now_s = time.monotonic()
        if self._renewed_s is not None and now_s - self._renewed_s < RENEW_S:
            return True
        with self.db.write() as conn:
            is_mine = self.take(conn)
        self._renewed_s = now_s if is_mine else None
        return is_mine

    def run_while_held(self, task: Callable[[], T]) -> T:
        """Run *task* to its end, renewing the lease meanwhile; return its result."""
        with ThreadPoolExecutor(1) as pool:
            future = pool.submit(task)
            while not wait([future], RENEW_S / 2).done:
                with suppress(DatabaseError):  # *task* meets the same error, or needs no database
                    self.hold()
            return future.result()

    def take(self, conn: Connection) -> bool:
        """Acquire or renew the lease within *conn*; return True when this holder has it."""
        abandoned_end = self._rival.find_abandoned_end(FOR_S)
        is_mine = leases.acquire_lease(
            conn, self.name, self.holder, self.clock(), FOR_S, abandoned_end=abandoned_end
        )
        self._rival.observe(conn, self.name)
        return is_mine

    def release(self) -> None:
        """Release the lease; when the database is away it expires by itself."""
        self._renewed_s = None
        with suppress(DatabaseError), self.db.write() as conn:
            leases.release_lease(conn, self.name, self.holder)

    def expire(self) -> None:
        """End the lease without a row in the audit trail; else as `release`."""
        self._renewed_s = None
        with suppress(DatabaseError), self.db.write() as conn:
            leases.expire_lease(conn, self.name, self.holder, self.clock())
