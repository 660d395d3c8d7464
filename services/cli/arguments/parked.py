"""Arguments of ``aegis parked``."""

from argparse import ArgumentParser

from services.cli.arguments.common import (
    add_data_and_study,
    add_json,
    add_reason,
    explain_columns,
)
from services.cli.shared.columns import PARKED


def add_arguments(parser: ArgumentParser) -> None:
    """Add list, retry and discard."""
    words = parser.add_subparsers(dest="word", required=True, metavar="list|retry|discard")
    for name, meaning in (
        ("list", "what waits, and why"),
        ("retry", "read it, and what came to nothing, again: a mapping or a participant is there"),
        ("discard", "set items aside for good"),
    ):
        word = words.add_parser(name, help=meaning, description=meaning)
        add_data_and_study(word)
        word.add_argument("--site", metavar="SITE", help="of this site only")
        if name == "list":
            add_json(word)
            explain_columns(word, PARKED)
        if name == "discard":
            word.add_argument("items", nargs="+", metavar="ITEM", help="how its id begins")
            add_reason(word)
