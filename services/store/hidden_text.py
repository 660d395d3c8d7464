"""Words of a sender beside a row that everybody may read: only a holder of the keys reads them.

What a sender calls a code, a unit or itself may be a name. The operator has to see it, to map it;
dashboards, copies and whoever else looks into the database do not.
"""

import base64
import hashlib
import hmac
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from services.store.vault import Keys, Purpose, VaultError

_NONCE_BYTES = 12


def hide_text(keys: Keys, row_id: str, text: str) -> str:
    """Return *text* encrypted and bound to *row_id*, of its row or its message, in base64.

    The key follows from that of the hashed identifiers, which is never rotated.
    """
    nonce = secrets.token_bytes(_NONCE_BYTES)
    ciphertext = _make_cipher(keys).encrypt(nonce, text.encode(), row_id.encode())
    return base64.b64encode(nonce + ciphertext).decode()


def reveal_text(keys: Keys, row_id: str, hidden_text: str) -> str:
    """Return the text that `hide_text` was given.

    Raises:
        VaultError: The row was changed, or was written with other keys.
    """
    try:
        data = base64.b64decode(hidden_text, validate=True)
        nonce, ciphertext = data[:_NONCE_BYTES], data[_NONCE_BYTES:]
        return _make_cipher(keys).decrypt(nonce, ciphertext, row_id.encode()).decode()
    except (InvalidTag, ValueError):
        raise VaultError(f"row {row_id} was changed, or belongs to another key") from None


def _make_cipher(keys: Keys) -> AESGCM:
    return AESGCM(
        hmac.new(keys.get_key(Purpose.IDENTITY), b"aegis hidden text", hashlib.sha256).digest()
    )
