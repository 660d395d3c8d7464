"""Sign-in by password, and a second factor where there is one: who may, and what comes of it."""

import hashlib
import hmac
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from services.people import lock_out, passwords
from services.people.second_factor import find_totp_step
from services.people.sessions import Session, begin_session
from services.store import credentials, people, sign_in_attempts
from services.store.credentials import Credential
from services.store.hidden_text import reveal_text
from services.store.session import Connection, Database
from services.store.sign_in_attempts import Attempt, AttemptOutcome
from services.store.sign_ins import Use
from services.store.vault import Keys, Purpose
from services.vocabulary.person import Person


@dataclass(frozen=True, slots=True)
class Proof:
    """The proof that somebody gives of who they are; never shown.

    Attributes:
        person: The id that they typed.
        password: As they typed it.
        code: Of the second factor; empty: none was given.
    """

    person: str
    password: str
    code: str = ""

    def __repr__(self) -> str:
        """Without its secrets."""
        return "Proof(...)"


@dataclass(frozen=True, slots=True)
class Refusal:
    """The refusal of a proof, in words that do not say which part of it was wrong.

    Attributes:
        reason: A sentence for whoever tried.
        wait_s: Seconds until they may try again; 0: at once.
        wants_code: The password is right, and a code of the second factor has to be given too.
    """

    reason: str
    wait_s: float = 0.0
    wants_code: bool = False


@dataclass(frozen=True, slots=True)
class Door:
    """The place at which proofs are given.

    Attributes:
        db: Keeps persons and attempts.
        keys: Reveal the second factor.
        read_clock: Returns now, in UTC.
        source: The address from which somebody tries, or the user of the command line.
    """

    db: Database
    keys: Keys
    read_clock: Callable[[], datetime]
    source: str


_WRONG = "the id, the password or the code is wrong, or they may not sign in now"


def sign_in(door: Door, proof: Proof, use: Use, life_s: float) -> Session | Refusal:
    """Sign a person in for at most *life_s* seconds, or say why not."""
    person = check_proof(door, proof)
    if isinstance(person, Refusal):
        return person
    with door.db.write() as conn:
        return begin_session(conn, person, use, door.read_clock(), life_s)


def check_proof(door: Door, proof: Proof) -> Person | Refusal:
    """Return the person whose proof it is, also for a signature; every attempt is written down."""
    attempt = Attempt(
        _name_attempt(door.keys, proof.person),
        door.source,
        door.read_clock(),
        AttemptOutcome.START,
    )
    with door.db.write() as conn:
        wait_s = _find_wait_s(conn, attempt)
        if wait_s > 0:
            return Refusal(f"too many attempts: try again in {math.ceil(wait_s)} s", wait_s)
        sign_in_attempts.append_attempt(conn, attempt)
        stored_person = people.load_person(conn, proof.person)
        credential = credentials.load_credential(conn, proof.person)
    is_right = passwords.is_right_password(
        credential.password_hash if credential is not None else "", proof.password
    )
    if (
        not is_right
        or stored_person is None
        or credential is None
        or not stored_person.is_active(attempt.started_at)
    ):
        return Refusal(_WRONG)
    return _accept(door, proof, stored_person.person, credential, attempt)


def _accept(
    door: Door, proof: Proof, person: Person, credential: Credential, attempt: Attempt
) -> Person | Refusal:
    """Return the person whose password was right, once the second factor is right too."""
    if credential.hidden_totp is not None and not proof.code:
        return Refusal("give the code of your authenticator too", wants_code=True)
    new_hash = ""
    if passwords.is_outdated_hash(credential.password_hash):
        new_hash = passwords.hash_password(proof.password)
    with door.db.write() as conn:
        if credential.hidden_totp is not None and not _take_code(conn, door, proof, credential):
            return Refusal(_WRONG)
        if new_hash:
            renewed_credential = replace(credential, password_hash=new_hash)
            credentials.put_credential(conn, renewed_credential, actor=person.id)
        accepted_attempt = replace(
            attempt, started_at=door.read_clock(), outcome=AttemptOutcome.SUCCESS
        )
        sign_in_attempts.append_attempt(conn, accepted_attempt)
    return person


def _take_code(conn: Connection, door: Door, proof: Proof, credential: Credential) -> bool:
    secret = reveal_text(door.keys, credential.person, credential.hidden_totp or "")
    step = find_totp_step(secret, proof.code, door.read_clock())
    return step is not None and credentials.take_totp_step(conn, credential.person, step)


def _find_wait_s(conn: Connection, attempt: Attempt) -> float:
    sign_in_attempts.lock_attempts(conn, attempt.person)
    return lock_out.compute_wait_s(
        sign_in_attempts.load_newest_attempts(conn, attempt.person),
        attempt.source,
        attempt.started_at,
        is_known_source=sign_in_attempts.is_known_source(conn, attempt.person, attempt.source),
    )


def _name_attempt(keys: Keys, typed_id: str) -> str:
    """Return the keyed hash of what was typed: ids that exist and others wait alike."""
    key = keys.get_key(Purpose.IDENTITY)
    return hmac.new(key, b"aegis sign-in" + typed_id.encode(), hashlib.sha256).hexdigest()[:32]
