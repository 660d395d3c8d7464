"""Places where a test may kill the process, to prove that nothing accepted is lost."""

import os
from collections import Counter
from typing import Final

VARIABLE: Final = "AEGIS_FAILPOINT"  # NAME:N dies at the N-th passage of NAME

NAMES: Final = (
    "ingest.before_commit",
    "ingest.after_commit",
    "ingest.after_ack",
    "relay.before_delete",
    "relay.after_delete",
    "fold.before_commit",
    "fold.after_commit",
    "rules.before_offset",
    "study.before_commit",
    "study.after_commit",
    "alerts.attempt_recorded",
    "alerts.sent",
    "alerts.result_recorded",
    "seal.before_commit",
)

_KILLED = 137

_passages: Counter[str] = Counter()


def reached(name: str) -> None:
    """Do nothing, unless a test asked the process to die here.

    Raises:
        ValueError: *name* is not one of `NAMES`.
    """
    if name not in NAMES:
        raise ValueError(f"no such failpoint: {name}")
    wanted = os.environ.get(VARIABLE)
    if wanted is None:
        return
    where, _, number = wanted.rpartition(":")
    _passages[name] += 1
    if where == name and _passages[name] == int(number):
        os._exit(_KILLED)
