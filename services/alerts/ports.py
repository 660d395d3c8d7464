"""What a channel is: something that takes a notice to one address."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from services.alerts.domain.wording import Text
from services.vocabulary.alert import Alert


@dataclass(frozen=True, slots=True)
class Letter:
    """One notice, ready to go.

    Args:
        id: Of the delivery: the same for every attempt.
        alert: What it is about.
        reason: Why it is sent.
        text: What it says.
        picture: A boundary chart as PNG; None without one.
        at: Aware, for the date of a mail and the signature of a webhook.
    """

    id: str
    alert: Alert
    reason: str
    text: Text
    picture: bytes | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Sent:
    """The other side has taken it."""


@dataclass(frozen=True, slots=True)
class Failed:
    """The other side has not: why, without an address, and whether to try again."""

    problem: str
    can_retry: bool = True


Send = Callable[[Letter, str], Sent | Failed]
