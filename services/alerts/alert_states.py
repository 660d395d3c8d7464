"""The state of each alert: who has seen it, who has not, and what the DSMB has answered."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from services.alerts.alert_history import AlertRows, load_alert_rows
from services.alerts.domain.acknowledgements import (
    Acknowledgement,
    list_missing_people,
    list_waiting_roles,
)
from services.alerts.domain.due_notice import (
    BoardAnswer,
    Reason,
    find_board_answer,
    find_snooze,
    find_valid_acknowledgements,
)
from services.alerts.domain.routes import Recipients
from services.alerts.recipient_people import resolve_people
from services.store.session import Connection
from services.vocabulary.alert import Alert, ClosingReason


class AlertState(StrEnum):
    """The part of its life that an alert is in."""

    OPEN = "open"  # somebody has to acknowledge it
    ON_HOLD = "snoozed"
    ALL_KNOW = "seen"  # by everybody who has to acknowledge it
    BOARD_ANSWER = "answered"  # by the DSMB
    NOTE = "told"  # nobody has to acknowledge it
    OVERTAKEN = "overtaken"
    NO_LONGER_SO = "ended"  # what it told of is over
    RETRACTED = "retracted"


_CLOSED_STATES = {
    ClosingReason.DSMB_ANSWER: AlertState.BOARD_ANSWER,
    ClosingReason.STRONGER_ALERT: AlertState.OVERTAKEN,
    ClosingReason.NO_LONGER_SO: AlertState.NO_LONGER_SO,
}


@dataclass(frozen=True, slots=True)
class AlertStatus:
    """An alert with its state at an instant.

    Args:
        alert: As it stands.
        state: Of its life.
        acknowledgements: Of the alert as it stands, the oldest first.
        missing_people: Names of those who have to acknowledge and have not.
        snoozed_until: None: it is not snoozed.
        answer: Of the DSMB, to this alert; None: there is none.
        is_escalated: Others than those first told were told, for nobody acknowledged or a person
            said so.
    """

    alert: Alert
    state: AlertState
    acknowledgements: Sequence[Acknowledgement] = ()
    missing_people: tuple[str, ...] = ()
    snoozed_until: datetime | None = None
    answer: BoardAnswer | None = None
    is_escalated: bool = False

    @property
    def is_open(self) -> bool:
        """True while somebody has to acknowledge it, also while it is snoozed."""
        return self.state in (AlertState.OPEN, AlertState.ON_HOLD)

    def __str__(self) -> str:
        """Return the state in a few words, with the people that it is about."""
        seen_by = ", ".join(dict.fromkeys(one.person for one in self.acknowledgements))
        match self.state:
            case AlertState.ALL_KNOW:
                return f"seen by {seen_by}"
            case AlertState.BOARD_ANSWER if self.answer is not None:
                return f"answered: {self.answer.answer}, by {self.answer.person}"
            case AlertState.ON_HOLD if self.snoozed_until is not None:
                return f"snoozed until {self.snoozed_until:%Y-%m-%d %H:%M}"
            case AlertState.OPEN:
                words = "escalated" if self.is_escalated else "open"
                seen_words = f"seen by {seen_by}, " if seen_by else ""
                people = f"{seen_words}waits for {', '.join(self.missing_people)}"
                return f"{words}: {people}" if seen_by else words
        return self.state.value


def load_alert_states(
    conn: Connection, study: str, recipients: Recipients, instant: datetime
) -> list[AlertStatus]:
    """Return every alert of *study* with its state at *instant*, the oldest first."""
    present_recipients = resolve_people(conn, recipients, instant)
    return [find_status(rows, present_recipients, instant) for rows in load_alert_rows(conn, study)]


def find_status(rows: AlertRows, recipients: Recipients, instant: datetime) -> AlertStatus:
    """Return the alert of *rows* with its state at *instant* (aware)."""
    alert, history = rows.alert, rows.history
    acknowledgements = find_valid_acknowledgements(alert, history)
    answer = find_board_answer(alert, history)
    snooze = find_snooze(alert, history, instant)
    is_escalated = any(
        one.reason in (Reason.NOT_ACKNOWLEDGED, Reason.ESCALATION) and one.role not in alert.roles
        for one in history.current_notices
    )
    waiting_roles = list_waiting_roles(alert, recipients, acknowledgements)
    return AlertStatus(
        alert,
        _find_state(
            alert,
            is_answered=answer is not None,
            is_snoozed=snooze is not None,
            is_waiting=bool(waiting_roles),
        ),
        acknowledgements,
        list_missing_people(alert, recipients, acknowledgements) if alert.is_open else (),
        snooze.ends_at if snooze else None,
        answer,
        is_escalated,
    )


def _find_state(
    alert: Alert, *, is_answered: bool, is_snoozed: bool, is_waiting: bool
) -> AlertState:
    if alert.retracted:
        return AlertState.RETRACTED
    if alert.closed is not None:
        return _CLOSED_STATES[alert.closed]
    if not alert.acknowledge_within_s:
        return AlertState.NOTE
    if is_answered:
        return AlertState.BOARD_ANSWER
    if not is_waiting:
        return AlertState.ALL_KNOW
    return AlertState.ON_HOLD if is_snoozed else AlertState.OPEN
