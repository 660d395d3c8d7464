"""The file that a chart is drawn into."""

from argparse import ArgumentParser, ArgumentTypeError
from pathlib import Path

FORMS = ("svg", "png", "pdf")  # those of services.charts.designs, which takes long to load


def add_plot(parser: ArgumentParser) -> None:
    """Let a command draw what it prints."""
    parser.add_argument("--plot", type=parse_picture, metavar="FILE", help=".svg, .png or .pdf")


def parse_picture(text: str) -> Path:
    """Return the file to draw into.

    Raises:
        ArgumentTypeError: Its name does not end in a form that can be drawn.
    """
    path = Path(text)
    if path.suffix.removeprefix(".") not in FORMS:
        one_of = ", ".join(f".{form}" for form in FORMS)
        raise ArgumentTypeError(f"{text!r} must end in one of: {one_of}")
    return path
