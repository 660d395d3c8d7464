"""The stored rows about alerts, as the domain reads them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TypeVar

from services.alerts.delivery_context import GIVEN_UP, WAITING, WITHDRAWN
from services.alerts.domain.acknowledgements import Acknowledgement
from services.alerts.domain.due_notice import (
    AlertHistory,
    BoardAnswer,
    Escalation,
    Reason,
    RecordedNotice,
    Snooze,
)
from services.store import alert_acts, alerts, journal
from services.store.alert_acts import AlertActKind, AlertActRow
from services.store.alerts import AcknowledgementRow, DeliveryRow
from services.store.session import Connection
from services.vocabulary.alert import Alert, Level
from services.vocabulary.judgement import Determination

Row = TypeVar("Row")

FAILING_FROM = 8  # attempts, some ten minutes


@dataclass(frozen=True)
class AlertRows:
    """Everything that is stored about one alert, each kind the oldest first."""

    alert: Alert
    deliveries: Sequence[DeliveryRow]
    acknowledgements: Sequence[AcknowledgementRow]
    acts: Sequence[AlertActRow]
    answers: Sequence[BoardAnswer]

    @property
    def obsolete_deliveries(self) -> list[DeliveryRow]:
        """Waiting notices that would say what is no longer so."""
        return [row for row in self.deliveries if _is_obsolete(row, self.alert)]

    def withdraw_obsolete(self) -> "AlertRows":
        """Return the rows with the obsolete notices withdrawn."""
        rows = [withdraw(row) if _is_obsolete(row, self.alert) else row for row in self.deliveries]
        return replace(self, deliveries=rows)

    @cached_property
    def history(self) -> AlertHistory:
        """The rows as the domain reads them."""
        return AlertHistory(
            _read_notices(self.deliveries),
            [
                Acknowledgement(row.at, row.grade, row.by, row.comment)
                for row in self.acknowledgements
            ],
            [
                Snooze(row.acted_at, row.ends_at, row.grade)
                for row in self.acts
                if row.kind is AlertActKind.SNOOZE and row.ends_at is not None
            ],
            [
                Escalation(row.acted_at, row.role)
                for row in self.acts
                if row.kind is AlertActKind.ESCALATION
            ],
            self.answers,
        )


def load_alert_rows(
    conn: Connection, study: str, ids: Sequence[str] | None = None
) -> list[AlertRows]:
    """Return the rows of all alerts of *study*, or of those of *ids*; the oldest alert first."""
    deliveries = _group_by(alerts.load_deliveries(conn, ids), lambda row: row.alert)
    acknowledgements = _group_by(alerts.load_acknowledgements(conn, ids), lambda row: row.alert)
    acts = _group_by(alert_acts.load_alert_acts(conn, ids), lambda row: row.alert)
    stored_alerts = alerts.load_alerts(conn, study, ids)
    is_of_rules = any(one.level is Level.STUDY for one in stored_alerts)
    answers = load_board_answers(conn, study) if is_of_rules else {}
    return [
        AlertRows(
            one,
            deliveries.get(one.id, []),
            acknowledgements.get(one.id, []),
            acts.get(one.id, []),
            answers.get(one.about, []) if one.level is Level.STUDY else [],
        )
        for one in stored_alerts
    ]


def load_board_answers(conn: Connection, study: str) -> Mapping[str, list[BoardAnswer]]:
    """Return the DSMB's determinations of *study* by rule, the oldest first."""
    answers: dict[str, list[BoardAnswer]] = {}
    for entry in journal.load_facts_of_kind(conn, "determination", study):
        body = entry.fact.body
        if isinstance(body, Determination):
            answers.setdefault(body.rule, []).append(
                BoardAnswer(entry.received_at, body.events, body.answer, body.by, body.reason)
            )
    return answers


def is_failing(row: DeliveryRow) -> bool:
    """True when the channel refused it for good, or has not taken it for long."""
    return row.state == GIVEN_UP or (row.state == WAITING and row.attempts >= FAILING_FROM)


def withdraw(row: DeliveryRow) -> DeliveryRow:
    """Return *row* as one that is no longer to be sent."""
    return replace(row, state=WITHDRAWN, next_attempt_at=None)


def _is_obsolete(row: DeliveryRow, alert: Alert) -> bool:
    is_over = row.reason in (Reason.RETRACTED, Reason.ENDED)
    return row.state == WAITING and is_over == alert.is_open


def _read_notices(rows: Iterable[DeliveryRow]) -> list[RecordedNotice]:
    return [
        RecordedNotice(
            row.recorded_at,
            Reason(row.reason),
            row.grade,
            row.role,
            row.channel,
            is_failing=is_failing(row),
            is_withdrawn=row.state == WITHDRAWN and not row.attempts,
        )
        for row in rows
    ]


def _group_by(rows: Sequence[Row], key: Callable[[Row], str]) -> Mapping[str, list[Row]]:
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(key(row), []).append(row)
    return groups
