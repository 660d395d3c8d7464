"""Warnings that stand while a process runs: what is wrong with it, in one line each."""

from threading import Lock

from services.runtime import log

_log = log.make_logger("aegis")


class StandingWarnings:
    """The warnings of a process, on its log when they begin and end, and on ``/readyz`` between.

    A process that has one works, but somebody has to do something. Safe to use from any thread.

    >>> warnings = StandingWarnings()
    >>> warnings.begin("no_operator", "recipients.yaml names no operator")
    >>> warnings.list_problems()
    ['recipients.yaml names no operator']
    >>> warnings.end("no_operator"); warnings.list_problems()
    []
    """

    def __init__(self) -> None:
        """Start without any."""
        self._names: dict[str, str] = {}  # by problem
        self._lock = Lock()

    def begin(self, name: str, problem: str) -> None:
        """Let *problem* stand; again is no news.

        Args:
            name: The event of the log, like ``no_operator``; several problems may share it.
            problem: One sentence: what is wrong, and what to do.
        """
        with self._lock:
            is_news = problem not in self._names
            self._names[problem] = name
        if is_news:
            _log.warning(name, problem=problem)

    def end(self, name: str) -> None:
        """Let the problems of *name*, if there are any, stand no longer."""
        with self._lock:
            other_names = {text: event for text, event in self._names.items() if event != name}
            has_ended = len(other_names) < len(self._names)
            self._names = other_names
        if has_ended:
            _log.info("warning_ended", signal=name)

    def list_problems(self) -> list[str]:
        """Return the sentences, in the order in which they began."""
        with self._lock:
            return list(self._names)
