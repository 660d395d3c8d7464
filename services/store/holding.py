"""A lease that is kept: taken when it is free, renewed in time, given back at the end."""

import time
from dataclasses import dataclass

from services.runtime.clock import Clock
from services.store import leases
from services.store.session import Database

FOR_S = 6.0
RENEW_S = 2.0


@dataclass(slots=True)
class Holding:
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

    def is_mine(self) -> bool:
        """Take or keep the lease; say whether it is this holder's."""
        now_s = time.monotonic()
        if self._renewed_s is not None and now_s - self._renewed_s < RENEW_S:
            return True
        with self.db.write() as conn:
            taken = leases.acquire(conn, self.name, self.holder, self.clock(), FOR_S)
        self._renewed_s = now_s if taken else None
        return taken

    def release(self) -> None:
        """Let another holder take it at once."""
        self._renewed_s = None
        with self.db.write() as conn:
            leases.release(conn, self.name, self.holder)
