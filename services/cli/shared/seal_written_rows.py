"""The seals of what a command has written: nothing waits for a service to be started."""

import os
import socket

from services.runtime.clock import now_utc
from services.store.held_lease import HeldLease
from services.store.session import Database
from services.store.vault import Keys


def seal_written_rows(db: Database, keys: Keys) -> None:
    """Seal the rows of the audit trail that no seal covers, unless a running service does."""
    from services.store.seal_worker import seal_at_once  # noqa: PLC0415 (it loads the log)

    holder = f"command {os.getpid()} on {socket.gethostname()}"
    seal_at_once(HeldLease(db, "sealer", holder, now_utc), keys)
