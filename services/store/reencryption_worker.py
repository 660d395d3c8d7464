"""The thread that encrypts messages again with the newest key, while it holds the lease.

It works only while more than one encryption key is in use: from `aegis keys rotate` until `aegis
keys retire`. Where it stopped is not kept: a message names its key, so the next one looks for what
is left.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from services.runtime import log
from services.runtime.failpoints import pass_failpoint
from services.store.held_lease import HeldLease
from services.store.installation_keys import choose_encryption_key, list_in_use, load_keys
from services.store.reencryption import (
    count_messages_by_key,
    reencrypt_messages,
    select_outdated_messages,
)
from services.store.session import is_blocked
from services.store.vault import Keys, Purpose

_BETWEEN_BATCHES_S = 0.05
IDLE_S = 5.0
_RECOUNT_S = 60.0  # a process without the newest key goes on with the one before

_log = log.make_logger("store")


@dataclass(slots=True)
class _Pass:
    """One way through the table: its key, how far it is, and how many messages are left."""

    key_id: str
    outdated_count: int
    last_id: str = ""


@dataclass(slots=True)
class ReencryptionWorker:
    """Messages of older keys, encrypted again with the newest.

    Args:
        lease: ``reencryption``.
        keys: Those of ingest.
        on_progress: Called with the number of messages that are left.
    """

    lease: HeldLease
    keys: Keys
    on_progress: Callable[[int], None] = lambda _left: None
    _pass: _Pass | None = None
    _reported: set[str] = field(default_factory=set)

    def run(self, stop: threading.Event) -> None:
        """Work until *stop* is set; a failure is logged, and the next round goes on."""
        pause_s = _BETWEEN_BATCHES_S
        while not stop.wait(pause_s):
            try:
                pause_s = self.work()
            except Exception as error:  # noqa: BLE001 - the next round does what is left
                self._pass, pause_s = None, IDLE_S
                if not is_blocked(error):
                    _log.exception("reencryption_failed", exc_info=error)
        self.lease.release()

    def work(self) -> float:
        """Do the next batch, if there is any; return the seconds until the next one."""
        key_id = self._find_newest_key()
        if key_id is None or not self.lease.hold():
            self._pass = None
            return IDLE_S
        if self._pass is None or self._pass.key_id != key_id:
            self._pass = _Pass(key_id, self._count_outdated(key_id))
            self.on_progress(self._pass.outdated_count)
        if self._pass.outdated_count and self._do_batch(self._pass):
            return _BETWEEN_BATCHES_S
        self._pass = None
        self.on_progress(self._count_outdated(key_id))
        return _RECOUNT_S

    def _find_newest_key(self) -> str | None:
        """Return the id of the key that encrypts; None: there is no other, or it is not here."""
        with self.lease.db.read() as conn:
            in_use = list_in_use(load_keys(conn), Purpose.ENCRYPTION)
        if len(in_use) < 2:  # noqa: PLR2004 - the one that encrypts, and one to be retired
            self.on_progress(0)
            return None
        key_id = in_use[-1].id
        if self.keys.find_encryption_key(key_id) is None:
            if key_id not in self._reported:
                self.on_progress(self._count_outdated(key_id))
            self._report_once("encryption_key_missing", key_id)
            return None
        return key_id

    def _count_outdated(self, key_id: str) -> int:
        with self.lease.db.read() as conn:
            counts = count_messages_by_key(conn)
        return sum(counts.values()) - counts.get(key_id, 0)

    def _do_batch(self, course: _Pass) -> bool:
        """Encrypt some messages again; return True if there may be more for this worker."""
        with self.lease.db.read() as conn:
            selection = select_outdated_messages(conn, course.key_id, course.last_id)
        if selection.messages:
            with self.lease.db.write() as conn:
                is_mine = self.lease.take(conn)
                if not is_mine or choose_encryption_key(conn, self.keys) != course.key_id:
                    return False
                unreadable_ids = reencrypt_messages(
                    conn, self.keys, course.key_id, selection.messages
                )
                pass_failpoint("reencryption.before_commit")
            for message_id in unreadable_ids:
                self._report_once("message_unreadable", message_id)
            course.outdated_count -= len(selection.messages) - len(unreadable_ids)
            self.on_progress(course.outdated_count)
        course.last_id = selection.last_id
        return bool(selection.last_id)

    def _report_once(self, event: str, name: str) -> None:
        if name not in self._reported:
            self._reported.add(name)
            keys = {"key_id": name} if event == "encryption_key_missing" else {"message": name}
            _log.error(event, **keys)
