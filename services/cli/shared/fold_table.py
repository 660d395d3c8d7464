"""A table in the columns of a terminal: as it is, with folded cells, or row by row."""

import re
import textwrap
from collections.abc import Callable, Iterator, Sequence

_GAP, _INDENT = "  ", "    "
_TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d")  # stays on one line while there is room

Cells = Sequence[str]


def fold_table(head: Cells, rows: Sequence[Cells], width: int | None) -> list[str]:
    r"""Return the lines of *rows* under *head*.

    Where the table is wider than *width*, cells are folded between words; where even that is too
    wide, each row is a paragraph that names its columns. None: it may be as wide as it needs.

    >>> rows = [("P-1", "Febrile neutropenia", "3")]
    >>> print("\n".join(fold_table(("participant", "term", "worst"), rows, 31)))
    participant  term         worst
    P-1          Febrile      3
                 neutropenia
    >>> print("\n".join(fold_table(("participant", "term", "worst"), rows, 24)))
    P-1  Febrile neutropenia
        worst: 3
    """
    table = (head, *rows)
    widths = [max(len(cells[column]) for cells in table) for column in range(len(head))]
    if width is None or _measure_line(widths) <= width:
        return [_join_cells(cells, widths) for cells in table]
    for split_cell in (_split_around_times, str.split):
        folded_widths = _shrink_widths(table, widths, width, split_cell)
        if _measure_line(folded_widths) <= width:
            return [line for cells in table for line in _fold_row(cells, folded_widths)]
    return [line for cells in rows for line in _write_paragraph(head, cells, width)]


def _measure_line(widths: Sequence[int]) -> int:
    return sum(widths) + len(_GAP) * (len(widths) - 1)


def _join_cells(cells: Cells, widths: Sequence[int]) -> str:
    padded = (cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
    return _GAP.join(padded).rstrip()


def _shrink_widths(
    table: Sequence[Cells],
    widths: Sequence[int],
    width: int,
    split_cell: Callable[[str], list[str]],
) -> list[int]:
    """Return *widths*, the widest ones made smaller until a line fits, or no word may be cut."""
    least_widths = [
        max(len(part) for cells in table for part in split_cell(cells[column]) or [""])
        for column in range(len(widths))
    ]
    shrunk_widths = list(widths)
    while _measure_line(shrunk_widths) > width:
        columns = [n for n, least in enumerate(least_widths) if shrunk_widths[n] > least]
        if not columns:
            break
        shrunk_widths[max(columns, key=lambda column: shrunk_widths[column])] -= 1
    return shrunk_widths


def _split_around_times(cell: str) -> list[str]:
    """Return the words of *cell*; a date with its time is one.

    >>> _split_around_times("since 2026-03-12 12:00")
    ['since', '2026-03-12 12:00']
    """
    times = _TIME.findall(cell)
    return [*_TIME.sub(" ", cell).split(), *times]


def _fold_row(cells: Cells, widths: Sequence[int]) -> Iterator[str]:
    """Yield the lines of one row."""
    columns = [_wrap(cell, width) for cell, width in zip(cells, widths, strict=True)]
    for number in range(max(map(len, columns))):
        parts = [lines[number] if number < len(lines) else "" for lines in columns]
        yield _join_cells(parts, widths)


def _wrap(text: str, width: int, indent: str = "") -> list[str]:
    return textwrap.wrap(
        text,
        width,
        initial_indent=indent,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    ) or [""]


def _write_paragraph(head: Cells, cells: Cells, width: int) -> Iterator[str]:
    """Yield a row as a paragraph: its first two cells, then the others with their headings."""
    yield from _wrap(_GAP.join(cell for cell in cells[:2] if cell), width)
    pairs = zip(head[2:], cells[2:], strict=True)
    line = ""
    for named_cell in (f"{heading}: {cell}" for heading, cell in pairs if cell):
        longer_line = f"{line}; {named_cell}" if line else named_cell
        if line and len(_INDENT + longer_line) > width:
            yield from _wrap(line, width, _INDENT)
            longer_line = named_cell
        line = longer_line
    if line:
        yield from _wrap(line, width, _INDENT)
