"""``aegis ingest``: files in."""

import sys
import time
from argparse import Namespace
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from services.acts.imports import record_import
from services.acts.intake import make_intake
from services.cli.command import CommandError
from services.cli.shared.acting_person import find_actor
from services.cli.shared.grade_entered_facts import describe_later_grading, grade_entered_facts
from services.cli.shared.open_study import open_data
from services.ingest.files import find_file_faults, list_files, read_submissions
from services.ingest.intake import Intake, Outcome, Submission
from services.vocabulary.act import ActKind
from services.vocabulary.count_text import name_count

_BATCH_SIZE = 256
_PRINTED_LINES = 20  # refusals, and parked items, one by one
_STANDARD_INPUT = Path("-")
_ATTEMPTS, _PAUSE_S = 5, 1.0  # beside other writers of the same file, who take their turns


@dataclass(slots=True)
class _LimitedLines:
    """Lines on standard error: each refusal or fault up to *quota*, then the number of the rest."""

    quota: int = _PRINTED_LINES
    counts: Counter[str] = field(default_factory=Counter)

    def add_line(self, word: str, text: str) -> None:
        if self.quota:
            print(f"{word}: {text}", file=sys.stderr)
            self.quota -= 1
        else:
            self.counts[word] += 1

    def print_counts(self) -> None:
        for word, count in self.counts.items():
            print(f"{word}: {count} more", file=sys.stderr)


def perform(args: Namespace) -> int:
    """Read files, and print what became of each message."""
    files = _find_files(args.paths)
    context = open_data(args)
    actor = find_actor(context, ActKind.IMPORT_MESSAGES)
    record_import(context, actor, ActKind.IMPORT_MESSAGES, name_count(len(files), "file"))
    intake = make_intake(context)
    refusal_lines, parked_lines, fault_lines = (
        _LimitedLines(),
        _LimitedLines(),
        _LimitedLines(quota=sys.maxsize),
    )
    submissions = _read_submissions(files, actor.id, fault_lines)
    outcomes: list[Outcome] = []
    while batch := list(islice(submissions, _BATCH_SIZE)):
        batch_outcomes = _accept_batch(intake, batch)
        outcomes += batch_outcomes
        for submission, outcome in zip(batch, batch_outcomes, strict=True):
            _report_outcome(submission, outcome, refusal_lines, parked_lines)
    refusal_lines.print_counts()
    parked_lines.print_counts()
    is_graded = grade_entered_facts(context)
    print(summarize(outcomes))
    if any(outcome.parked for outcome in outcomes):
        print("what is parked waits: aegis parked list")
    if not is_graded:
        print(describe_later_grading(context))
    any_refusal = any(outcome.refusal for outcome in outcomes)
    return 1 if any_refusal or fault_lines.quota < sys.maxsize else 0


def _accept_batch(intake: Intake, batch: Sequence[Submission]) -> list[Outcome]:
    """Return the outcomes of *batch*; what cannot be stored now is tried again for a while."""
    outcomes = intake.accept(batch)
    for _ in range(_ATTEMPTS):
        places = [place for place, outcome in enumerate(outcomes) if outcome.may_be_stored_later]
        if not places:
            break
        time.sleep(_PAUSE_S)
        later_outcomes = intake.accept([batch[place] for place in places])
        for place, outcome in zip(places, later_outcomes, strict=True):
            outcomes[place] = outcome
    return outcomes


def _report_outcome(
    submission: Submission,
    outcome: Outcome,
    refusal_lines: _LimitedLines,
    parked_lines: _LimitedLines,
) -> None:
    if outcome.refusal is not None:
        refusal_lines.add_line("refused", f"{submission.place}: {outcome.refusal}")
    for item in outcome.parked:
        place = "" if submission.form == "facts" else f" {item.path}:"
        parked_lines.add_line("parked", f"{submission.place}:{place} {item.reason}: {item.detail}")


def summarize(outcomes: Sequence[Outcome]) -> str:
    """Return the numbers of accepted, refused and parked messages, in one line."""
    accepted_outcomes = [outcome for outcome in outcomes if outcome.refusal is None]
    parked_reasons = Counter(
        item.reason for outcome in accepted_outcomes for item in outcome.parked
    )
    parts = [
        f"{len(outcomes)} messages",
        f"{len(accepted_outcomes)} accepted",
        f"{sum(outcome.duplicate for outcome in accepted_outcomes)} of them duplicates",
        f"{len(outcomes) - len(accepted_outcomes)} refused",
        f"{sum(outcome.facts for outcome in accepted_outcomes)} facts",
        f"{sum(parked_reasons.values())} parked",
    ]
    reasons = ", ".join(f"{count} {reason}" for reason, count in sorted(parked_reasons.items()))
    return ", ".join(parts) + (f" ({reasons})" if reasons else "")


def _find_files(paths: Sequence[str]) -> list[Path]:
    """Return every file that is meant, before anything is stored.

    Raises:
        CommandError: One is not there, or a folder is empty.
    """
    all_files = []
    for path in map(Path, paths):
        if path != _STANDARD_INPUT and not path.exists():
            raise CommandError(f"{path}: there is no such file or folder; nothing was read")
        files = list_files(path)
        if not files:
            raise CommandError(f"{path}: there is no file in this folder; nothing was read")
        all_files += files
    return all_files


def _read_submissions(
    files: Sequence[Path], actor: str, fault_lines: _LimitedLines
) -> Iterator[Submission]:
    for file in files:
        name = "standard input" if file == _STANDARD_INPUT else str(file)
        try:
            content = sys.stdin.buffer.read() if file == _STANDARD_INPUT else file.read_bytes()
        except OSError as error:
            fault_lines.add_line("not read", f"{name}: {error.strerror}")
            continue
        for fault in find_file_faults(content, name):
            fault_lines.add_line("fault", f"{name}: {fault}")
        yield from read_submissions(content, actor, name)
