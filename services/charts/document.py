"""A protocol's rules as a document of A4 pages: words, tables and curves."""

import io
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import matplotlib as mpl
from matplotlib.backends.backend_pdf import PdfPages
from matplotlib.figure import Figure

from services.charts.chart_content import Marks, PlottedRule, Sheet
from services.charts.designs import draw_boundary, draw_curves
from services.charts.style import INK, METADATA, STOP, STYLE

_A4 = (8.27, 11.69)  # inches
_MARGIN, _INDENT, _TOP, _BOTTOM = 0.08, 0.27, 0.925, 0.06  # of the page
_LINE = 0.0152
_WIDE = 84  # characters of an item's words
_LINES_ABOVE_CURVES = 35  # lines that leave room for the curves
_LINES = 56
_CURVES = (0.11, 0.075, 0.35, 0.26)  # left, bottom, width, height of the first of both


@dataclass(frozen=True, slots=True)
class _Line:
    name: str = ""
    words: str = ""
    cells: tuple[str, ...] = ()


def write_document(head: str, sheets: Sequence[Sheet]) -> bytes:
    """Return the PDF: the same bytes for the same sheets. *head* stands over every page."""
    buffer = io.BytesIO()
    with (
        mpl.rc_context(STYLE),
        PdfPages(buffer, metadata=METADATA["pdf"]) as pdf,
    ):
        for figure in draw_pages(head, sheets):
            pdf.savefig(figure)
    return buffer.getvalue()


def draw_pages(head: str, sheets: Sequence[Sheet]) -> Iterator[Figure]:
    """Yield the pages in order."""
    parts = [(sheet, lines, last) for sheet in sheets for lines, last in _split_lines(sheet)]
    for number, (sheet, lines, last) in enumerate(parts, start=1):
        figure = Figure(figsize=_A4)
        figure.text(_MARGIN, 0.965, head, size=8, color=STOP if "DRAFT" in head else INK)
        figure.text(_MARGIN, 0.945, sheet.title, size=13, weight="bold", color=INK)
        figure.text(_MARGIN, 0.025, "Trial safety oversight, not a bedside alarm.", size=7.5)
        figure.text(0.92, 0.025, f"{number} of {len(parts)}", size=7.5, ha="right")
        for k, line in enumerate(lines):
            _write_line(figure, line, _TOP - (k + 1) * _LINE)
        if last and sheet.rule and sheet.marks:
            _draw_curves(figure, sheet.rule, sheet.marks, sheet.n)
        yield figure


def _split_lines(sheet: Sheet) -> Iterator[tuple[list[_Line], bool]]:
    """Yield the lines of each page of *sheet*, and whether it is the last of them."""
    lines = list(_wrap_items(sheet))
    room = _LINES_ABOVE_CURVES if sheet.rule else _LINES
    while len(lines) > room:
        yield lines[:_LINES], False
        lines = lines[_LINES:]
    yield lines, True


def _wrap_items(sheet: Sheet) -> Iterator[_Line]:
    for name, text in sheet.items:
        for k, words in enumerate(textwrap.wrap(text, _WIDE) or [""]):
            yield _Line("" if k else name, words)
    if sheet.table:
        yield _Line()
        yield from (_Line("" if k else "head", cells=row) for k, row in enumerate(sheet.table))


def _write_line(figure: Figure, line: _Line, y: float) -> None:
    if line.cells:
        width = (0.92 - _MARGIN) / len(line.cells)
        for k, cell in enumerate(line.cells):
            weight = "bold" if line.name else "normal"
            figure.text(_MARGIN + k * width, y, cell, size=8, weight=weight, color=INK)
        return
    figure.text(_MARGIN, y, line.name, size=8, weight="bold", color=INK)
    figure.text(_INDENT, y, line.words, size=8, color=INK)


def _draw_curves(figure: Figure, rule: PlottedRule, marks: Marks, n: int) -> None:
    margin, bottom, width, height = _CURVES
    with mpl.rc_context({"font.size": 8}):
        draw_boundary(figure.add_axes((margin, bottom, width, height)), rule, n)
        draw_curves(figure.add_axes((margin + 0.46, bottom, width, height)), [rule], marks)
