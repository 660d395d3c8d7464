"""The width of the terminal that is written to, and text folded to it."""

import shutil
import sys
import textwrap

from services.vocabulary.printable_text import escape_lines

_WIDEST_TEXT = 120  # characters: longer lines are hard to read


def find_terminal_width() -> int | None:
    """Return the columns of the terminal that standard output is; None: it is a file or a pipe."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def print_text(text: str) -> None:
    """Print *text*, its lines folded to the terminal; in a file or a pipe they are as they are.

    A mark that is not printed is shown as its escape.
    """
    width = find_terminal_width()
    for line in escape_lines(text).split("\n"):
        print("\n".join(fold_line(line, width)))


def print_error(text: str) -> None:
    """Print *text* to standard error, folded and escaped as `print_text` does."""
    width = shutil.get_terminal_size().columns if sys.stderr.isatty() else None
    for line in escape_lines(text).split("\n"):
        print("\n".join(fold_line(line, width)), file=sys.stderr)


def fold_line(line: str, width: int | None, hanging_indent: int = 2) -> list[str]:
    """Return *line* as lines of at most *width* characters; None: as it is.

    Lines after the first are indented by *hanging_indent* more. A word that is longer stays whole.

    >>> fold_line("  grade 3: fever, hypotension", 20)
    ['  grade 3: fever,', '    hypotension']
    >>> fold_line("grade 3: fever, hypotension", None)
    ['grade 3: fever, hypotension']
    """
    if width is None or len(line) <= width:
        return [line]
    indent = " " * (len(line) - len(line.lstrip()))
    return textwrap.wrap(
        line.lstrip(),
        min(width, _WIDEST_TEXT),
        initial_indent=indent,
        subsequent_indent=indent + " " * hanging_indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
