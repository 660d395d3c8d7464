"""Answers for programs: one JSON object to a line, with sorted keys."""

from collections.abc import Iterable

from services.runtime.canonical_json import write_canonical
from services.vocabulary.printable_text import escape_json


def print_json_lines(values: Iterable[object]) -> None:
    """Print each of *values* as a line of canonical JSON."""
    for value in values:
        print(_write_line(value))


def write_json_lines(values: Iterable[object]) -> str:
    """Return the lines of `print_json_lines`, without the last end of a line."""
    return "\n".join(map(_write_line, values))


def _write_line(value: object) -> str:
    return escape_json(write_canonical(value))
