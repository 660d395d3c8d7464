"""The thread that seals the audit trail once a second, while it holds the lease."""

import threading

from services.runtime import log
from services.runtime.failpoints import pass_failpoint
from services.store.held_lease import HeldLease
from services.store.seal_chain import SettledIds, seal_audit_rows
from services.store.vault import Keys

_EVERY_S = 1.0

_log = log.make_logger("store")


def run_seal_worker(lease: HeldLease, keys: Keys, stop: threading.Event) -> None:
    """Seal new audit rows each second until *stop* is set, and once more at the end."""
    settled_ids = None if lease.db.is_sqlite else SettledIds()
    while not stop.wait(_EVERY_S):
        try:
            seal_new_rows(lease, keys, settled_ids)
        except Exception as error:  # noqa: BLE001 - the next round seals the rest
            _log.exception("seal_failed", exc_info=error)
    seal_new_rows(lease, keys, settled_ids)
    lease.release()


def seal_new_rows(lease: HeldLease, keys: Keys, settled_ids: SettledIds | None = None) -> None:
    """Seal the new audit rows, or the settled ones of them, when this process has the *lease*.

    The lease is taken in the transaction that writes the seals: of two workers one waits.
    """
    upto = None
    if settled_ids is not None:
        with lease.db.write() as conn:
            upto = settled_ids.observe(conn)
    with lease.db.write() as conn:
        if not lease.take(conn):
            return
        while seal_audit_rows(conn, keys, lease.clock(), upto=upto):
            pass
        pass_failpoint("seal.before_commit")
