"""Links that acknowledge: signed, for one alert and one recipient, and only for a while."""

import base64
import hashlib
import hmac
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from services.store.vault import Keys

LIFETIME = timedelta(days=14)
_DIGEST_BYTES = 32


@dataclass(frozen=True, slots=True)
class Link:
    """The content of a link: *recipient* may acknowledge *alert* (id) until it expires."""

    alert: str
    recipient: str
    expires_at: datetime


def make_token(keys: Keys, alert: str, recipient: str, instant: datetime) -> str:
    """Return the signed part of the link of *recipient*; it is valid for `LIFETIME`."""
    expiry_s = int((instant + LIFETIME).timestamp())
    content = f"{alert}|{expiry_s}|{recipient}".encode()
    return base64.urlsafe_b64encode(_sign(keys, content) + content).decode().rstrip("=")


def open_link(keys: Keys, text: str, instant: datetime) -> Link | None:
    """Return the content of a link; None when it was made by somebody else, or has expired."""
    try:
        raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        return None
    signed, content = raw[:_DIGEST_BYTES], raw[_DIGEST_BYTES:]
    if not hmac.compare_digest(signed, _sign(keys, content)):
        return None
    alert, expiry_s, recipient = content.decode().split("|", 2)
    expires_at = datetime.fromtimestamp(int(expiry_s), UTC)
    return Link(alert, recipient, expires_at) if instant <= expires_at else None


def _sign(keys: Keys, content: bytes) -> bytes:
    return hmac.new(keys.seal, b"acknowledgement link\n" + content, hashlib.sha256).digest()
