"""Another process that holds the lease to grade, and grades nothing."""

import threading
from contextlib import contextmanager

from services.runtime.clock import now_utc
from services.store import leases
from services.store.held_lease import FOR_S


@contextmanager
def hold_lease(db, holder, seconds, *, renews=False, for_s=FOR_S):
    """Let *holder* have the lease to grade for *seconds* (None: it is killed)."""
    stop = threading.Event()

    def take():
        with db.write() as conn:
            assert leases.acquire_lease(conn, "rules", holder, now_utc(), for_s)

    def hold():
        while renews and not stop.wait(0.2):
            take()
        stop.wait(seconds)
        if renews or seconds is not None:
            with db.write() as conn:
                leases.release_lease(conn, "rules", holder)

    take()
    thread = threading.Thread(target=hold)
    thread.start()
    yield
    stop.set()
    thread.join()
