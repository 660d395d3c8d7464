"""The error of a file that people write; importable without the readers of such files."""

from collections.abc import Iterable
from dataclasses import dataclass


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
        """The fault in one line.

        >>> print(FileFault("sites.yaml", 12, "sites.north.timezone", "is missing: add it"))
        sites.yaml line 12, sites.north.timezone: is missing: add it
        """
        line = f" line {self.line}" if self.line else ""
        field = f", {self.field}" if self.field else ""
        return f"{self.file}{line}{field}: {self.problem}"


class UntrustedFileError(ValueError):
    """A file cannot be trusted; the message has a line for each of its *faults*."""

    def __init__(self, faults: Iterable[FileFault]) -> None:
        """Keep the faults, of which there is at least one."""
        self.faults = tuple(faults)
        super().__init__("\n".join(map(str, self.faults)))
