"""The alerts of the study as they are now, in memory, read again where a version has changed."""

import threading
from dataclasses import dataclass, field

from services.store import alerts
from services.store.bulk import split_into_parts
from services.store.session import Connection
from services.vocabulary.alert import Alert


@dataclass(slots=True)
class CurrentAlerts:
    """Alerts by id; each change of a row counts its version."""

    study: str
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _by_id: dict[str, Alert] = field(default_factory=dict)

    def load(self, conn: Connection) -> list[Alert]:
        """Return the alerts as *conn* sees them, the oldest first."""
        versions = alerts.load_versions(conn, self.study)
        with self._lock:
            changed_ids = [
                alert_id
                for alert_id, version in versions.items()
                if (row := self._by_id.get(alert_id)) is None or row.version != version
            ]
            self._by_id |= {
                row.id: row
                for part in split_into_parts(changed_ids)
                for row in alerts.load_alerts(conn, ids=part)
            }
            return [self._by_id[alert_id] for alert_id in versions]
