"""The watch of a process over the files by which its study runs: it takes new ones at once."""

import threading
from collections.abc import Callable
from pathlib import Path

from services.acts.study_activation import check_study
from services.acts.study_context import StudyContext
from services.acts.study_files import ActiveStudy, load_active_study
from services.runtime import log
from services.runtime.file_error import UntrustedFileError
from services.runtime.standing_warnings import StandingWarnings
from services.store.session import DatabaseError
from services.store.study_files import find_newest_activation
from services.store.wakeups import STUDY_ACTIVATED, Wakeups, make_wakeups

_NOT_TAKEN = "study_not_taken"
_LONGEST_REST_S = 2.0
_PAUSE_S = 0.2  # on SQLite every commit wakes: no need to look after each

_log = log.make_logger("aegis")


class StudyWatch:
    """A thread that calls *on_change* once files were activated that this process can run by.

    Files that it cannot run by are a warning, and the process goes on by those that it has.
    """

    def __init__(
        self, context: StudyContext, warnings: StandingWarnings, on_change: Callable[[], None]
    ) -> None:
        """Watch from now on; what runs now is known to the process."""
        self._context, self._warnings, self._on_change = context, warnings, on_change
        self._activation_id = self._find_newest()

    def run(self, stop: threading.Event) -> None:
        """Watch until *stop* is set, or new files can be taken."""
        wakeups = make_wakeups(self._context.db, STUDY_ACTIVATED)
        try:
            while not stop.is_set() and not self._has_changed():
                self._rest(wakeups, stop)
        finally:
            wakeups.close()

    def _rest(self, wakeups: Wakeups, stop: threading.Event) -> None:
        wakeups.rest(stop, _LONGEST_REST_S)
        stop.wait(_PAUSE_S)

    def _has_changed(self) -> bool:
        """Return True once new files are there and were told of; those that are wrong are not."""
        try:
            activation_id = self._find_newest()
            if activation_id == self._activation_id:
                return False
            self._activation_id = activation_id
            with self._context.db.read() as conn:
                active_study = load_active_study(conn, self._context.study_id)
        except DatabaseError:  # others log it; the next look finds the rest
            return False
        if active_study is None or not self._can_take(active_study):
            return False
        _log.info("study_taken", version=activation_id)
        self._on_change()
        return True

    def _find_newest(self) -> str:
        with self._context.db.read() as conn:
            return find_newest_activation(conn, self._context.study_id)

    def _can_take(self, active_study: ActiveStudy) -> bool:
        settings = self._context.settings
        try:
            check_study(active_study.find_folder(settings.study, settings.data))
        except (UntrustedFileError, OSError) as error:
            problem = f"the files that were activated cannot be taken: {_describe(error)}"
            self._warnings.begin(_NOT_TAKEN, problem)
            return False
        return True


def _describe(error: UntrustedFileError | OSError) -> str:
    if isinstance(error, UntrustedFileError):
        return "; ".join(error.lines)
    return f"{Path(str(error.filename)).name}: {error.strerror}"
