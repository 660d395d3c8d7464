"""Facts of a file, one to a line, for commands that store none."""

import sys
from pathlib import Path

from services.cli.command import CommandError
from services.ingest.fact_names import FactNames
from services.ingest.facts import read_lines
from services.vocabulary.fact import Fact

_LATEST_YEAR = 9000  # a window that begins later may end after the last year there is


def read_facts(name: str, names: FactNames) -> list[Fact]:
    """Return the facts in a file.

    Raises:
        CommandError: A line is no fact, has a name that nobody knows or a time that is too late:
            nothing is assessed on half of the facts.
    """
    try:
        content = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    except OSError as error:
        raise CommandError(f"{name}: {error.strerror}") from error
    facts, wrong = read_lines(content, names)
    if wrong:
        lines = "\n  ".join(f"{item.path}: {item.detail}" for item in wrong[:10])
        raise CommandError(f"{name}: {len(wrong)} lines cannot be used:\n  {lines}")
    late_lines = [line for line in facts if line.fact.observed_at.year > _LATEST_YEAR]
    if late_lines:
        place = late_lines[0].place
        raise CommandError(f"{name}: {place}: observed_at lies after the year {_LATEST_YEAR}")
    return [line.fact for line in facts]
