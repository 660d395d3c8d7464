"""Which alerts to look at: those of which something was written, and from time to time all."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from services.store import alerts, audit
from services.store.session import Connection

ALL_EVERY = timedelta(seconds=5)  # reminders fall due without anything being written
_OVERLAP = timedelta(seconds=2)  # a row of the trail may be seen after others that it precedes
_MANY = 500  # of so many it costs the same to look at all


@dataclass(slots=True)
class News:
    """What was looked at so far."""

    _all_at: datetime | None = None
    _after: int = 0
    _newest: int = 0
    _turned_at: datetime | None = None

    def look(self, conn: Connection, now: datetime) -> set[str] | None:
        """Return the alerts (ids) of which something is new at *now*; None: look at all."""
        newest = audit.find_newest_id(conn)
        if self._turned_at is None or not now - self._turned_at < _OVERLAP:
            self._after, self._newest, self._turned_at = self._newest, newest, now
        if self._all_at is None or not timedelta() <= now - self._all_at < ALL_EVERY:
            self._all_at = now
            return None
        found = alerts.find_alerts_written_since(conn, self._after)
        return found if len(found) < _MANY else None
