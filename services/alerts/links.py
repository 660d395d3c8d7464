"""Links that acknowledge: signed, for one alert and one recipient, and only for a while.

They are signed by a key of their own. Before there was one the key of the audit trail signed them:
a link of that time is good until it expires, and no such link is any longer than `LIFETIME`.
"""

import base64
import hashlib
import hmac
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from services.store.vault import Keys, Purpose

LIFETIME = timedelta(days=14)
_DIGEST_BYTES = 32


@dataclass(frozen=True, slots=True)
class Link:
    """The content of a link: *recipient* may acknowledge *alert* (id) until it expires."""

    alert: str
    recipient: str
    expires_at: datetime

    @property
    def issued_at(self) -> datetime:
        """The instant at which it was made, or up to a second before."""
        return self.expires_at - LIFETIME


def make_token(keys: Keys, alert: str, recipient: str, instant: datetime) -> str:
    """Return the signed part of the link of *recipient*; it is valid for `LIFETIME`."""
    expiry_s = int((instant + LIFETIME).timestamp())
    content = f"{alert}|{expiry_s}|{recipient}".encode()
    signed = _sign(keys.get_key(Purpose.LINKS), content)
    return base64.urlsafe_b64encode(signed + content).decode().rstrip("=")


def open_link(
    keys: Keys, text: str, instant: datetime, *, earlier_until: datetime | None = None
) -> Link | None:
    """Return the content of a link; None when it was made by somebody else, or has expired.

    Args:
        keys: Of this installation.
        text: The signed part.
        instant: Aware; when it is opened.
        earlier_until: Aware; until then a link that the key of the audit trail signed is good.
    """
    try:
        raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        return None
    signed, content = raw[:_DIGEST_BYTES], raw[_DIGEST_BYTES:]
    signing_keys = [keys.get_key(Purpose.LINKS)]
    if earlier_until is not None and instant <= earlier_until:
        signing_keys += [key for purpose, key in keys.single.items() if purpose is Purpose.SEAL]
    if not any(hmac.compare_digest(signed, _sign(key, content)) for key in signing_keys):
        return None
    alert, expiry_s, recipient = content.decode().split("|", 2)
    expires_at = datetime.fromtimestamp(int(expiry_s), UTC)
    return Link(alert, recipient, expires_at) if instant <= expires_at else None


def _sign(key: bytes, content: bytes) -> bytes:
    return hmac.new(key, b"acknowledgement link\n" + content, hashlib.sha256).digest()
