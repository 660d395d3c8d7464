"""Judged mutants (``judgements.yaml``): survivors that somebody looked at, and why they survive."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from services.runtime.strict_yaml import read_yaml_file
from tests.mutants.mutation import DOMAIN, Mutation

FILE = Path("tests/mutants/judgements.yaml")


@dataclass(frozen=True)
class Judgement:
    """A mutant and its verdict.

    No input tells an `equivalent` one from the code: it does not count. An input would tell an
    `accepted` one, but no test is worth it: it counts as a survivor.
    """

    file: str
    function: str
    original_line: str
    mutated_line: str
    verdict: Literal["equivalent", "accepted"]
    reason: str

    def covers(self, mutation: Mutation) -> bool:
        """True if it is about *mutation*: the number of the line does not matter."""
        if DOMAIN / self.file != mutation.file or self.function != mutation.function:
            return False
        return (self.original_line, self.mutated_line) == mutation.changed_lines


def load_judgements() -> list[Judgement]:
    """Return every judgement of the committed file."""
    return [Judgement(**row) for row in read_yaml_file(FILE).value]
