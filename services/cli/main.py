"""The command ``aegis``: one table of commands, in the order of a working day.

A command has two modules of its name: what it can be told in `services.cli.arguments`, which loads
in milliseconds, and what it does in `services.cli.commands`, which is loaded once the words are
known to be right.
"""

import os
import re
import sys
from argparse import SUPPRESS, Action, ArgumentParser, Namespace
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from importlib import import_module
from typing import Any, NoReturn

from services.acts.refusal import ActRefusedError
from services.cli.command import CommandError
from services.cli.shared.extras import explain_missing
from services.cli.shared.spared_modules import spare_modules
from services.cli.shared.terminal_width import print_error
from services.runtime.file_error import UntrustedFileError
from services.runtime.settings_error import SettingsError

# Each command, and what it is for.
COMMANDS: Mapping[str, str] = {
    "run": "the service: ingest, rules and alerts in one process",
    "topics": "compare the topics of Kafka with those declared",
    "ingest": "read files of HL7 v2 messages, or of facts",
    "parked": "what was accepted and cannot be used yet",
    "refused": "what can never be accepted as it was sent",
    "participants": "who takes part",
    "sites": "who may send",
    "people": "who may sign in, and in which roles",
    "login": "sign in at this command line",
    "logout": "sign out at this command line",
    "facts": "enter what no feed carries",
    "adjudicate": "confirm, reject, regrade or attribute a record",
    "determine": "the DSMB's answer to a stopping rule",
    "records": "the graded adverse event records",
    "explain": "why a record says what it says",
    "dose": "what grades and results ask of the study drug",
    "queries": "what a data manager has to look into",
    "rules": "the stopping rules, live",
    "endpoints": "survival, incidence and adverse events at a data cut",
    "alerts": "what people were told, and who has seen it",
    "clocks": "the deadlines of serious adverse events",
    "audit": "who did what, when and why",
    "study": "the files by which the study runs: activate, compare, sign",
    "assess": "grade a file of facts and apply the rules",
    "protocol": "check a protocol, or read it as its signers do",
    "design": "the families of stopping rules side by side",
    "regrade": "what another version of the criteria would change",
    "refold": "grade anew what other rules wrote, after an upgrade",
    "grade": "grade a table of readings under CTCAE",
    "boundary": "a stopping boundary and what it does at each event rate",
    "chance": "the chances of a rule at counts that you name",
    "arms": "two arms of a randomised study beside each other",
    "simulate": "a synthetic trial, or a rule in many trials",
    "migrate": "bring the database up to date, online",
    "backup": "copy the database and its keys, while they are in use",
    "restore": "make a data folder from a backup",
    "keys": "the keys of the data; a new one to encrypt with",
    "verify": "check every row, every message and every record",
    "replay": "fold the journal again and compare the history",
    "retry": "grade again who was set aside because of facts that failed",
    "demo": "a synthetic trial, from HL7 to the DSMB's mail",
    "completion": "let a shell complete commands and flags",
    "version": "which Aegis this is, and by which rules",
}
# Those that compute, and end soon: of scipy they load little.
_STATISTICS = ("arms", "boundary", "chance", "design", "protocol", "simulate")
_COMMAND_AND_MORE = 2  # words of a line
_NEGATIVE_NUMBER = re.compile(r"-[.\d]")  # and what follows it: -1,2 and -1/30 are values too


def load_command(word: str) -> Callable[[Namespace], int]:
    """Return the function of the command *word*, one of `COMMANDS`; it returns the exit code."""
    if word in _STATISTICS:
        import_module("services.runtime.special_functions").load_functions_alone()
    perform: Callable[[Namespace], int] = import_module(f"services.cli.commands.{word}").perform
    return perform


class CommandParser(ArgumentParser):
    """Refuses what it does not know before a parser above it does, in one line.

    A word that begins like a negative number is a value, and no option.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - as argparse declares it
        """Make a parser as argparse does."""
        super().__init__(*args, **kwargs)
        self._negative_number_matcher = _NEGATIVE_NUMBER

    def error(self, message: str) -> NoReturn:
        """Print the problem and where to read more, in one line; exit with 2."""
        problem = message.removeprefix("argument ")
        print_error(f"{self.prog}: {problem}; {self.prog} --help")
        self.exit(2)

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:  # noqa: ANN401 - as argparse declares it
        """Return the namespace, and no argument that is not known."""
        arguments, unknown = super().parse_known_args(args, namespace)
        if unknown:
            self.error(f"unrecognized arguments: {' '.join(unknown)}")
        return arguments, unknown


def build_parser(word: str = "") -> CommandParser:
    """Return the parser of the command line, with the arguments of *word*, one of `COMMANDS`."""
    parser = CommandParser(
        prog="aegis",
        description="Adverse event monitoring and safety signaling for clinical trials.",
        epilog="Trial safety oversight, not a bedside alarm.",
    )
    parser.add_argument(
        "--version", action=_Version, nargs=0, dest=SUPPRESS, help="print the version"
    )
    words = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, purpose in COMMANDS.items():
        command = words.add_parser(name, help=purpose, description=purpose)
        if name == word:
            import_module(f"services.cli.arguments.{name}").add_arguments(command)
    return parser


class _Version(Action):
    """Prints the version of the package, which is looked up only then."""

    def __call__(self, parser: ArgumentParser, *_: object) -> None:
        installed = import_module("services.cli.shared.installed").find_installed_version()
        print(f"aegis {installed or 'not installed'}")
        parser.exit()


def find_command_to_complete(line: str) -> str:
    """Return the command whose arguments a shell asks to complete in *line*; empty: the command.

    >>> find_command_to_complete("aegis records --part"), find_command_to_complete("aegis rec")
    ('records', '')
    """
    words = line.split()
    is_finished = len(words) > _COMMAND_AND_MORE or line.endswith(" ")
    return words[1] if len(words) > 1 and is_finished and words[1] in COMMANDS else ""


def _configure_process(*, is_ours: bool) -> None:
    """Configure what a process of our own shows of errors and of libraries, before a command."""
    if is_ours:
        import_module("services.runtime.uncaught").hide_values()


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; return its exit code: 0 well, 1 found something, 2 could not be done."""
    if "_ARGCOMPLETE" in os.environ:  # a shell asks, and reads the answer from elsewhere
        word = find_command_to_complete(os.environ["COMP_LINE"][: int(os.environ["COMP_POINT"])])
        import_module("argcomplete").autocomplete(build_parser(word))
    words = sys.argv[1:] if argv is None else argv
    word = words[0] if words and words[0] in COMMANDS else ""
    args = build_parser(word).parse_args(words)
    _configure_process(is_ours=argv is None)
    return _perform_command(args, is_ours=argv is None)


def _perform_command(args: Namespace, *, is_ours: bool) -> int:
    """Return the exit code of a command; what a person can mend is a line, and not a traceback."""
    try:
        with spare_modules() if is_ours else nullcontext():
            perform = load_command(args.command)
        return perform(args)
    except (ActRefusedError, CommandError, SettingsError) as error:
        print_error(f"aegis {args.command}: {error}")
        return 2
    except UntrustedFileError as error:
        for line in error.lines:
            print_error(f"aegis {args.command}: {line}")
        return 2
    except ModuleNotFoundError as error:
        missing = explain_missing(error.name or "")
        if missing is None:
            raise
        print_error(f"aegis {args.command}: {missing}")
        return 2
    except BrokenPipeError:  # the reader of a pipe has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:  # of the disk under the data: any other goes on
        faults = import_module("services.cli.shared.storage_faults")
        problem = faults.explain_storage_fault(args, error)
        if problem is None:
            raise
        print_error(f"aegis {args.command}: {problem}")
        return 2


if __name__ == "__main__":
    sys.exit(main())
