"""Exceptions that nothing caught, and messages of libraries: their type and place, never a value.

The text of an exception may quote what somebody sent, and so may the arguments of a library's
message. Only Python's standard library is loaded here: every command passes through.
"""

import logging
import sys
import threading
import traceback
from collections.abc import Iterator
from types import TracebackType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from sys import UnraisableHookArgs

_NO_TEXT: Final = "its text is not shown, for it may quote a message"
_CHAIN_LINK: Final = "\nwhile it was handled:\n\n"


def hide_values() -> None:
    """Let this process show of uncaught exceptions and of libraries' messages no value.

    That holds for the main thread, all others, tasks of asyncio (which logs them), objects that
    are deleted, and every logger of the standard library.
    """
    sys.excepthook = _show_uncaught
    threading.excepthook = lambda failure: _show_uncaught(
        failure.exc_type, failure.exc_value, failure.exc_traceback
    )
    sys.unraisablehook = _show_unraisable
    logging.raiseExceptions = False  # a line that cannot be written is dropped without an error
    logging.basicConfig(handlers=[LibraryMessages()], level=logging.WARNING, force=True)
    logging.captureWarnings(capture=True)


def describe_exception(error: BaseException) -> str:
    """Return the traceback of *error* and of those before it: places and types alone.

    >>> try:
    ...     int("DOE^JANE")
    ... except ValueError as error:
    ...     print(describe_exception(error).splitlines()[-1])
    ValueError (its text is not shown, for it may quote a message)
    """
    return _CHAIN_LINK.join(
        "".join(_describe_one(one)) for one in reversed(list(_list_chain(error)))
    )


class LibraryMessages(logging.Handler):
    """Writes a message of a library as one line of our log: who, where, and which exception."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write *record* without its text."""
        from services.runtime.log import make_logger  # noqa: PLC0415 (it takes a tenth of a second)

        error = record.exc_info[1] if record.exc_info else None
        is_fault = record.levelno >= logging.ERROR
        write = make_logger("library").error if is_fault else make_logger("library").warning
        write(
            "library_message",
            source=record.name,
            place=f"{record.module}:{record.lineno}",
            **({} if error is None else {"exc_info": error}),
        )


def _list_chain(error: BaseException) -> Iterator[BaseException]:
    """Yield *error*, and each exception during whose handling the one before it came up."""
    seen_ids: set[int] = set()
    cause: BaseException | None = error
    while cause is not None and id(cause) not in seen_ids:
        seen_ids.add(id(cause))
        yield cause
        is_hidden = cause.__cause__ is None and cause.__suppress_context__
        cause = None if is_hidden else cause.__cause__ or cause.__context__


def _describe_one(error: BaseException) -> Iterator[str]:
    yield "Traceback (most recent call last):\n"
    yield from traceback.extract_tb(error.__traceback__).format()
    yield f"{type(error).__name__} ({_NO_TEXT})\n"


def _show_uncaught(
    kind: type[BaseException], error: BaseException | None, trace: TracebackType | None
) -> None:
    if error is None or issubclass(kind, KeyboardInterrupt):  # a stop by hand says nothing of data
        sys.__excepthook__(kind, error or kind(), trace)
        return
    if not issubclass(kind, SystemExit):
        sys.stderr.write(describe_exception(error))


def _show_unraisable(failure: "UnraisableHookArgs") -> None:
    _show_uncaught(failure.exc_type, failure.exc_value, failure.exc_traceback)
