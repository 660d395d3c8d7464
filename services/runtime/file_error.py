"""The error of a file that people write; importable without the readers of such files."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from services.vocabulary.printable_text import escape_unprintable

_LONGEST_FIELD, _LONGEST_PROBLEM = 160, 2_000  # characters
_SHOWN_FAULTS = 20  # of one file
_LONG_WORD = re.compile(r"(\S{100})\S+")  # a value from the file: the remedy stands behind it


@dataclass(frozen=True, slots=True)
class FileFault:
    """One fault of a file, and how to remove it.

    Args:
        file: As a person finds it.
        line: From 1; 0 when the fault has no line.
        field: The path to the value, with dots; empty for the file itself.
        problem: What is wrong, and what to do.
    """

    file: str
    line: int
    field: str
    problem: str

    def __str__(self) -> str:
        """The fault in one line of limited length, all of which is printed.

        >>> print(FileFault("sites.yaml", 12, "sites.north.timezone", "is missing: add it"))
        sites.yaml line 12, sites.north.timezone: is missing: add it
        """
        line = f" line {self.line}" if self.line else ""
        field = f", {_shorten(self.field, _LONGEST_FIELD)}" if self.field else ""
        problem = _shorten(_LONG_WORD.sub(r"\1...", self.problem), _LONGEST_PROBLEM)
        return f"{self.file}{line}{field}: {problem}"


class UntrustedFileError(ValueError):
    """A file cannot be trusted: its *faults*; the message has a line for the first 20 of a file."""

    def __init__(self, faults: Iterable[FileFault]) -> None:
        """Keep the faults, of which there is at least one."""
        self.faults = tuple(faults)
        self.lines = tuple(_list_lines(self.faults))
        super().__init__("\n".join(self.lines))


def _list_lines(faults: Iterable[FileFault]) -> Iterator[str]:
    counts: Counter[str] = Counter()
    for fault in faults:
        counts[fault.file] += 1
        if counts[fault.file] <= _SHOWN_FAULTS:
            yield str(fault)
    for file, count in counts.items():
        if count > _SHOWN_FAULTS:
            yield f"{file}: and {count - _SHOWN_FAULTS:,} more"


def _shorten(text: str, length: int) -> str:
    """Return *text* in at most *length* characters and dots, all of which are printed."""
    printed_text = escape_unprintable(text[: length + 1])
    is_long = len(printed_text) > length
    return f"{printed_text[:length]}..." if is_long else printed_text
