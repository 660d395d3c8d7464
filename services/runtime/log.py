"""Logs: a fixed event name and allowed keys, so that no identifier can enter."""

import logging
import sys
from collections.abc import MutableMapping
from contextlib import suppress
from typing import Final, TextIO

import structlog

KEYS: Final = frozenset(
    {
        "event",
        "level",
        "timestamp",
        "exc_type",
        "exc_where",
        # places and people, by pseudonym
        "service",
        "study",
        "site",
        "rule",
        "criterion",
        "participant",
        "channel",
        "role",
        "source",
        "address",
        # things, by id
        "message",
        "fact",
        "episode",
        "alert",
        "delivery",
        "decision",
        "lease",
        "holder",
        "revision",
        "version",
        "rules_version",
        "key_id",
        "seal",
        # results
        "reason",
        "problem",
        "place",
        "signal",
        "state",
        "kind",
        "ack",
        "grade",
        "seq",
        "count",
        "facts",
        "parked",
        "attempt",
        "duration_s",
        "retry_in_s",
        "host",
        "port",
        "url",
    }
)


def configure_logging(*, as_json: bool, stream: TextIO | None = None, debug: bool = False) -> None:
    """Make every logger of the process write to *stream* (standard error), one line per event.

    A line that cannot be written is dropped without an error.
    """
    renderer = (
        structlog.processors.JSONRenderer(sort_keys=True)
        if as_json
        else structlog.dev.ConsoleRenderer(colors=False)
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            _replace_exception,
            _drop_unknown_keys,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(
            logging.DEBUG if debug else logging.INFO
        ),
        logger_factory=lambda *_names: _Lines(stream or sys.stderr),
        cache_logger_on_first_use=False,
    )


def make_logger(service: str) -> structlog.typing.FilteringBoundLogger:
    """Return the logger of *service*; call it with an event name and some of `KEYS`.

    Where nothing is configured yet, standard error is: the library's own way to print an exception
    shows the values of local variables, which may be those of a message.
    """
    if not structlog.is_configured():
        configure_logging(as_json=not sys.stderr.isatty())
    service_logger: structlog.typing.FilteringBoundLogger = structlog.get_logger(service=service)
    return service_logger


class _Lines(structlog.PrintLogger):
    """A logger that ignores failed writes: the disk may be full, or the reader closed."""

    def msg(self, message: str) -> None:
        with suppress(OSError):
            super().msg(message)

    debug = info = warning = error = critical = exception = msg


def _drop_unknown_keys(
    _logger: object, _method: str, event: MutableMapping[str, object]
) -> MutableMapping[str, object]:
    """Drop the value of every key that is not allowed; list these keys as ``dropped_keys``."""
    unknown_keys = sorted(event.keys() - KEYS)
    content = {key: value for key, value in event.items() if key in KEYS}
    return {**content, "dropped_keys": unknown_keys} if unknown_keys else content


def _replace_exception(
    _logger: object, _method: str, event: MutableMapping[str, object]
) -> MutableMapping[str, object]:
    """Replace an exception by its type and place: its text may quote a message."""
    error = event.pop("exc_info", None)
    if error is True:
        error = sys.exc_info()[1]
    if isinstance(error, BaseException):
        event["exc_type"] = type(error).__name__
        trace = error.__traceback__
        while trace is not None and trace.tb_next is not None:
            trace = trace.tb_next
        if trace is not None:
            event["exc_where"] = f"{trace.tb_frame.f_globals.get('__name__')}:{trace.tb_lineno}"
    return event
