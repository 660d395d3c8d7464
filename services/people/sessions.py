"""Sessions: a secret that stands for a person who has signed in, for a while and at one place."""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.store import people, sign_ins
from services.store.session import Connection
from services.store.sign_ins import SignIn, Use
from services.vocabulary.person import Person

_SECRET_BYTES = 32
_CLOCKS_APART = timedelta(minutes=5)  # of the machines of one installation, at most
_USE_KEPT_EVERY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Session:
    """A person who is signed in.

    Attributes:
        secret: In the cookie or the token file; never shown, and not in the database.
        person: With the roles of today.
        sign_in: As it was stored when the session was found.
    """

    secret: str
    person: Person
    sign_in: SignIn

    def __repr__(self) -> str:
        """Without its secret."""
        return f"Session({self.person.id!r})"

    @property
    def expires_at(self) -> datetime:
        """The instant at which it ends, however much it is used."""
        return self.sign_in.expires_at

    @property
    def form_token(self) -> str:
        """The word that every form repeats, so that no other site can send one (CSRF)."""
        return hmac.new(self.secret.encode(), b"aegis form", hashlib.sha256).hexdigest()

    def is_form_token(self, text: str) -> bool:
        """Return True if *text* is what a form of this session repeats."""
        return hmac.compare_digest(self.form_token.encode(), text.encode())


def begin_session(
    conn: Connection, person: Person, use: Use, instant: datetime, life_s: float
) -> Session:
    """Sign *person* in; the secret exists from now on, so that none can be planted before."""
    secret = secrets.token_urlsafe(_SECRET_BYTES)
    expires_at = instant + timedelta(seconds=life_s)
    row = SignIn(sign_ins.hash_secret(secret), person.id, use, instant, instant, expires_at)
    sign_ins.add_sign_in(conn, row)
    return Session(secret, person, row)


def find_session(
    conn: Connection, secret: str, use: Use, instant: datetime, *, idle_s: float | None = None
) -> Session | None:
    """Return the session of *secret*; None: unknown, ended, expired, idle, or its person ended.

    One that was used later than *instant* is not good either: the clock was set back, and nothing
    would ever expire.

    Args:
        conn: Of one `Database.read`; see `record_session_use`.
        secret: From a cookie or a token file.
        use: Where it was presented: it is good where it was made only.
        instant: Now.
        idle_s: Seconds without use after which it ends; None: they do not matter.
    """
    sign_in = sign_ins.find_sign_in(conn, secret)
    if sign_in is None or sign_in.use is not use or not _is_good(sign_in, instant, idle_s):
        return None
    stored_person = people.load_person(conn, sign_in.person)
    if stored_person is None or not stored_person.is_active(instant):
        return None
    return Session(secret, stored_person.person, sign_in)


def is_use_unrecorded(sign_in: SignIn, instant: datetime) -> bool:
    """Return True if `record_session_use` would write."""
    return instant - sign_in.used_at >= _USE_KEPT_EVERY


def record_session_use(conn: Connection, session: Session, instant: datetime) -> None:
    """Let *session* not be idle at *instant*; it is written at most once a minute."""
    sign_in = sign_ins.find_sign_in(conn, session.secret)
    if sign_in is not None and is_use_unrecorded(sign_in, instant):
        sign_ins.record_use(conn, sign_in, instant)


def end_session(conn: Connection, session: Session, instant: datetime) -> None:
    """Sign its person out at this place."""
    sign_in = sign_ins.find_sign_in(conn, session.secret)
    if sign_in is not None and sign_in.ended_at is None:
        sign_ins.end_sign_in(conn, sign_in, instant, actor=session.person.id)


def _is_good(sign_in: SignIn, instant: datetime, idle_s: float | None) -> bool:
    is_idle = idle_s is not None and instant - sign_in.used_at >= timedelta(seconds=idle_s)
    is_set_back = instant < max(sign_in.began_at, sign_in.used_at) - _CLOCKS_APART
    is_over = sign_in.ended_at is not None or instant >= sign_in.expires_at
    return not (is_over or is_idle or is_set_back)
