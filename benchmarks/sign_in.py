"""The processor time of one sign-in: 50 to 300 ms by design, so that guesses are slow.

Measured: the proof of a person checked and their session begun, with the attempt, in a database
with 200 attempts of theirs. The floor: the argon2id hash of the same parameters alone.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial

from benchmarks.material import Material, open_data
from benchmarks.measuring import Measure
from services.people import passwords
from services.people.administration import NewPerson, add_person
from services.people.sign_in import Door, Proof, sign_in
from services.runtime.clock import now_utc
from services.store.sign_in_attempts import Attempt, AttemptOutcome, append_attempt
from services.store.sign_ins import Use
from services.vocabulary.person import Person, Role

_PASSWORD = "correct horse battery"  # noqa: S105 (of nobody)
_ATTEMPTS, _REPEATS = 200, 5
_SOURCE = "127.0.0.1"


def measures(material: Material) -> list[Measure]:
    """Return the sign-in of one person."""
    context = open_data(material.folder / "people")
    door = Door(context.db, context.keys, now_utc, _SOURCE)
    person = Person("ann", "Ann", "ann@example.org", frozenset({Role.AUDITOR}))
    with context.db.write() as conn:
        new_person = NewPerson(person, _PASSWORD, datetime(2026, 1, 1, tzinfo=UTC))
        add_person(conn, new_person, now_utc(), actor="bench")
        for number in range(_ATTEMPTS):
            other_source = f"10.0.0.{number}"
            append_attempt(conn, Attempt("ann", other_source, now_utc(), AttemptOutcome.SUCCESS))
    password_hash = passwords.hash_password(_PASSWORD)
    check = partial(passwords.is_right_password, password_hash, _PASSWORD)
    return [
        Measure(
            "sign-in",
            "ms",
            partial(_measure, partial(sign_in, door, Proof("ann", _PASSWORD), Use.BROWSER, 60.0)),
            {"the hash alone": partial(_measure, check)},
        )
    ]


def _measure(work: Callable[[], object]) -> float:
    began_s = time.process_time()
    for _ in range(_REPEATS):
        work()
    return 1000 * (time.process_time() - began_s) / _REPEATS
