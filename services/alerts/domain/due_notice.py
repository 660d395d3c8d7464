"""The notice that an alert needs now, with its reason."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cached_property

from services.alerts.domain.acknowledgements import (
    Acknowledgement,
    list_waiting_roles,
    select_valid_acknowledgements,
)
from services.alerts.domain.routes import Channel, Recipients
from services.vocabulary.alert import Alert, Level
from services.vocabulary.person import Role


class Reason(StrEnum):
    """The reason for a notice: stored with it, and logged."""

    FIRST = "first"
    GRADE_ROSE = "grade rose"
    HOLDS_AGAIN = "returned after retraction"
    NOT_ACKNOWLEDGED = "not acknowledged in time"
    NOT_DELIVERED = "could not be delivered"
    ESCALATION = "escalated by a person"
    RETRACTED = "retracted"
    ENDED = "ended"  # told to what keeps the alert firing: people read it in the list


_NEWS = (Reason.FIRST, Reason.GRADE_ROSE, Reason.HOLDS_AGAIN)


@dataclass(frozen=True, slots=True)
class RecordedNotice:
    """A notice that was recorded before.

    Args:
        recorded_at: Aware.
        reason: For which it was due.
        grade: Of the alert then.
        role: Of the recipient.
        channel: To the recipient.
        is_failing: The channel refused it for good, or has not taken it for long.
        is_withdrawn: It was never sent, because it was no longer true: it counts as not recorded.
    """

    recorded_at: datetime
    reason: Reason
    grade: int
    role: str
    channel: str = ""
    is_failing: bool = False
    is_withdrawn: bool = False


@dataclass(frozen=True, slots=True)
class Snooze:
    """No reminder of the alert at *grade* until *ends_at*, because a person gave a reason."""

    snoozed_at: datetime
    ends_at: datetime
    grade: int


@dataclass(frozen=True, slots=True)
class Escalation:
    """A person's decision that *role* is told too."""

    escalated_at: datetime
    role: str


@dataclass(frozen=True, slots=True)
class BoardAnswer:
    """The DSMB's determination about *events* of a rule: it ends the reminders of its alerts."""

    answered_at: datetime
    events: int
    answer: str
    person: str
    reason: str


@dataclass(frozen=True)
class AlertHistory:
    """Notices of one alert and acts of persons about it, each the oldest first."""

    notices: Sequence[RecordedNotice] = ()
    acknowledgements: Sequence[Acknowledgement] = ()
    snoozes: Sequence[Snooze] = ()
    escalations: Sequence[Escalation] = ()
    answers: Sequence[BoardAnswer] = ()

    @property
    def notice_count(self) -> int:
        """The number of notices so far, those to several people counted once."""
        return len({(one.recorded_at, one.reason) for one in self.notices})

    @cached_property
    def current_notices(self) -> list[RecordedNotice]:
        """The notices that were sent, or wait, since the alert was last retracted."""
        return _select_since_retraction([one for one in self.notices if not one.is_withdrawn])

    @property
    def told_since(self) -> datetime | None:
        """The time of the first current notice; None: there is none."""
        return self.current_notices[0].recorded_at if self.current_notices else None


@dataclass(frozen=True, slots=True)
class DueNotice:
    """A notice that has to go out.

    Args:
        reason: For which.
        roles: Of its recipients.
        number: Counts the notices of the alert from 0.
        acknowledged_by: Names of recipients who have acknowledged: it does not go to them.
        channel: It goes to recipients by this one alone; None: by any.
    """

    reason: Reason
    roles: tuple[str, ...]
    number: int
    acknowledged_by: frozenset[str] = frozenset()
    channel: Channel | None = None


def find_due_notice(
    alert: Alert, history: AlertHistory, recipients: Recipients, instant: datetime
) -> DueNotice | None:
    """Return the notice that *alert* needs at *instant* (aware); None when everybody knows."""
    notice_count = history.notice_count
    valid_notices = [one for one in history.notices if not one.is_withdrawn]
    if not alert.is_open:
        return (
            _find_retraction(valid_notices, notice_count)
            if alert.retracted
            else _find_firing_change(alert, history)
        )
    current_notices = history.current_notices
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
    return (
        _find_firing_change(alert, history)
        or _find_further_notice(alert, history)
        or _find_reminder(alert, history, recipients, instant)
    )


def _find_firing_change(alert: Alert, history: AlertHistory) -> DueNotice | None:
    """Return the notice to an Alertmanager that has an end, or a return, to learn; None: it knows.

    People who were told learn nothing by a mail that a silence is over: the list says so.
    """
    channel = Channel.ALERTMANAGER
    notices = [one for one in history.current_notices if one.channel == channel]
    if not notices or alert.is_open is (notices[-1].reason is not Reason.ENDED):
        return None
    reason = Reason.HOLDS_AGAIN if alert.is_open else Reason.ENDED
    roles = _remove_repeats(_list_roles(notices))
    return DueNotice(reason, roles, history.notice_count, channel=channel)


def _find_further_notice(alert: Alert, history: AlertHistory) -> DueNotice | None:
    """Return the notice to others than those told: nobody is reached, or a person escalated it."""
    current_notices = history.current_notices
    if further_roles := _find_other_roles(alert, current_notices):
        return DueNotice(Reason.NOT_DELIVERED, further_roles, history.notice_count)
    if escalated_roles := _find_escalated_roles(history.escalations, current_notices):
        return DueNotice(Reason.ESCALATION, escalated_roles, history.notice_count)
    return None


def _find_reminder(
    alert: Alert, history: AlertHistory, recipients: Recipients, instant: datetime
) -> DueNotice | None:
    """Return the reminder that is due at *instant*; None: there is time, or it is suspended."""
    time_limit = timedelta(seconds=alert.acknowledge_within_s)
    is_late = instant - history.current_notices[-1].recorded_at >= time_limit
    if not is_late or is_reminding_suspended(alert, history, instant):
        return None
    return _make_reminder(alert, history, recipients)


def find_valid_acknowledgements(alert: Alert, history: AlertHistory) -> list[Acknowledgement]:
    """Return the acknowledgements of the alert as it stands, the oldest first."""
    return select_valid_acknowledgements(alert, history.acknowledgements, history.told_since)


def find_snooze(alert: Alert, history: AlertHistory, instant: datetime) -> Snooze | None:
    """Return the snooze that holds at *instant*; None: there is none, as always at study level."""
    if alert.level is Level.STUDY:
        return None
    since = history.told_since
    valid_snoozes = [
        one
        for one in history.snoozes
        if one.grade >= alert.grade
        and (since is None or one.snoozed_at >= since)
        and one.snoozed_at <= instant < one.ends_at
    ]
    return valid_snoozes[-1] if valid_snoozes else None


def find_board_answer(alert: Alert, history: AlertHistory) -> BoardAnswer | None:
    """Return the DSMB's answer to the alert as it stands; None: it has not answered this.

    News that was sent after an answer, or more events than it was given for, ask for another.
    """
    told_at = max(
        (one.recorded_at for one in history.current_notices if one.reason in _NEWS), default=None
    )
    events = getattr(alert.detail, "events", alert.grade)
    valid_answers = [
        one
        for one in history.answers
        if one.events >= events and (told_at is None or one.answered_at >= told_at)
    ]
    return valid_answers[-1] if valid_answers else None


def is_reminding_suspended(alert: Alert, history: AlertHistory, instant: datetime) -> bool:
    """True while nobody is reminded: of a note, while it is snoozed, once it is answered."""
    return (
        not alert.acknowledge_within_s
        or find_snooze(alert, history, instant) is not None
        or find_board_answer(alert, history) is not None
    )


def _find_retraction(notices: Sequence[RecordedNotice], notice_count: int) -> DueNotice | None:
    """Return the notice to everybody who was told, unless they know already."""
    if not _select_since_retraction(notices):
        return None
    return DueNotice(Reason.RETRACTED, _remove_repeats(_list_roles(notices)), notice_count)


def _make_reminder(alert: Alert, history: AlertHistory, recipients: Recipients) -> DueNotice | None:
    """Return the reminder to those who have not acknowledged, one role further each time.

    None when everybody has who has to.
    """
    acknowledgements = find_valid_acknowledgements(alert, history)
    waiting_roles = list_waiting_roles(alert, recipients, acknowledgements)
    if not waiting_roles:
        return None
    notices = history.current_notices
    reminder_times = {one.recorded_at for one in notices if one.reason is Reason.NOT_ACKNOWLEDGED}
    further_roles = alert.escalate_to[: len(reminder_times) + 1]
    escalated_roles = [one.role for one in notices if one.reason is Reason.ESCALATION]
    return DueNotice(
        Reason.NOT_ACKNOWLEDGED,
        _remove_repeats((*waiting_roles, *further_roles, *escalated_roles)),
        history.notice_count,
        frozenset(one.person for one in acknowledgements),
    )


def _find_escalated_roles(
    escalations: Sequence[Escalation], notices: Sequence[RecordedNotice]
) -> tuple[str, ...]:
    """Return the roles that a person escalated to since the first of *notices*, untold as yet."""
    return _remove_repeats(
        escalation.role
        for escalation in escalations
        if escalation.escalated_at >= notices[0].recorded_at
        and not any(
            one.reason is Reason.ESCALATION and one.recorded_at >= escalation.escalated_at
            for one in notices
        )
    )


def _find_other_roles(alert: Alert, notices: Sequence[RecordedNotice]) -> tuple[str, ...]:
    """Return the next role, and operations, when a notice does not get through; else nobody."""
    page_times = [one.recorded_at for one in notices if one.reason is Reason.NOT_DELIVERED]
    latest_notices = [one for one in notices if not page_times or one.recorded_at == page_times[-1]]
    if not any(one.is_failing for one in latest_notices):
        return ()
    next_roles = [role for role in alert.escalate_to if role not in _list_roles(notices)]
    operators = [] if page_times else [Role.OPERATOR]
    return _remove_repeats((*next_roles[:1], *operators))


def _select_since_retraction(notices: Sequence[RecordedNotice]) -> list[RecordedNotice]:
    """Return the notices of the alert since it was last taken back."""
    retracted_at = max(
        (one.recorded_at for one in notices if one.reason is Reason.RETRACTED), default=None
    )
    return [one for one in notices if retracted_at is None or one.recorded_at > retracted_at]


def _list_roles(notices: Iterable[RecordedNotice]) -> list[str]:
    return [one.role for one in notices]


def _remove_repeats(roles: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(roles))
