"""The command ``aegis``: one table of commands, in the order of a working day."""

import argparse
import os
import re
import sys
from collections.abc import Sequence

from services.cli import (
    alerting,
    assessing,
    clinic,
    comparing,
    demo,
    designing,
    endpoints,
    enrolling,
    explaining,
    feeding,
    grading,
    looking,
    migrating,
    protocols,
    proving,
    regrading,
    running,
    simulating,
    topics,
    watching,
)
from services.cli.command import CommandError
from services.runtime.settings import SettingsError

COMMANDS = (
    running.RUN,
    topics.TOPICS,
    feeding.INGEST,
    feeding.PARKED,
    enrolling.PARTICIPANTS,
    enrolling.SITES,
    clinic.FACTS,
    clinic.ADJUDICATE,
    clinic.DETERMINE,
    watching.RECORDS,
    explaining.EXPLAIN,
    looking.DOSE,
    looking.QUERIES,
    watching.RULES,
    endpoints.ENDPOINTS,
    alerting.ALERTS,
    assessing.ASSESS,
    protocols.PROTOCOL_COMMAND,
    comparing.DESIGN,
    regrading.REGRADE,
    grading.GRADE,
    designing.BOUNDARY,
    simulating.SIMULATE,
    migrating.MIGRATE,
    proving.VERIFY,
    proving.REPLAY,
    proving.RETRY,
    demo.DEMO,
)


def parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line."""
    root = argparse.ArgumentParser(
        prog="aegis",
        description="Adverse event monitoring and safety signaling for clinical trials.",
        epilog="Trial safety oversight, not a bedside alarm.",
    )
    words = root.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for command in COMMANDS:
        word = words.add_parser(command.name, help=command.purpose, description=command.purpose)
        command.arguments(word)
        word.set_defaults(perform=command.perform)
    return root


def joined(words: Sequence[str]) -> list[str]:
    """Return *words* with each negative number joined to its option, whose value it is.

    >>> joined(["--prior", "-1,2", "--n", "30"])
    ['--prior=-1,2', '--n', '30']
    """
    found: list[str] = []
    for word in words:
        if re.match(r"-[.\d]", word) and found and re.fullmatch(r"--[a-z0-9-]+", found[-1]):
            found[-1] += f"={word}"
        else:
            found.append(word)
    return found


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; return its exit code: 0 well, 1 found something, 2 could not be done."""
    chosen = parser().parse_args(joined(sys.argv[1:] if argv is None else argv))
    try:
        return int(chosen.perform(chosen))
    except (CommandError, SettingsError) as error:
        print(f"aegis {chosen.command}: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:  # the reader of a pipe has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


if __name__ == "__main__":
    sys.exit(main())
