"""``aegis ingest``: files in."""

import sys
from argparse import Namespace
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from services.cli.command import CommandError
from services.cli.shared.enter_facts import intake_of
from services.cli.shared.open_study import open_data
from services.cli.shared.settle import settle
from services.ingest.application import Outcome, Submission
from services.ingest.files import find_file_faults, list_files, read_submissions

_AT_ONCE = 256
_SAID_AT_MOST = 20  # refusals, and parked items, one by one
_STANDARD_INPUT = Path("-")


@dataclass(slots=True)
class _Told:
    """What is said on standard error: each refusal and fault, up to so many, and how many more."""

    left: int = _SAID_AT_MOST
    unsaid: Counter[str] = field(default_factory=Counter)

    def say(self, word: str, text: str) -> None:
        if self.left:
            print(f"{word}: {text}", file=sys.stderr)
            self.left -= 1
        else:
            self.unsaid[word] += 1

    def end(self) -> None:
        for word, count in self.unsaid.items():
            print(f"{word}: {count} more", file=sys.stderr)


def perform(args: Namespace) -> int:
    """Read files, and print what became of each message."""
    files = _files(args.paths)
    context = open_data(args)
    intake = intake_of(context)
    refusals, waiting, faults = _Told(), _Told(), _Told(left=sys.maxsize)
    incoming = _incoming(files, args.by, faults)
    outcomes: list[Outcome] = []
    while some := list(islice(incoming, _AT_ONCE)):
        done = intake.accept(some)
        outcomes += done
        for one, outcome in zip(some, done, strict=True):
            _tell(one, outcome, refusals, waiting)
    refusals.end()
    waiting.end()
    graded = settle(context)
    print(summary(outcomes))
    if any(outcome.parked for outcome in outcomes):
        print("what is parked waits: aegis parked list")
    if not graded:
        print("a running service grades them")
    refused = any(outcome.refusal for outcome in outcomes)
    return 1 if refused or faults.left < sys.maxsize else 0


def _tell(incoming: Submission, outcome: Outcome, refusals: _Told, waiting: _Told) -> None:
    if outcome.refusal is not None:
        refusals.say("refused", f"{incoming.place}: {outcome.refusal}")
    for item in outcome.parked:
        at = "" if incoming.form == "facts" else f" {item.path}:"
        waiting.say("parked", f"{incoming.place}:{at} {item.reason}: {item.detail}")


def summary(outcomes: Sequence[Outcome]) -> str:
    """Return what became of some messages, in one line."""
    accepted = [outcome for outcome in outcomes if outcome.refusal is None]
    waiting = Counter(item.reason for outcome in accepted for item in outcome.parked)
    parts = [
        f"{len(outcomes)} messages",
        f"{len(accepted)} accepted",
        f"{sum(outcome.duplicate for outcome in accepted)} of them duplicates",
        f"{len(outcomes) - len(accepted)} refused",
        f"{sum(outcome.facts for outcome in accepted)} facts",
        f"{sum(waiting.values())} parked",
    ]
    reasons = ", ".join(f"{count} {reason}" for reason, count in sorted(waiting.items()))
    return ", ".join(parts) + (f" ({reasons})" if reasons else "")


def _files(paths: Sequence[str]) -> list[Path]:
    """Return every file that is meant, before anything is stored.

    Raises:
        CommandError: One is not there, or a folder is empty.
    """
    found = []
    for path in map(Path, paths):
        if path != _STANDARD_INPUT and not path.exists():
            raise CommandError(f"{path}: there is no such file or folder; nothing was read")
        files = list_files(path)
        if not files:
            raise CommandError(f"{path}: there is no file in this folder; nothing was read")
        found += files
    return found


def _incoming(files: Sequence[Path], by: str, faults: _Told) -> Iterator[Submission]:
    for file in files:
        name = "standard input" if file == _STANDARD_INPUT else str(file)
        try:
            content = sys.stdin.buffer.read() if file == _STANDARD_INPUT else file.read_bytes()
        except OSError as error:
            faults.say("not read", f"{name}: {error.strerror}")
            continue
        for fault in find_file_faults(content, name):
            faults.say("fault", f"{name}: {fault}")
        yield from read_submissions(content, by, name)
