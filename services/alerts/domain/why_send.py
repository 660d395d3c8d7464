"""Which notices an alert needs now, each with its reason."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from services.vocabulary.alert import Alert


class Reason(StrEnum):
    """Why a notice is sent: stored with it, and counted."""

    FIRST = "first"
    GRADE_ROSE = "grade rose"
    RETURNED = "returned after retraction"
    NOT_ACKNOWLEDGED = "not acknowledged in time"
    RETRACTED = "retracted"


@dataclass(frozen=True, slots=True)
class Told:
    """A notice that was recorded before: when, why, at which grade and kind, to which role."""

    at: datetime
    reason: Reason
    grade: int
    role: str


@dataclass(frozen=True, slots=True)
class Seen:
    """Somebody acknowledged the alert at *grade*."""

    at: datetime
    grade: int


@dataclass(frozen=True, slots=True)
class Notice:
    """What has to go out: why, and to which roles; *round* counts the notices of the alert."""

    reason: Reason
    roles: tuple[str, ...]
    round: int


def why_send(
    alert: Alert, told: Sequence[Told], seen: Sequence[Seen], now: datetime
) -> Notice | None:
    """Return the notice that *alert* needs at *now*; None when everybody knows.

    Args:
        alert: As it stands.
        told: All notices about it, oldest first.
        seen: All acknowledgements of it.
        now: Aware.
    """
    rounds = len({(one.at, one.reason) for one in told})
    if alert.retracted:
        return _taking_back(told, rounds)
    if not told or told[-1].reason is Reason.RETRACTED:
        return Notice(Reason.RETURNED if told else Reason.FIRST, alert.roles, rounds)
    since = _since_retraction(told)
    if alert.grade > max(one.grade for one in since):
        return Notice(Reason.GRADE_ROSE, _with_those_told(alert, since), rounds)
    acknowledged = any(one.grade >= alert.grade and one.at >= since[0].at for one in seen)
    if acknowledged or now - told[-1].at < timedelta(seconds=alert.acknowledge_within_s):
        return None
    reminded = {one.at for one in since if one.reason is Reason.NOT_ACKNOWLEDGED}
    further = alert.escalate_to[: len(reminded) + 1]
    roles = tuple(dict.fromkeys((*alert.roles, *further)))
    return Notice(Reason.NOT_ACKNOWLEDGED, roles, rounds)


def _taking_back(told: Sequence[Told], rounds: int) -> Notice | None:
    """Return the notice to everybody who was told, unless they know already."""
    if not told or told[-1].reason is Reason.RETRACTED:
        return None
    return Notice(Reason.RETRACTED, tuple(dict.fromkeys(one.role for one in told)), rounds)


def _since_retraction(told: Sequence[Told]) -> Sequence[Told]:
    last = max((at for at, one in enumerate(told) if one.reason is Reason.RETRACTED), default=-1)
    return told[last + 1 :]


def _with_those_told(alert: Alert, since: Sequence[Told]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*alert.roles, *(one.role for one in since))))
