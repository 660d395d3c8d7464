"""The thread that seals the audit trail once a second, while it holds the lease."""

import threading
import time
from contextlib import suppress

from services.runtime import log
from services.runtime.failpoints import pass_failpoint
from services.store.audit_anchor import find_unsealed_tail
from services.store.held_lease import HeldLease
from services.store.seal_chain import SettledIds, seal_audit_rows
from services.store.session import DatabaseError, is_blocked
from services.store.vault import Keys

_EVERY_S = 1.0
_LONG_WAIT_S = 60.0
_LAST_ROUNDS = 10
_LAST_PAUSE_S = 0.1

_log = log.make_logger("store")


class SealWorker:
    """The seals of new audit rows, one worker at a time.

    A lock that another transaction holds is waited for: the next round seals what this one could
    not. Nothing is logged of it, but for a wait of a minute, and once a minute from then on.
    """

    def __init__(self, lease: HeldLease, keys: Keys) -> None:
        """Prepare to seal with *keys*, while *lease* is held."""
        self._lease, self._keys = lease, keys
        self._settled_ids = None if lease.db.is_sqlite else SettledIds()
        self._blocked_since_s: float | None = None

    def run(self, stop: threading.Event) -> None:
        """Seal new audit rows each second until *stop* is set, and what is left at the end.

        What a lock keeps from the last rounds is left to the next process; so is the lease, which
        ends by itself.
        """
        while not stop.wait(_EVERY_S):
            self.seal()
        self._seal_tail()
        if self._blocked_since_s is None:
            self._lease.expire()  # to release it would leave a row that nobody seals

    def _seal_tail(self) -> None:
        """Seal until nothing is left, in a few rounds: on a server rows settle between two."""
        for _ in range(_LAST_ROUNDS):
            if not self.seal() or not self._has_tail():
                return
            time.sleep(_LAST_PAUSE_S)

    def _has_tail(self) -> bool:
        with suppress(DatabaseError), self._lease.db.read() as conn:
            return find_unsealed_tail(conn).count > 0
        return False

    def seal(self) -> bool:
        """Seal what can be sealed now; a failure is logged, and ends nothing.

        Returns:
            False when it failed, or a lock kept it back.
        """
        try:
            seal_new_rows(self._lease, self._keys, self._settled_ids)
        except Exception as error:  # noqa: BLE001 - the next round seals the rest
            if is_blocked(error):
                self._record_block(time.monotonic())
            else:
                _log.exception("seal_failed", exc_info=error)
            return False
        self._blocked_since_s = None
        return True

    def _record_block(self, now_s: float) -> None:
        if self._blocked_since_s is None:
            self._blocked_since_s = now_s
        elif now_s - self._blocked_since_s >= _LONG_WAIT_S:
            _log.warning("seal_waits", reason="another transaction holds a lock")
            self._blocked_since_s = now_s


def seal_at_once(lease: HeldLease, keys: Keys) -> None:
    """Seal what a command has just written, unless another process holds *lease*, and seals it.

    What a lock or a lost connection keeps back is left to the next process.
    """
    settled_ids = None if lease.db.is_sqlite else SettledIds()
    with suppress(DatabaseError):
        for _ in range(_LAST_ROUNDS):
            if not seal_new_rows(lease, keys, settled_ids):
                return
            with lease.db.read() as conn:
                if not find_unsealed_tail(conn).count:
                    break
            time.sleep(_LAST_PAUSE_S)
        lease.expire()


def seal_new_rows(lease: HeldLease, keys: Keys, settled_ids: SettledIds | None = None) -> bool:
    """Seal the new audit rows, or the settled ones of them; return False without the *lease*.

    The lease is taken in the transaction that writes the seals: of two workers one waits.
    """
    upto = None
    if settled_ids is not None:
        with lease.db.write() as conn:
            upto = settled_ids.observe(conn)
    with lease.db.write() as conn:
        if not lease.take(conn):
            return False
        while seal_audit_rows(conn, keys, lease.clock(), upto=upto):
            pass
        pass_failpoint("seal.before_commit")
    return True
