"""The notice that an alert needs now, with its reason."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from services.vocabulary.alert import OPERATOR, Alert


class Reason(StrEnum):
    """The reason for a notice: stored with it, and logged."""

    FIRST = "first"
    GRADE_ROSE = "grade rose"
    HOLDS_AGAIN = "returned after retraction"
    NOT_ACKNOWLEDGED = "not acknowledged in time"
    NOT_DELIVERED = "could not be delivered"
    RETRACTED = "retracted"


@dataclass(frozen=True, slots=True)
class RecordedNotice:
    """A notice that was recorded before.

    Args:
        recorded_at: Aware.
        reason: For which it was due.
        grade: Of the alert then.
        role: Of the recipient.
        is_failing: The channel refused it for good, or has not taken it for long.
        is_withdrawn: It was never sent, because it was no longer true: it counts as not recorded.
    """

    recorded_at: datetime
    reason: Reason
    grade: int
    role: str
    is_failing: bool = False
    is_withdrawn: bool = False


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """Confirmation that *person* has seen the alert at *grade*."""

    acknowledged_at: datetime
    grade: int
    person: str = ""


@dataclass(frozen=True, slots=True)
class DueNotice:
    """A notice that has to go out to *roles*; *number* counts the notices of the alert from 0."""

    reason: Reason
    roles: tuple[str, ...]
    number: int


def find_due_notice(
    alert: Alert,
    notices: Sequence[RecordedNotice],
    acknowledgements: Sequence[Acknowledgement],
    instant: datetime,
) -> DueNotice | None:
    """Return the notice that *alert* needs at *instant*; None when everybody knows.

    Args:
        alert: As it stands.
        notices: All notices about it, oldest first.
        acknowledgements: All acknowledgements of it.
        instant: Aware.
    """
    notice_count = len({(one.recorded_at, one.reason) for one in notices})
    valid_notices = [one for one in notices if not one.is_withdrawn]
    if not alert.is_open:
        return _find_retraction(valid_notices, notice_count) if alert.retracted else None
    current_notices = _select_since_retraction(valid_notices)
    if not current_notices:
        reason = Reason.HOLDS_AGAIN if valid_notices else Reason.FIRST
        return DueNotice(
            reason, _remove_repeats((*alert.roles, *_list_roles(valid_notices))), notice_count
        )
    if alert.grade > max(one.grade for one in current_notices):
        return DueNotice(
            Reason.GRADE_ROSE,
            _remove_repeats((*alert.roles, *_list_roles(current_notices))),
            notice_count,
        )
    if further_roles := _find_other_roles(alert, current_notices):
        return DueNotice(Reason.NOT_DELIVERED, further_roles, notice_count)
    time_limit = timedelta(seconds=alert.acknowledge_within_s)
    is_late = (
        not find_acknowledgement(alert, valid_notices, acknowledgements)
        and instant - current_notices[-1].recorded_at >= time_limit
    )
    return _make_reminder(alert, current_notices, notice_count) if is_late else None


def find_acknowledgement(
    alert: Alert, notices: Sequence[RecordedNotice], acknowledgements: Sequence[Acknowledgement]
) -> Acknowledgement | None:
    """Return the last acknowledgement of the alert as it stands; None when there is none.

    One at a lower grade, or from before a retraction, says nothing about what is so now.
    """
    current_notices = _select_since_retraction([one for one in notices if not one.is_withdrawn])
    valid_acknowledgements = [
        one
        for one in acknowledgements
        if one.grade >= alert.grade
        and (not current_notices or one.acknowledged_at >= current_notices[0].recorded_at)
    ]
    return valid_acknowledgements[-1] if valid_acknowledgements else None


def _find_retraction(notices: Sequence[RecordedNotice], notice_count: int) -> DueNotice | None:
    """Return the notice to everybody who was told, unless they know already."""
    if not _select_since_retraction(notices):
        return None
    return DueNotice(Reason.RETRACTED, _remove_repeats(_list_roles(notices)), notice_count)


def _make_reminder(alert: Alert, notices: Sequence[RecordedNotice], notice_count: int) -> DueNotice:
    """Return the reminder, which goes one role further each time."""
    reminder_times = {one.recorded_at for one in notices if one.reason is Reason.NOT_ACKNOWLEDGED}
    further_roles = alert.escalate_to[: len(reminder_times) + 1]
    return DueNotice(
        Reason.NOT_ACKNOWLEDGED, _remove_repeats((*alert.roles, *further_roles)), notice_count
    )


def _find_other_roles(alert: Alert, notices: Sequence[RecordedNotice]) -> tuple[str, ...]:
    """Return the next role, and operations, when a notice does not get through; else nobody."""
    page_times = [one.recorded_at for one in notices if one.reason is Reason.NOT_DELIVERED]
    latest_notices = [one for one in notices if not page_times or one.recorded_at == page_times[-1]]
    if not any(one.is_failing for one in latest_notices):
        return ()
    next_roles = [role for role in alert.escalate_to if role not in _list_roles(notices)]
    operators = [] if page_times else [OPERATOR]
    return _remove_repeats((*next_roles[:1], *operators))


def _select_since_retraction(notices: Sequence[RecordedNotice]) -> Sequence[RecordedNotice]:
    last = max((at for at, one in enumerate(notices) if one.reason is Reason.RETRACTED), default=-1)
    return notices[last + 1 :]


def _list_roles(notices: Iterable[RecordedNotice]) -> list[str]:
    return [one.role for one in notices]


def _remove_repeats(roles: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(roles))
