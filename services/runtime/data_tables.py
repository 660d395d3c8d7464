"""The strict reader of a table that ships with Aegis: a name and its cells on each line."""

from collections.abc import Callable, Mapping, Sequence
from importlib.resources import files
from typing import TypeVar

from services.runtime.file_error import FileFault, UntrustedFileError

Row = TypeVar("Row")


def load_rows(
    file: str, columns: str, read_row: Callable[[Sequence[str]], Row]
) -> Mapping[str, Row]:
    """Return the rows of *file*, a table beside the vocabulary, as `read_rows` does."""
    text = (files("services.vocabulary") / file).read_text("utf-8")
    return read_rows(file, text, columns, read_row)


def read_rows(
    file: str, text: str, columns: str, read_row: Callable[[Sequence[str]], Row]
) -> Mapping[str, Row]:
    r"""Return the rows of *text* by their names, which are their first cells, in its order.

    >>> read_rows("a.csv", "drug,dose\nalpha,1\nbeta,2", "drug,dose", lambda row: int(row[1]))
    {'alpha': 1, 'beta': 2}
    >>> read_rows("a.csv", "drug,dose\nalpha,1\nalpha,2", "drug,dose", lambda row: int(row[1]))
    Traceback (most recent call last):
        ...
    services...UntrustedFileError: a.csv line 3: alpha stands twice

    Args:
        file: Its name, for errors.
        text: Comma-separated; no cell has a comma, and none is quoted.
        columns: Its first line.
        read_row: Reads the cells of a row; ValueError: why it cannot.

    Raises:
        UntrustedFileError: Its first line is another, or a row has another number of cells, a name
            that stands twice, or a cell that cannot be read.
    """
    header, *lines = text.splitlines() or [""]
    if header != columns:
        raise _refuse(file, 1, f"the columns are not {columns}")
    rows: dict[str, Row] = {}
    for number, line in enumerate(lines, start=2):
        cells = line.split(",")
        if len(cells) != len(columns.split(",")):
            raise _refuse(file, number, f"{len(cells)} cells instead of {columns}")
        if cells[0] in rows:
            raise _refuse(file, number, f"{cells[0]} stands twice")
        try:
            rows[cells[0]] = read_row(cells)
        except ValueError as error:
            raise _refuse(file, number, str(error)) from None
    return rows


def _refuse(file: str, line: int, problem: str) -> UntrustedFileError:
    return UntrustedFileError([FileFault(file, line, "", problem)])
