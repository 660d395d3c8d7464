"""The command ``aegis``: one table of commands, in the order of a working day."""

import argparse
import os
import re
import sys
from collections.abc import Sequence
from importlib import import_module

from services.cli.command import Command, CommandError
from services.runtime.settings import SettingsError

# Each is in the module of its name: a module is loaded when it is asked for, for some take seconds.
COMMANDS: Sequence[str] = (
    "run",
    "topics",
    "ingest",
    "parked",
    "participants",
    "sites",
    "facts",
    "adjudicate",
    "determine",
    "records",
    "explain",
    "dose",
    "queries",
    "rules",
    "endpoints",
    "alerts",
    "assess",
    "protocol",
    "design",
    "regrade",
    "refold",
    "grade",
    "boundary",
    "simulate",
    "migrate",
    "verify",
    "replay",
    "retry",
    "demo",
    "version",
)


def load_command(word: str) -> Command:
    """Return the command of *word*, one of `COMMANDS`."""
    command: Command = import_module(f"services.cli.commands.{word}").COMMAND
    return command


def parser(only: str = "") -> argparse.ArgumentParser:
    """Return the parser of the whole command line, or of *only* one word of `COMMANDS`."""
    root = argparse.ArgumentParser(
        prog="aegis",
        description="Adverse event monitoring and safety signaling for clinical trials.",
        epilog="Trial safety oversight, not a bedside alarm.",
    )
    words = root.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for command in map(load_command, [only] if only else COMMANDS):
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
    given = joined(sys.argv[1:] if argv is None else argv)
    only = given[0] if given and given[0] in COMMANDS else ""
    chosen = parser(only).parse_args(given)
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
