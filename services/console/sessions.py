"""Sessions of browsers, kept by `services.people` in the database, so that they can be ended."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from services.people import provider
from services.people import sessions as people_sessions
from services.people import sign_in as people_sign_in
from services.people.sessions import Session
from services.people.sign_in import Door, Proof, Refusal
from services.runtime.settings import PeopleSettings
from services.store import sign_ins
from services.store.session import Database
from services.store.sign_ins import Use
from services.store.vault import Keys


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A session, and the end of its person's visit before; None: it is the first."""

    session: Session
    last_visit_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class BrowserSessions:
    """The sessions of browsers in *db*, for as long as *settings* say.

    *address* is the start of every link, without a slash at its end.
    """

    db: Database
    keys: Keys
    settings: PeopleSettings
    clock: Callable[[], datetime]
    address: str = ""

    def begin(self, proof: Proof, source: str) -> str | Refusal:
        """Return the secret of a new session of whose *proof* it is, or why there is none."""
        outcome = people_sign_in.sign_in(
            self.make_door(source), proof, Use.BROWSER, self.settings.session_s
        )
        return outcome if isinstance(outcome, Refusal) else outcome.secret

    def find(self, secret: str) -> SignedIn | None:
        """Return the session of *secret*; None: there is none, or no longer."""
        instant = self.clock()
        with self.db.read() as conn:
            session = people_sessions.find_session(
                conn, secret, Use.BROWSER, instant, idle_s=self.settings.session_idle_s
            )
            if session is None:
                return None
            last_visit_at = sign_ins.find_earlier_use(conn, session.sign_in)
        if people_sessions.is_use_unrecorded(session.sign_in, instant):
            with self.db.write() as conn:
                people_sessions.record_session_use(conn, session, instant)
        return SignedIn(session, last_visit_at)

    def end(self, secret: str) -> None:
        """End the session of *secret*, if there is one."""
        with self.db.write() as conn:
            session = people_sessions.find_session(conn, secret, Use.BROWSER, self.clock())
            if session is not None:
                people_sessions.end_session(conn, session, self.clock())

    def has_signature(self, secret: str, person_id: str) -> bool:
        """Return True while *secret* is a signature of this person at the provider."""
        with self.db.read() as conn:
            session = people_sessions.find_session(conn, secret, Use.SIGNATURE, self.clock())
        return session is not None and session.person.id == person_id

    def take_signature(self, secret: str, person_id: str) -> bool:
        """Use up the signature of *secret*; False: it is none of this person, or not any more."""
        with self.db.write() as conn:
            return provider.take_signature(conn, secret, person_id, self.clock())

    def make_door(self, source: str) -> Door:
        """Return the place at which somebody at *source* proves who they are."""
        return Door(self.db, self.keys, self.clock, source)
