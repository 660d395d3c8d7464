"""The connections and settings of a delivery, and the states of its row."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from services.alerts.channel_contract import Send
from services.alerts.domain.routes import Channel, Recipients
from services.runtime.clock import Clock
from services.store.session import Database
from services.store.vault import Keys
from services.vocabulary.alert import Alert

# States of the row of a notice
WAITING, SENT = "waiting", "sent"
GIVEN_UP = "given_up"  # refused for good: others are told instead
WITHDRAWN = "withdrawn"  # no longer true before it was sent


@dataclass(frozen=True, slots=True)
class DeliveryAttempt:
    """One attempt to deliver: its channel and its result, ``sent`` or ``failed``."""

    channel: str
    result: str
    alert: Alert
    attempted_at: datetime


@dataclass(frozen=True, slots=True)
class DeliveryContext:
    """Connections and settings of everything that plans, sends or acknowledges.

    Args:
        db: Migrated.
        keys: For the links.
        study: Id.
        recipients: Of the study.
        channels: The function by which each sends.
        clock: The machine's.
        url: Start of every link, without a slash at its end.
        on_attempt: Called after each attempt, for the metrics.
        links_ask_sign_in: A link shows its alert, and who acknowledges has to sign in.
        earlier_links_until: Until then links of before there was a key for them are good.
        deadline_s: An attempt that has not ended after so many seconds has failed.
    """

    db: Database
    keys: Keys
    study: str
    recipients: Recipients
    channels: Mapping[Channel, Send]
    clock: Clock
    url: str
    on_attempt: Callable[[DeliveryAttempt], None] = lambda _attempt: None
    deadline_s: float = 30.0
    earlier_links_until: datetime | None = None
    links_ask_sign_in: bool = False
