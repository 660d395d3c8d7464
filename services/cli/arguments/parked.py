"""Arguments of ``aegis parked``."""

from argparse import ArgumentParser

from services.cli.arguments.common import (
    by_argument,
    data_arguments,
    explain_columns,
    json_argument,
    reason_argument,
)
from services.cli.shared.columns import PARKED


def add_arguments(parser: ArgumentParser) -> None:
    """Add list, retry and discard."""
    words = parser.add_subparsers(dest="word", required=True, metavar="list|retry|discard")
    for name, meaning in (
        ("list", "what waits, and why"),
        ("retry", "read it again, once a mapping or a participant is there"),
        ("discard", "set items aside for good"),
    ):
        word = words.add_parser(name, help=meaning, description=meaning)
        data_arguments(word)
        word.add_argument("--site", metavar="SITE", help="of this site only")
        if name == "list":
            json_argument(word)
            explain_columns(word, PARKED)
        else:
            by_argument(word)
        if name == "discard":
            word.add_argument("items", nargs="+", metavar="ITEM", help="how its id begins")
            reason_argument(word)
