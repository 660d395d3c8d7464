"""Documents of the authors of a protocol, as arguments."""

from argparse import ArgumentParser, ArgumentTypeError
from pathlib import Path

FORMS = (".docx", ".rtf", ".md", ".csv")  # those of services.reports.document_formats


def add_plan_documents(parser: ArgumentParser) -> None:
    """Let a command write a statistical plan, a script in R and decision cards."""
    parser.add_argument(
        "--sap", type=parse_document, metavar="FILE",
        help="write paragraphs and tables for a statistical analysis plan: .docx, .rtf, .md; .csv"
        " has the tables alone",
    )  # fmt: skip
    parser.add_argument(
        "--r", type=parse_script, metavar="FILE",
        help="write a script in base R that recomputes every table and its characteristics",
    )  # fmt: skip
    parser.add_argument(
        "--cards", type=parse_cards, metavar="FILE",
        help="write a PDF with a decision card for each rule, for who is no statistician",
    )  # fmt: skip


def parse_document(text: str) -> Path:
    """Return the file that *text* names.

    >>> parse_document("plan.docx").name
    'plan.docx'
    >>> parse_document("plan.pdf")
    Traceback (most recent call last):
        ...
    argparse.ArgumentTypeError: 'plan.pdf' must end with .docx, .rtf, .md or .csv

    Raises:
        ArgumentTypeError: It has no form that can be written.
    """
    return _require_suffix(text, FORMS)


def parse_script(text: str) -> Path:
    """Return the script that *text* names.

    Raises:
        ArgumentTypeError: It does not end with ``.R``.
    """
    return _require_suffix(text, (".r",))


def parse_cards(text: str) -> Path:
    """Return the document of cards that *text* names.

    Raises:
        ArgumentTypeError: It does not end with ``.pdf``.
    """
    return _require_suffix(text, (".pdf",))


def _require_suffix(text: str, suffixes: tuple[str, ...]) -> Path:
    path = Path(text)
    if path.suffix.lower() not in suffixes:
        names = " or ".join([", ".join(suffixes[:-1]), suffixes[-1]][len(suffixes) == 1 :])
        raise ArgumentTypeError(f"{text!r} must end with {names}")
    return path
