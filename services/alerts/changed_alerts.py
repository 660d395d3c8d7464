"""Alerts to look at: those that the audit trail mentions, and from time to time all."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from services.alerts.alert_history import FAILING_FROM
from services.store import alerts, audit
from services.store.session import Connection

ALL_EVERY = timedelta(seconds=5)  # reminders fall due without anything being written
_OVERLAP = timedelta(seconds=2)  # a row of the trail may be seen after others that it precedes
_ALL_FROM = 500  # changed alerts: looking at all costs no more


@dataclass(slots=True)
class ChangedAlerts:
    """The place in the audit trail up to which alerts were looked at."""

    _all_read_at: datetime | None = None
    _from_id: int = 0
    _newest_id: int = 0
    _advanced_at: datetime | None = None

    def find(self, conn: Connection, instant: datetime) -> set[str] | None:
        """Return the ids of alerts that changed since the last call; None: look at all."""
        newest_id = audit.find_newest_id(conn)
        if self._advanced_at is None or not instant - self._advanced_at < _OVERLAP:
            self._from_id, self._newest_id, self._advanced_at = self._newest_id, newest_id, instant
        if self._all_read_at is None or not timedelta() <= instant - self._all_read_at < ALL_EVERY:
            self._all_read_at = instant
            return None
        ids = alerts.find_alerts_written_since(conn, self._from_id, FAILING_FROM)
        return ids if len(ids) < _ALL_FROM else None
