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
from services.safety_rules.adapters.criteria_files import load_table
from services.safety_rules.reports.graded_rows import ADDED_COLUMNS, Cells, RowGrader
from services.vocabulary.printable_text import escape_controls

_BATCH_ROWS, _CACHED_LINES = 64, 50_000
_KEEP_BYTES = "surrogateescape"  # bytes that are no UTF-8 come out as they went in
_ERROR = ADDED_COLUMNS.index("error")
CsvRecord = tuple[str, list[str]]
_load_criteria = cache(load_table)


def perform(args: Namespace) -> int:
    """Write each row of the file with its grade."""
    table = _load_criteria(args.criteria)
    with ExitStack() as streams:
        records = read_records(_open_source(args.file, streams))
        _, columns = next(records, ("", []))
        if not columns:
            raise CommandError(f"{args.file}: there is no row of column names")
        column_names = [name.strip().lower() for name in columns]
        try:
            grader = RowGrader(table, load_code_tables().units.find, column_names)
        except ValueError as error:
            raise CommandError(f"{args.file}: {error}") from error
        count, unread = write_graded(records, columns, grader, _open_target(args, streams))
    if unread:
        print(f"{unread} of {count} rows could not be read: see error", file=sys.stderr)
    return int(unread > 0)


def write_graded(
    records: Iterator[CsvRecord], columns: Sequence[str], grader: RowGrader, target: TextIO
) -> tuple[int, int]:
    """Write *records* with what *grader* adds; return how many, how many unread.

    They are written as they are, but for control characters: those are escaped.
    """
    target.write(_write_line([*columns, *ADDED_COLUMNS]))
    width = len(columns)
    lines_by_cells: dict[Cells, str] = {}
    count = unread = 0
    while batch := list(islice(records, _BATCH_ROWS)):
        parts: list[str] = []
        for (text, row), cells in zip(batch, grader.grade(row for _, row in batch), strict=True):
            graded_cells = lines_by_cells.get(cells)
            if graded_cells is None:
                lines_by_cells = lines_by_cells if len(lines_by_cells) < _CACHED_LINES else {}
                graded_cells = lines_by_cells[cells] = f",{_write_line(cells)}"
            if cells[_ERROR]:
                unread += 1
                if len(row) != width:
                    parts += _write_line(_fit_row(row, width))[:-1], graded_cells
                    continue
            parts += escape_controls(text.rstrip("\r\n")), graded_cells
        target.write("".join(parts))
        count += len(batch)
    return count, unread


def _write_line(cells: Iterable[str]) -> str:
    line = StringIO()
    csv.writer(line, lineterminator="\n").writerow(cells)
    return escape_controls(line.getvalue())


def _fit_row(row: list[str], width: int) -> list[str]:
    """Return a row that is too long or too short, so that what is added stays in its columns."""
    return [*row[:width], *[""] * (width - len(row))]


def read_records(source: TextIO) -> Iterator[CsvRecord]:
    """Yield each row as it is written and as its cells, the column names first.

    One that is no CSV is what is wrong with it; a blank line is no row.
    """
    source_lines: list[str] = []

    def lines() -> Iterator[str]:
        for line in source:
            source_lines.append(line)
            yield line

    reader = csv.reader(lines())
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            row = [f"line {reader.line_num}: {error}"]
        text = source_lines[0] if len(source_lines) == 1 else "".join(source_lines)
        source_lines.clear()
        if row:
            yield text, row


def _open_source(name: str, streams: ExitStack) -> TextIO:
    if name == "-":
        if isinstance(sys.stdin, TextIOWrapper):
            sys.stdin.reconfigure(encoding="utf-8-sig", errors=_KEEP_BYTES, newline="")
        return sys.stdin
    return streams.enter_context(_open(name, "r", encoding="utf-8-sig"))


def _open(name: str, mode: Literal["r", "w"], encoding: str) -> TextIO:
    try:
        # whoever asked for it closes it
        return Path(name).open(mode, encoding=encoding, errors=_KEEP_BYTES, newline="")
    except OSError as error:
        raise CommandError(f"{name}: {error.strerror}") from error


def _open_target(args: Namespace, streams: ExitStack) -> TextIO:
    if args.out is None:
        if isinstance(sys.stdout, TextIOWrapper):
            sys.stdout.reconfigure(encoding="utf-8", errors=_KEEP_BYTES)
        return sys.stdout
    path = Path(args.out)
    if path.exists() and args.file != "-" and path.samefile(args.file):
        raise CommandError(f"{args.out}: is what is read; write to another file")
    return streams.enter_context(_open(args.out, "w", encoding="utf-8"))
