"""Decision cards: a stopping rule on one page, for who is no statistician."""

import io
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import matplotlib as mpl
from matplotlib.backends.backend_pdf import PdfPages
from matplotlib.figure import Figure

from services.charts.style import CURRENT, INK, METADATA, STOP, STYLE

_A5 = (8.27, 5.83)  # inches, across
_MARGIN = 0.06
_WORDS, _TITLE, _VERDICT, _SMALL_PRINT = 108, 56, 84, 128  # characters of a line
_COLUMNS, _ROWS = 4, 8  # of a page


@dataclass(frozen=True, slots=True)
class Card:
    """One rule.

    Args:
        title: The event, in a few words.
        counts: What is counted and in which time, in a sentence; empty: not said.
        size_name: What the sizes count, e.g. "evaluable participants".
        rows: Sizes, ``2 to 4``, and the events that stop there.
        verdict: What follows when the number is reached.
        limits: How far the card can be relied on: errors, plan, version and signature.
    """

    title: str
    counts: str
    size_name: str
    rows: tuple[tuple[str, str], ...]
    verdict: str
    limits: str


def write_cards(head: str, cards: Sequence[Card]) -> bytes:
    """Return the PDF: the same bytes for the same cards. *head* stands over each.

    A card with more rows than a page holds goes on on the next one.
    """
    buffer = io.BytesIO()
    with mpl.rc_context(STYLE), PdfPages(buffer, metadata=METADATA["pdf"]) as pdf:
        for card in cards:
            for page in split_card(card):
                pdf.savefig(draw_card(head, page))
    return buffer.getvalue()


def split_card(card: Card) -> Iterator[Card]:
    """Yield the pages of *card*, each with rows that it has room for."""
    most_rows = _COLUMNS * _ROWS
    for first in range(0, max(len(card.rows), 1), most_rows):
        title = f"{card.title} (continued)" if first else card.title
        yield replace(card, title=title, rows=card.rows[first : first + most_rows])


def draw_card(head: str, card: Card) -> Figure:
    """Return the page of one card."""
    figure = Figure(figsize=_A5, dpi=150)
    figure.text(_MARGIN, 0.945, head, size=8, color=STOP if "DRAFT" in head else INK)
    y = _write_lines(figure, card.title, _TITLE, 0.875, size=16, weight="bold")
    y = _write_lines(figure, card.counts, _WORDS, y - 0.005, size=9)
    legend = f"Of so many {card.size_name}, stop at this many events (orange) or more:"
    _write_lines(figure, legend, _WORDS, y - 0.03, size=9, color=CURRENT)
    _draw_rows(figure, card, y - 0.04)
    _write_lines(figure, card.verdict, _VERDICT, 0.18, size=11, weight="bold", color=STOP)
    _write_lines(figure, card.limits, _SMALL_PRINT, 0.085, size=7.5)
    return figure


def _write_lines(
    figure: Figure,
    text: str,
    width: int,
    y: float,
    *,
    size: float,
    weight: str = "normal",
    color: str = INK,
) -> float:
    """Write *text* in lines of *width* characters from *y* down; return the height after them."""
    for line in textwrap.wrap(text, width):
        figure.text(_MARGIN, y, line, size=size, weight=weight, color=color)
        y -= 0.0042 * size
    return y


def _draw_rows(figure: Figure, card: Card, top: float) -> None:
    """Draw sizes and events side by side, in as many columns as the rows need."""
    width = (1 - 2 * _MARGIN) / _COLUMNS
    for k, (size, events) in enumerate(card.rows):
        left = _MARGIN + k // _ROWS * width
        y = top - 0.054 * (k % _ROWS + 1)
        figure.text(left + 0.48 * width, y, size, size=12, color=INK, ha="right")
        figure.text(left + 0.56 * width, y, events, size=14, weight="bold", color=STOP)
