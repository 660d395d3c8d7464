"""Seals the audit trail once a second, in a thread of its own, by lease."""

import threading

from services.runtime import log
from services.runtime.failpoints import pass_failpoint
from services.store.held_lease import HeldLease
from services.store.seal_chain import SettledIds, seal_audit_rows
from services.store.vault import Keys

_EVERY_S = 1.0

_log = log.make_logger("store")


def run_seal_worker(lease: HeldLease, keys: Keys, stop: threading.Event) -> None:
    """Seal what is new until *stop* is set, and once more then."""
    settled_ids = None if lease.db.is_sqlite else SettledIds()
    while not stop.wait(_EVERY_S):
        try:
            seal_new_rows(lease, keys, settled_ids)
        except Exception as error:  # noqa: BLE001 - what is not sealed now is sealed next time
            _log.exception("seal_failed", exc_info=error)
    seal_new_rows(lease, keys, settled_ids)
    lease.release()


def seal_new_rows(lease: HeldLease, keys: Keys, settled_ids: SettledIds | None = None) -> None:
    """Seal what is new, or of it what is *settled_ids*, when the *lease* is this process's.

    It is taken where the seals are written, so that of two sealers one waits for the other.
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
