"""What sending needs, and how a notice stands."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from services.alerts.domain.routes import Channel, Recipients
from services.alerts.ports import Send
from services.runtime.clock import Clock
from services.store.session import Database
from services.store.vault import Keys
from services.vocabulary.alert import Alert

# How the row of a notice stands
WAITING, SENT = "waiting", "sent"
GIVEN_UP = "given_up"  # refused for good: others are told instead
WITHDRAWN = "withdrawn"  # no longer true before it was sent


@dataclass(frozen=True, slots=True)
class Delivered:
    """One attempt to deliver: by which channel, and what came of it."""

    channel: str
    result: str
    alert: Alert
    at: datetime


@dataclass(frozen=True, slots=True)
class Desk:
    """Everything that sending needs.

    Args:
        db: Migrated.
        keys: For the links.
        study: Id.
        recipients: Of the study.
        channels: How each channel sends.
        clock: The machine's.
        url: Start of every link, without a slash at its end.
    """

    db: Database
    keys: Keys
    study: str
    recipients: Recipients
    channels: Mapping[Channel, Send]
    clock: Clock
    url: str
    on_delivered: Callable[[Delivered], None] = lambda _delivered: None
