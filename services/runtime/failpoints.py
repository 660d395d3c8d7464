"""Points at which a test may kill, delay or break the process, to prove that nothing is lost."""

import os
import time
from collections import Counter
from typing import Final

VARIABLE: Final = "AEGIS_FAILPOINT"
"""``NAME:N``: the process dies at the N-th passage of NAME, as ``kill -9`` does.

``NAME:N:sleep=S`` waits S seconds there, ``NAME:N:raise`` raises `FailpointError`; several are
separated by commas. The action is announced on standard error first: ``failpoint NAME``.
"""

NAMES: Final = (
    "ingest.before_commit",
    "ingest.after_commit",
    "ingest.after_ack",
    "ingest.before_offset",
    "relay.before_publish",
    "relay.before_delete",
    "relay.after_delete",
    "fold.before_record",
    "fold.before_commit",
    "fold.after_commit",
    "rules.before_offset",
    "study.before_record",
    "study.before_commit",
    "study.after_commit",
    "decide.before_offset",
    "waker.before_announce",
    "waker.after_announce",
    "alerts.before_plan",
    "alerts.after_plan",
    "alerts.attempt_recorded",
    "alerts.sent",
    "alerts.result_recorded",
    "act.before_commit",
    "seal.before_commit",
    "rotation.before_commit",
    "reencryption.before_commit",
)

_EXIT_CODE_OF_KILL = 137

_passages: Counter[str] = Counter()


class FailpointError(Exception):
    """A test asked for a failure here."""


def pass_failpoint(name: str) -> None:
    """Do nothing, or what a test asked for at the point *name*.

    Raises:
        ValueError: *name* is not one of `NAMES`.
        FailpointError: A test asked for a failure.
    """
    if name not in NAMES:
        raise ValueError(f"no such failpoint: {name}")
    failpoints = os.environ.get(VARIABLE)
    if failpoints is None:
        return
    _passages[name] += 1
    for failpoint in failpoints.split(","):
        where, number, action = [*failpoint.split(":"), ""][:3]
        if where == name and _passages[name] == int(number):
            _act(name, action)


def _act(name: str, action: str) -> None:
    os.write(2, f"failpoint {name}\n".encode())
    verb, _, seconds = action.partition("=")
    match verb:
        case "sleep":
            time.sleep(float(seconds))
        case "raise":
            raise FailpointError(name)
        case _:
            os._exit(_EXIT_CODE_OF_KILL)
