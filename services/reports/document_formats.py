"""Documents of headings, paragraphs and tables: as docx, rtf and md; their tables as csv."""

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

from services.reports.blocks import Block, Heading, Paragraph, Table

WriteDocument = Callable[[Sequence[Block]], bytes]

_LATEST_ASCII = 127
_MANY_BYTES = 0x8000  # RTF writes a character as a signed number of 16 bits
_PAGE_TWIPS = 9000  # width of the text: 20 twips are a point
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)  # the same bytes for the same content


def write_markdown(blocks: Sequence[Block]) -> bytes:
    r"""Return the document in Markdown.

    >>> print(write_markdown([Heading("Rules"), Table("One.", ("a", "b"), (("1", "|"),))]).decode())
    ## Rules
    <BLANKLINE>
    One.
    <BLANKLINE>
    | a | b |
    |---|---|
    | 1 | \| |
    <BLANKLINE>
    """
    return ("\n\n".join(map(_write_markdown_block, blocks)) + "\n").encode()


def _write_markdown_block(block: Block) -> str:
    match block:
        case Heading(text, level):
            return f"{'#' * level} {text}"
        case Paragraph(text):
            return text
        case Table(caption, head, rows):
            lines = [_write_markdown_row(row) for row in (head, *rows)]
            lines.insert(1, "|" + "---|" * len(head))
            return "\n".join([caption, "", *lines])


def _write_markdown_row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def write_csv(blocks: Sequence[Block]) -> bytes:
    """Return the tables alone, each after a line with its caption.

    A cell that a spreadsheet would take for a formula is written after an apostrophe.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    for block in blocks:
        if isinstance(block, Table):
            for row in ((block.caption,), block.head, *block.rows):
                writer.writerow([_disarm_cell(cell) for cell in row])
            writer.writerow([])
    return text.getvalue().encode("utf-8-sig")


def _disarm_cell(cell: str) -> str:
    if cell.startswith(_FORMULA_STARTS) and not _is_number(cell):
        return f"'{cell}"
    return cell


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def write_rtf(blocks: Sequence[Block]) -> bytes:
    """Return the document in RTF 1.9, in ASCII; other characters are escaped."""
    body = "\n".join(map(_write_rtf_block, blocks))
    return (
        r"{\rtf1\ansi\ansicpg1252\deff0{\fonttbl{\f0\froman Times New Roman;}}\fs22" + f"\n{body}}}"
    ).encode("ascii")


def _write_rtf_block(block: Block) -> str:
    match block:
        case Heading(text, level):
            return rf"\pard\sb240\sa120\keepn\b\fs{34 - 4 * level} {_escape_rtf(text)}\b0\fs22\par"
        case Paragraph(text):
            return rf"\pard\sa120 {_escape_rtf(text)}\par"
        case Table(caption, head, rows):
            lines = [rf"\pard\sb120\sa60\keepn\i {_escape_rtf(caption)}\i0\par"]
            lines += [_write_rtf_row(row, is_head=k == 0) for k, row in enumerate((head, *rows))]
            return "\n".join([*lines, r"\pard\sa120\par"])


def _write_rtf_row(cells: Sequence[str], *, is_head: bool) -> str:
    width = _PAGE_TWIPS // len(cells)
    edges = "".join(
        rf"\clbrdrb\brdrs\brdrw{20 if is_head else 5}\cellx{width * (k + 1)}"
        for k in range(len(cells))
    )
    bold, plain = (r"\b ", r"\b0 ") if is_head else ("", "")
    content = "".join(rf"\intbl {bold}{_escape_rtf(cell)}{plain}\cell" for cell in cells)
    return rf"\trowd\trgaph80{edges}\pard{content}\row"


def _escape_rtf(text: str) -> str:
    r"""Return *text* with characters of RTF itself, and others that are no ASCII, escaped.

    >>> _escape_rtf("a{b}")
    'a\\{b\\}'
    """
    units = text.encode("utf-16-le")
    codes = [int.from_bytes(units[k : k + 2], "little") for k in range(0, len(units), 2)]
    return "".join(map(_escape_rtf_code, codes))


def _escape_rtf_code(code: int) -> str:
    if code > _LATEST_ASCII:
        return rf"\u{code - 2 * _MANY_BYTES if code >= _MANY_BYTES else code}?"
    character = chr(code)
    if character == "\n":
        return r"\line "
    return f"\\{character}" if character in "\\{}" else character


def write_docx(blocks: Sequence[Block]) -> bytes:
    """Return the document for Word (Office Open XML)."""
    import docx  # noqa: PLC0415 (lxml takes a tenth of a second)

    document = docx.Document()
    document.core_properties.created = document.core_properties.modified = _EPOCH
    document.core_properties.author = "Aegis"
    for block in blocks:
        match block:
            case Heading(text, level):
                document.add_heading(text, level - 1)
            case Paragraph(text):
                document.add_paragraph(text)
            case Table(caption, head, rows):
                document.add_paragraph(caption, style="Caption")
                table = document.add_table(rows=1, cols=len(head), style="Light List")
                for row in (head, *rows):
                    cells = table.rows[0].cells if row is head else table.add_row().cells
                    for cell, text in zip(cells, row, strict=True):
                        cell.text = text
                document.add_paragraph()
    file = io.BytesIO()
    document.save(file)
    return file.getvalue()


FORMATS: Mapping[str, WriteDocument] = {
    ".csv": write_csv,
    ".docx": write_docx,
    ".md": write_markdown,
    ".rtf": write_rtf,
}
