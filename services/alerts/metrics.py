"""Metrics of the alerts, from the recorded notices and acknowledgements."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from services.alerts.alert_history import load_alert_rows
from services.alerts.alert_states import AlertState, AlertStatus, find_status
from services.alerts.clock_list import list_clocks
from services.alerts.domain.due_notice import Reason
from services.alerts.domain.routes import Recipients
from services.alerts.recipient_people import resolve_people
from services.runtime.metrics import Metrics
from services.store import heartbeat
from services.store.session import Connection
from services.vocabulary.alert import AlertKind, Level

_ESCALATIONS = (Reason.NOT_ACKNOWLEDGED, Reason.NOT_DELIVERED, Reason.ESCALATION)
_SILENCES = (AlertKind.SITE_SILENT, AlertKind.PARTICIPANT_SILENT)


@dataclass(slots=True)
class AlertMetrics:
    """The metrics of *study* and its *recipients*; what came after *counted_to* is not counted."""

    study: str
    recipients: Recipients
    counted_to: datetime

    def show(self, metrics: Metrics, conn: Connection, instant: datetime) -> None:
        """Set the gauges as of *instant*, and count the events since the last call."""
        stored_rows = load_alert_rows(conn, self.study)
        present_recipients = resolve_people(conn, self.recipients, instant)
        alert_states = [find_status(rows, present_recipients, instant) for rows in stored_rows]
        deliveries = [row for rows in stored_rows for row in rows.deliveries]
        open_levels = [one.alert.level for one in alert_states if one.is_open]
        for level in Level:
            metrics.alerts_open.labels(level).set(open_levels.count(level))
        self._show_answers(metrics, alert_states)
        _show_clocks(metrics, conn, instant)
        _show_heartbeat(metrics, conn, instant)
        for kind in _SILENCES:
            count = sum(one.alert.kind is kind and one.alert.is_open for one in alert_states)
            metrics.silent_feeds.labels(kind).set(count)
        waiting_since = [row.recorded_at for row in deliveries if row.next_attempt_at is not None]
        oldest_s = (instant - min(waiting_since, default=instant)).total_seconds()
        metrics.oldest_undelivered_alert.set(max(0.0, oldest_s))
        for rows in stored_rows:
            for row in rows.acknowledgements:
                if self.counted_to < row.at <= instant:
                    delay_s = (row.at - rows.alert.opened_at).total_seconds()
                    metrics.alert_ack.observe(max(0.0, delay_s))
        escalations = {
            (row.alert, row.recorded_at)
            for row in deliveries
            if row.reason in _ESCALATIONS and self.counted_to < row.recorded_at <= instant
        }
        metrics.alert_escalations.inc(len(escalations))
        self.counted_to = instant

    def _show_answers(self, metrics: Metrics, statuses: Sequence[AlertStatus]) -> None:
        """Set for each rule that has raised alerts if the DSMB has answered those that stand."""
        answers_by_rule: dict[str, list[bool]] = {}
        for one in statuses:
            is_current = not one.alert.retracted and one.state is not AlertState.OVERTAKEN
            if one.alert.level is Level.STUDY and is_current:
                is_answered = one.state is AlertState.BOARD_ANSWER
                answers_by_rule.setdefault(one.alert.about, []).append(is_answered)
        for rule, answers in answers_by_rule.items():
            metrics.boundary_answered.labels(self.study, rule).set(all(answers))


def _show_heartbeat(metrics: Metrics, conn: Connection, instant: datetime) -> None:
    beat = heartbeat.find_unreturned(conn)
    age_s = 0.0 if beat is None else (instant - beat.sent_at).total_seconds()
    metrics.heartbeat_age.set(max(0.0, age_s))


def _show_clocks(metrics: Metrics, conn: Connection, instant: datetime) -> None:
    metrics.sae_clock_left.clear()
    for clock in reversed(list_clocks(conn, instant)):
        if clock.left_s is not None:
            metrics.sae_clock_left.labels(clock.row.kind).set(clock.left_s)
