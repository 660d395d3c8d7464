"""Codes of a second factor (TOTP), as any authenticator shows them.

Source: RFC 6238 (SHA-1, 6 digits, 30 s: what every authenticator knows).
"""

import base64
import secrets
from datetime import datetime

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor import InvalidToken
from cryptography.hazmat.primitives.twofactor.totp import TOTP

_SECRET_BYTES, _DIGITS, _STEP_S = 20, 6, 30
_STEPS_ASIDE = (0, -1, 1)  # a clock may be half a minute off, and a person slow


def make_totp_secret() -> str:
    """Return a new secret in base32, as it is entered into an authenticator."""
    return base64.b32encode(secrets.token_bytes(_SECRET_BYTES)).decode()


def make_totp_address(secret: str, person_id: str, study: str) -> str:
    """Return the address that a QR code hands to an authenticator.

    >>> make_totp_address("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", "ann", "BLINA-HSCT").split("?")[0]
    'otpauth://totp/Aegis%20BLINA-HSCT:ann'
    """
    return _read_secret(secret).get_provisioning_uri(person_id, f"Aegis {study}")


def make_totp_code(secret: str, instant: datetime) -> str:
    """Return the code that an authenticator shows at *instant*."""
    return _read_secret(secret).generate(int(instant.timestamp())).decode()


def find_totp_step(secret: str, code: str, instant: datetime) -> int | None:
    """Return the step of 30 s whose code *code* is; None: it is none of about *instant*.

    >>> from datetime import UTC, datetime
    >>> secret = base64.b32encode(b"12345678901234567890").decode()  # RFC 6238, appendix B
    >>> find_totp_step(secret, "287082", datetime(1970, 1, 1, 0, 0, 59, tzinfo=UTC))
    1
    >>> find_totp_step(secret, "287083", datetime(1970, 1, 1, 0, 0, 59, tzinfo=UTC)) is None
    True
    """
    totp, now_s = _read_secret(secret), int(instant.timestamp())
    for steps in _STEPS_ASIDE:
        at_s = now_s + steps * _STEP_S
        try:
            totp.verify(code.replace(" ", "").encode(), max(0, at_s))
        except InvalidToken:
            continue
        return at_s // _STEP_S
    return None


def _read_secret(secret: str) -> TOTP:
    return TOTP(base64.b32decode(secret), _DIGITS, SHA1(), _STEP_S)  # noqa: S303 (as published)
