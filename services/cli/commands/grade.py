"""``aegis grade``: a table of readings, graded row by row."""

import csv
import sys
from argparse import Namespace
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from functools import cache
from io import StringIO, TextIOWrapper
from itertools import islice
from pathlib import Path
from typing import Literal, TextIO

from services.cli.command import CommandError
from services.ingest.adapters.code_tables import load_code_tables
from services.safety_rules.adapters.criteria_files import (
    CriteriaFileError,
    CriteriaTable,
    load_table,
)
from services.safety_rules.inquiries.graded_rows import ADDED, Cells, RowGrader

_AT_ONCE, _AT_HAND = 64, 50_000
_AS_IT_IS = "surrogateescape"  # bytes that are no UTF-8 come out as they went in
_ERROR = ADDED.index("error")
Record = tuple[str, list[str]]


def perform(args: Namespace) -> int:
    """Write each row of the file with its grade."""
    table = _table(args.criteria)
    with ExitStack() as streams:
        records = records_in(_source(args.file, streams))
        _, columns = next(records, ("", []))
        if not columns:
            raise CommandError(f"{args.file}: there is no row of column names")
        named = [name.strip().lower() for name in columns]
        try:
            grader = RowGrader(table, load_code_tables().units, named)
        except ValueError as error:
            raise CommandError(f"{args.file}: {error}") from error
        count, unread = write_graded(records, columns, grader, _target(args, streams))
    if unread:
        print(f"{unread} of {count} rows could not be read: see error", file=sys.stderr)
    return 0


@cache
def _table(name: str) -> CriteriaTable:
    try:
        return load_table(name)
    except CriteriaFileError as error:
        raise CommandError(str(error)) from error


def write_graded(
    records: Iterator[Record], columns: Sequence[str], grader: RowGrader, target: TextIO
) -> tuple[int, int]:
    """Write *records* as they are, with what *grader* adds; return how many, how many unread."""
    target.write(_line([*columns, *ADDED]))
    width = len(columns)
    endings: dict[Cells, str] = {}
    count = unread = 0
    while some := list(islice(records, _AT_ONCE)):
        written: list[str] = []
        for (text, row), cells in zip(some, grader.grade(row for _, row in some), strict=True):
            ending = endings.get(cells)
            if ending is None:
                endings = endings if len(endings) < _AT_HAND else {}
                ending = endings[cells] = f",{_line(cells)}"
            if cells[_ERROR]:
                unread += 1
                if len(row) != width:
                    written += _line(_fitted(row, width))[:-1], ending
                    continue
            written += text.rstrip("\r\n"), ending
        target.write("".join(written))
        count += len(some)
    return count, unread


def _line(cells: Iterable[str]) -> str:
    line = StringIO()
    csv.writer(line, lineterminator="\n").writerow(cells)
    return line.getvalue()


def _fitted(row: list[str], width: int) -> list[str]:
    """Return a row that is too long or too short, so that what is added stays in its columns."""
    return [*row[:width], *[""] * (width - len(row))]


def records_in(source: TextIO) -> Iterator[Record]:
    """Yield each row as it is written and as its cells, the column names first.

    One that is no CSV is what is wrong with it; a blank line is no row.
    """
    taken: list[str] = []

    def lines() -> Iterator[str]:
        for line in source:
            taken.append(line)
            yield line

    reader = csv.reader(lines())
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            row = [f"line {reader.line_num}: {error}"]
        text = taken[0] if len(taken) == 1 else "".join(taken)
        taken.clear()
        if row:
            yield text, row


def _source(name: str, streams: ExitStack) -> TextIO:
    if name == "-":
        if isinstance(sys.stdin, TextIOWrapper):
            sys.stdin.reconfigure(encoding="utf-8-sig", errors=_AS_IT_IS, newline="")
        return sys.stdin
    return streams.enter_context(_open(name, "r", encoding="utf-8-sig"))


def _open(name: str, mode: Literal["r", "w"], encoding: str) -> TextIO:
    try:
        # whoever asked for it closes it
        return Path(name).open(mode, encoding=encoding, errors=_AS_IT_IS, newline="")
    except OSError as error:
        raise CommandError(f"{name}: {error.strerror}") from error


def _target(args: Namespace, streams: ExitStack) -> TextIO:
    if args.out is None:
        if isinstance(sys.stdout, TextIOWrapper):
            sys.stdout.reconfigure(encoding="utf-8", errors=_AS_IT_IS)
        return sys.stdout
    path = Path(args.out)
    if path.exists() and args.file != "-" and path.samefile(args.file):
        raise CommandError(f"{args.out}: is what is read; write to another file")
    return streams.enter_context(_open(args.out, "w", encoding="utf-8"))
