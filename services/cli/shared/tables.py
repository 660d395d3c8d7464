"""Tables and numbers as the terminal shows them."""

from collections.abc import Sequence
from datetime import datetime

from services.cli.shared.columns import Columns, list_headings
from services.cli.shared.fold_table import fold_table
from services.cli.shared.terminal_width import find_terminal_width
from services.vocabulary.printable_text import escape_unprintable

_LEAST_P = 0.0001


def make_table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    r"""Return *rows* under *head*, each column as wide as it needs, or as the terminal has room.

    A mark that is not printed is shown as its escape.

    >>> print(make_table(("rule", "events"), [("S1", 4), ("S2\x1b[2J", 0)]))
    rule       events
    S1         4
    S2\x1b[2J  0
    """
    texts = [[escape_unprintable(str(cell)) for cell in row] for row in rows]
    return "\n".join(fold_table(head, texts, find_terminal_width()))


def make_explained_table(columns: Columns, rows: Sequence[Sequence[object]]) -> str:
    """Return *rows* under the headings of *columns*, which the help of the command explains."""
    return make_table(list_headings(columns), rows)


def format_day(number: int | None) -> str:
    """Return a transplant or treatment day; ``-`` when there is none."""
    return "-" if number is None else f"{number:+d}" if number < 0 else str(number)


def format_utc(at: datetime | None) -> str:
    """Return an instant to the minute; ``-`` when there is none."""
    return "-" if at is None else f"{at:%Y-%m-%d %H:%M}"


def format_p_value(p: float) -> str:
    """Return *p* with four decimals, which may not say that it is nothing.

    >>> format_p_value(0.0123), format_p_value(0.0001), format_p_value(0.00009)
    ('0.0123', '0.0001', '< 0.0001')
    """
    return f"{p:.4f}" if p >= _LEAST_P else f"< {_LEAST_P}"
