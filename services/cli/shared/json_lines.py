"""Answers for programs: one JSON object to a line, with sorted keys."""

from collections.abc import Iterable

from services.runtime.canonical_json import write_canonical


def print_json_lines(values: Iterable[object]) -> None:
    """Print each of *values* as a line of canonical JSON."""
    for value in values:
        print(write_canonical(value))
