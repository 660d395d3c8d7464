"""Links that acknowledge: signed, for one alert and one recipient, and only for a while."""

import base64
import hashlib
import hmac
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from services.store.vault import Keys

LASTS = timedelta(days=14)
_DIGEST_BYTES = 32


@dataclass(frozen=True, slots=True)
class Link:
    """What a link is for."""

    alert: str
    recipient: str
    until: datetime


def token(keys: Keys, alert: str, recipient: str, now: datetime) -> str:
    """Return what stands in the link of *recipient*; it lasts `LASTS`."""
    until = int((now + LASTS).timestamp())
    content = f"{alert}|{until}|{recipient}".encode()
    return base64.urlsafe_b64encode(_signature(keys, content) + content).decode().rstrip("=")


def opened(keys: Keys, text: str, now: datetime) -> Link | None:
    """Return what the link is for; None when it was made by somebody else, or is too old."""
    try:
        raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        return None
    signed, content = raw[:_DIGEST_BYTES], raw[_DIGEST_BYTES:]
    if not hmac.compare_digest(signed, _signature(keys, content)):
        return None
    alert, until, recipient = content.decode().split("|", 2)
    lasts_until = datetime.fromtimestamp(int(until), UTC)
    return Link(alert, recipient, lasts_until) if now <= lasts_until else None


def _signature(keys: Keys, content: bytes) -> bytes:
    return hmac.new(keys.seal, b"acknowledgement link\n" + content, hashlib.sha256).digest()
