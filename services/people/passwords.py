"""Passwords: which may be chosen, how they are hashed, and whether one is right.

Source: NIST SP 800-63B, 3.1.1 (length rather than kinds of characters, no hints, no expiry).
Source: RFC 9106 (argon2id).
"""

import threading
import unicodedata
from functools import lru_cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

SHORTEST, LONGEST = 8, 256  # characters
# RFC 9106, second recommended option: 64 MiB and 3 passes, in one lane as the checks share cores.
_hasher = PasswordHasher(time_cost=3, memory_cost=65_536, parallelism=1)
_turns = threading.BoundedSemaphore(2)  # of this process: many attempts at once fill no memory


def hash_password(password: str) -> str:
    """Return the argon2id hash of *password*, with its salt and parameters."""
    with _turns:
        return _hasher.hash(_normalize(password))


def is_right_password(password_hash: str, password: str) -> bool:
    """Return True if *password_hash* is that of *password*; it takes as long where there is none.

    >>> is_right_password(hash_password("correct horse"), "correct horse")
    True
    >>> is_right_password(hash_password("correct horse"), "correct house")
    False
    >>> is_right_password("", "correct horse")
    False
    """
    if len(password) > LONGEST:
        return False
    with _turns:
        try:
            return _hasher.verify(password_hash or _hash_nothing(), _normalize(password)) and bool(
                password_hash
            )
        except (VerificationError, InvalidHashError):
            return False


def is_outdated_hash(password_hash: str) -> bool:
    """Return True if the parameters of today are others: the next sign-in hashes again."""
    return _hasher.check_needs_rehash(password_hash)


def find_password_fault(password: str, *words: str) -> str:
    """Return the fault of *password* for a person whom *words* name; empty: it has none.

    >>> find_password_fault("short")
    'a password has at least 8 characters'
    >>> find_password_fault("Ann.Smith", "ann.smith")
    'a password is not the id, the name or the address of its person'
    >>> find_password_fault("correct horse")
    ''
    """
    if len(password.strip()) < SHORTEST:
        return f"a password has at least {SHORTEST} characters"
    if len(password) > LONGEST:
        return f"a password has at most {LONGEST} characters"
    if not password.isprintable():
        return "a password is one line of printable characters"
    if len(set(password)) == 1:
        return "a password is more than one character over and over"
    if password.casefold() in {word.casefold() for word in words}:
        return "a password is not the id, the name or the address of its person"
    return ""


def _normalize(password: str) -> str:
    """Return *password* as every keyboard writes it."""
    return unicodedata.normalize("NFKC", password)


@lru_cache(maxsize=1)
def _hash_nothing() -> str:
    return _hasher.hash("nobody has this password")
