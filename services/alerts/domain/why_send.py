"""Which notices an alert needs now, each with its reason."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from services.vocabulary.alert import Alert

OPERATOR = "operator"  # the role that looks after the machine and its channels


class Reason(StrEnum):
    """Why a notice is sent: stored with it, and logged."""

    FIRST = "first"
    GRADE_ROSE = "grade rose"
    RETURNED = "returned after retraction"
    NOT_ACKNOWLEDGED = "not acknowledged in time"
    NOT_DELIVERED = "could not be delivered"
    RETRACTED = "retracted"


@dataclass(frozen=True, slots=True)
class Told:
    """A notice that was recorded before.

    Args:
        at: When, aware.
        reason: Why.
        grade: Of the alert then.
        role: Of whoever was to be told.
        failing: The channel refused it for good, or has not taken it for long.
        withdrawn: It was never sent, because it was no longer true: it counts as not recorded.
    """

    at: datetime
    reason: Reason
    grade: int
    role: str
    failing: bool = False
    withdrawn: bool = False


@dataclass(frozen=True, slots=True)
class Seen:
    """*by* acknowledged the alert at *grade*."""

    at: datetime
    grade: int
    by: str = ""


@dataclass(frozen=True, slots=True)
class Notice:
    """What has to go out: why, and to which roles; *round* counts the notices of the alert."""

    reason: Reason
    roles: tuple[str, ...]
    round: int


def why_send(
    alert: Alert, recorded: Sequence[Told], seen: Sequence[Seen], now: datetime
) -> Notice | None:
    """Return the notice that *alert* needs at *now*; None when everybody knows.

    Args:
        alert: As it stands.
        recorded: All notices about it, oldest first.
        seen: All acknowledgements of it.
        now: Aware.
    """
    rounds = len({(one.at, one.reason) for one in recorded})
    told = [one for one in recorded if not one.withdrawn]
    if not alert.is_open:
        return _taking_back(told, rounds) if alert.retracted else None
    since = _since_retraction(told)
    if not since:
        reason = Reason.RETURNED if told else Reason.FIRST
        return Notice(reason, _distinct((*alert.roles, *_roles(told))), rounds)
    if alert.grade > max(one.grade for one in since):
        return Notice(Reason.GRADE_ROSE, _distinct((*alert.roles, *_roles(since))), rounds)
    if instead := _instead_of_failing(alert, since):
        return Notice(Reason.NOT_DELIVERED, instead, rounds)
    within = timedelta(seconds=alert.acknowledge_within_s)
    is_late = not who_saw(alert, told, seen) and now - since[-1].at >= within
    return _once_more(alert, since, rounds) if is_late else None


def who_saw(alert: Alert, told: Sequence[Told], seen: Sequence[Seen]) -> Seen | None:
    """Return the last acknowledgement of the alert as it stands; None when there is none.

    One at a lower grade, or from before a retraction, says nothing about what is so now.
    """
    since = _since_retraction([one for one in told if not one.withdrawn])
    found = [
        one for one in seen if one.grade >= alert.grade and (not since or one.at >= since[0].at)
    ]
    return found[-1] if found else None


def _taking_back(told: Sequence[Told], rounds: int) -> Notice | None:
    """Return the notice to everybody who was told, unless they know already."""
    if not _since_retraction(told):
        return None
    return Notice(Reason.RETRACTED, _distinct(_roles(told)), rounds)


def _once_more(alert: Alert, since: Sequence[Told], rounds: int) -> Notice:
    """Return the reminder, which goes one role further each time."""
    reminded = {one.at for one in since if one.reason is Reason.NOT_ACKNOWLEDGED}
    further = alert.escalate_to[: len(reminded) + 1]
    return Notice(Reason.NOT_ACKNOWLEDGED, _distinct((*alert.roles, *further)), rounds)


def _instead_of_failing(alert: Alert, since: Sequence[Told]) -> tuple[str, ...]:
    """Return whom to tell because a notice does not get through: the next role, and operations."""
    rounds = [one.at for one in since if one.reason is Reason.NOT_DELIVERED]
    last = [one for one in since if not rounds or one.at == rounds[-1]]
    if not any(one.failing for one in last):
        return ()
    untold = [role for role in alert.escalate_to if role not in _roles(since)]
    page = [] if rounds else [OPERATOR]
    return _distinct((*untold[:1], *page))


def _since_retraction(told: Sequence[Told]) -> Sequence[Told]:
    last = max((at for at, one in enumerate(told) if one.reason is Reason.RETRACTED), default=-1)
    return told[last + 1 :]


def _roles(told: Iterable[Told]) -> list[str]:
    return [one.role for one in told]


def _distinct(roles: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(roles))
