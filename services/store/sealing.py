"""Seals the audit trail once a second, in a thread of its own, by lease."""

import threading

from services.runtime import log
from services.runtime.clock import Clock
from services.runtime.failpoints import reached
from services.store import leases
from services.store.holding import Others
from services.store.sealer import Settled, seal
from services.store.session import Database
from services.store.vault import Keys

_EVERY_S = 1.0
_LEASE_S = 6.0

_log = log.logger("store")


def run(db: Database, keys: Keys, holder: str, clock: Clock, stop: threading.Event) -> None:
    """Seal what is new until *stop* is set, and once more then."""
    settled = None if db.is_sqlite else Settled()
    others = Others()
    while not stop.wait(_EVERY_S):
        try:
            step(db, keys, holder, clock, settled, others=others)
        except Exception as error:  # noqa: BLE001 - what is not sealed now is sealed next time
            _log.exception("seal_failed", exc_info=error)
    step(db, keys, holder, clock, settled, others=others)
    with db.write() as conn:
        leases.release(conn, "sealer", holder)


def step(
    db: Database,
    keys: Keys,
    holder: str,
    clock: Clock,
    settled: Settled | None = None,
    *,
    others: Others | None = None,
) -> None:
    """Seal what is new, or of it what is *settled*, when the lease is this process's.

    Of a lease that *others* have, what was seen before helps to tell whether they are alive.
    """
    abandoned = others.abandoned(_LEASE_S) if others else None
    with db.write() as conn:
        if not leases.acquire(conn, "sealer", holder, clock(), _LEASE_S, abandoned=abandoned):
            if others:
                others.look(conn, "sealer")
            return
        upto = None if settled is None else settled.look(conn)
        while seal(conn, keys, clock(), upto=upto):
            pass
        reached("seal.before_commit")
