"""Metrics that are read from the database, so that a restart does not lose them."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from services.alerts.measured import Shown
from services.cli.opened import Opened
from services.runtime import log
from services.runtime.clock import Clock
from services.runtime.metrics import Metrics
from services.safety_rules.measured import show_decisions, show_open
from services.safety_rules.study import status
from services.store import messages
from services.store.sealer import check_chain
from services.store.session import Connection

_EVERY_S = 5.0
_CHAIN_EVERY = timedelta(hours=1)

_log = log.logger("aegis")


@dataclass(slots=True)
class Gauges:
    """Shows what is true now: what waits, what is open, and whether the audit trail holds.

    Args:
        opened: The study and its data.
        metrics: Of the process.
        clock: The machine's.
    """

    opened: Opened
    metrics: Metrics
    clock: Clock
    _alerts: Shown = field(init=False)
    _chain_checked_at: datetime | None = None

    def __post_init__(self) -> None:
        self._alerts = Shown(self.opened.name, self.clock())

    def run(self, stop: threading.Event) -> None:
        """Show everything now, and again every few seconds until *stop* is set."""
        self._shown(self._at_start)
        while True:
            self._shown(self.show)
            if stop.wait(_EVERY_S):
                return

    def show(self, conn: Connection) -> None:
        """Show once what the tables say; the chain of the audit trail is checked each hour."""
        now = self.clock()
        show_open(self.metrics, conn)
        self._alerts.show(self.metrics, conn, now)
        if self._chain_checked_at is None or now - self._chain_checked_at >= _CHAIN_EVERY:
            broken = next(check_chain(conn, self.opened.keys), None)
            self.metrics.audit_chain_ok.set(broken is None)
            self._chain_checked_at = now

    def _at_start(self, conn: Connection) -> None:
        """Show what otherwise shows only when something new comes."""
        show_decisions(self.metrics, status(conn, self.opened.study.rules))
        for site, at in messages.last_received(conn).items():
            self.metrics.last_message_timestamp.labels(site).set(at.timestamp())

    def _shown(self, show: Callable[[Connection], None]) -> None:
        try:
            with self.opened.db.read() as conn:
                show(conn)
        except Exception as error:  # noqa: BLE001 - a metric that fails must not stop the others
            _log.exception("gauges_failed", exc_info=error)
