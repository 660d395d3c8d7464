"""What the alerts tell the metrics, read from what is recorded."""

from dataclasses import dataclass
from datetime import datetime

from services.alerts.domain.why_send import Reason
from services.alerts.plan_notices import OPEN, states
from services.runtime.metrics import Metrics
from services.store import alerts
from services.store.session import Connection
from services.vocabulary.alert import Level

_ESCALATING = (Reason.NOT_ACKNOWLEDGED, Reason.NOT_DELIVERED)


@dataclass(slots=True)
class Shown:
    """What was shown of *study* so far: what was recorded after *through* is new."""

    study: str
    through: datetime

    def show(self, metrics: Metrics, conn: Connection, now: datetime) -> None:
        """Show how alerts stand at *now*, and count what has happened since it was last shown."""
        known = states(conn, self.study)
        told = alerts.load_deliveries(conn)
        seen = alerts.load_acknowledgements(conn)
        open_levels = [alert.level for alert, state in known if state == OPEN]
        for level in Level:
            metrics.alerts_open.labels(level).set(open_levels.count(level))
        waiting = [row.recorded_at for row in told if row.next_attempt_at is not None]
        oldest_s = (now - min(waiting, default=now)).total_seconds()
        metrics.oldest_undelivered_alert.set(max(0.0, oldest_s))
        opened_at = {alert.id: alert.opened_at for alert, _ in known}
        for row in seen:
            if self.through < row.at <= now:
                waited_s = (row.at - opened_at[row.alert]).total_seconds()
                metrics.alert_ack.observe(max(0.0, waited_s))
        escalated = {
            (row.alert, row.recorded_at)
            for row in told
            if row.reason in _ESCALATING and self.through < row.recorded_at <= now
        }
        metrics.alert_escalations.inc(len(escalated))
        self.through = now
