"""A second factor that a person sets up: kept once they have shown a code of it."""

from dataclasses import replace
from datetime import datetime

from services.people.second_factor import find_totp_step, make_totp_secret
from services.store import credentials
from services.store.hidden_text import hide_text
from services.store.session import Connection
from services.store.vault import Keys


def begin_second_factor() -> str:
    """Return a new secret for the authenticator of a person; it is not kept yet."""
    return make_totp_secret()


def keep_second_factor(
    conn: Connection, keys: Keys, person_id: str, instant: datetime, *, secret: str, code: str
) -> bool:
    """Let a person need a code of *secret* from now on; False: *code* is none, nothing is kept."""
    step = find_totp_step(secret, code, instant)
    credential = credentials.load_credential(conn, person_id)
    if step is None or credential is None:
        return False
    new_credential = replace(
        credential,
        hidden_totp=hide_text(keys, person_id, secret),
        totp_step=step,
        changed_at=instant,
    )
    credentials.put_credential(conn, new_credential, actor=person_id)
    return True
