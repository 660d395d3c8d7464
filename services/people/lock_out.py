"""The wait before somebody may try a password again: longer with each failure.

Nobody is locked out for good, and nobody by others: at a place from which a person has signed in
before, only failures at that place count. From all other places together one person is tried at
most once a minute.
"""

from collections.abc import Sequence
from datetime import datetime

from services.store.sign_in_attempts import Attempt, AttemptOutcome

FREE_FAILURES, LONGEST_WAIT_S = 3, 900.0  # of one person at one place
FREE_STRANGE_FAILURES, LONGEST_STRANGE_WAIT_S = 10, 60.0  # of one person at all strange places


def compute_wait_s(
    attempts: Sequence[Attempt], source: str, instant: datetime, *, is_known_source: bool
) -> float:
    """Return the seconds to wait; 0: they may try.

    Args:
        attempts: Of one person from anywhere, oldest first.
        source: From where they want to try.
        instant: Now; a failure after it was before a clock was set back, and asks for no wait.
        is_known_source: They have signed in from *source* before.
    """
    failures = _list_failures([one for one in attempts if one.source == source])
    wait_s = _compute_rest_s(failures, instant, FREE_FAILURES, LONGEST_WAIT_S)
    if is_known_source:
        return wait_s
    accepted_sources = {one.source for one in attempts if one.outcome is AttemptOutcome.SUCCESS}
    strange_failures = [
        one
        for one in attempts
        if one.source not in accepted_sources and one.outcome is AttemptOutcome.START
    ]
    strange_wait_s = _compute_rest_s(
        strange_failures, instant, FREE_STRANGE_FAILURES, LONGEST_STRANGE_WAIT_S
    )
    return max(wait_s, strange_wait_s)


def _list_failures(attempts: Sequence[Attempt]) -> list[Attempt]:
    """Return the failures since the last success; an attempt that still runs counts as one."""
    last_success = max(
        (n for n, one in enumerate(attempts, 1) if one.outcome is AttemptOutcome.SUCCESS),
        default=0,
    )
    return list(attempts[last_success:])


def _compute_rest_s(
    failures: Sequence[Attempt], instant: datetime, free_count: int, longest_s: float
) -> float:
    excess = len(failures) - free_count
    if excess < 0 or not failures:
        return 0.0
    elapsed_s = (instant - failures[-1].started_at).total_seconds()
    wait_s = min(2.0**excess, longest_s)
    return max(0.0, wait_s - elapsed_s) if elapsed_s >= 0 else 0.0
