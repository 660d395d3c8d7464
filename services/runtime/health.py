"""Progress: a process is ready when it commits while there is work, not when it exists."""

from dataclasses import dataclass
from threading import Lock

DEFAULT_LIMIT_S = 30.0


@dataclass(frozen=True, slots=True)
class Readiness:
    """The state of progress: *ready*, and seconds without a commit while work waited."""

    ready: bool
    stalled_s: float


class Progress:
    """The progress of a part of a process; safe to use from any thread.

    All instants are seconds of one monotonic clock, passed in.

    >>> progress = Progress(limit_s=30)
    >>> progress.record_waiting(now_s=100); progress.assess(now_s=131)
    Readiness(ready=False, stalled_s=31.0)
    >>> progress.record_commit(now_s=131); progress.assess(now_s=132)
    Readiness(ready=True, stalled_s=1.0)
    >>> progress.record_idle(); progress.assess(now_s=999)
    Readiness(ready=True, stalled_s=0.0)
    """

    def __init__(self, limit_s: float = DEFAULT_LIMIT_S) -> None:
        """Start without work; more than *limit_s* without a commit is not ready."""
        self._limit_s = limit_s
        self._waiting_since_s: float | None = None
        self._lock = Lock()

    def record_waiting(self, now_s: float) -> None:
        """Record that work waits since *now_s*, unless it did already.

        A part that fails before it can look for work records this too: there may be some.
        """
        with self._lock:
            if self._waiting_since_s is None:
                self._waiting_since_s = now_s

    def record_commit(self, now_s: float) -> None:
        """Record a commit at *now_s*; more work may wait."""
        with self._lock:
            self._waiting_since_s = now_s

    def record_idle(self) -> None:
        """Record that no work waits."""
        with self._lock:
            self._waiting_since_s = None

    def assess(self, now_s: float) -> Readiness:
        """Return the state of progress at *now_s*."""
        with self._lock:
            since_s = self._waiting_since_s
        stalled_s = 0.0 if since_s is None else max(0.0, float(now_s - since_s))
        return Readiness(stalled_s <= self._limit_s, stalled_s)
