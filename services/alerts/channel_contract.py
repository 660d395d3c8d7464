"""The contract of a channel: a function that takes a letter to one address."""

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
        alert: As it stood when the letter was written.
        reason: Of the notice.
        text: Subject and body.
        picture: A boundary chart as PNG; None without one.
        dated_at: Aware, for the date of a mail and the signature of a webhook.
        earlier_ids: Of the letters about the same alert that went to the same recipient before,
            the oldest first: one thread.
    """

    id: str
    alert: Alert
    reason: str
    text: Text
    picture: bytes | None
    dated_at: datetime
    earlier_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Acceptance:
    """The other side has taken the letter."""


@dataclass(frozen=True, slots=True)
class Failure:
    """The other side has not: the problem, without an address, and whether to try again."""

    problem: str
    can_retry: bool = True


Send = Callable[[Letter, str], Acceptance | Failure]


def contain_errors(send: Send) -> Send:
    """Return *send* with every exception as a failure, so that one letter stops no other."""

    def send_safely(letter: Letter, address: str) -> Acceptance | Failure:
        try:
            return send(letter, address)
        except Exception as error:  # noqa: BLE001 - a bug of one channel silences no other
            return Failure(f"channel failed ({type(error).__name__})")

    return send_safely
