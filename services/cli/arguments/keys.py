"""Arguments of ``aegis keys``."""

from argparse import ArgumentParser

from services.cli.arguments.common import add_data_and_study, add_json, explain_columns
from services.cli.shared.columns import KEYS


def add_arguments(parser: ArgumentParser) -> None:
    """Add list, rotate and retire."""
    words = parser.add_subparsers(dest="word", required=True, metavar="list|rotate|retire")
    for name, meaning in (
        ("list", "every key, and how many messages it encrypts"),
        ("rotate", "make a new encryption key; `aegis run` encrypts all messages again with it"),
        ("retire", "end the use of an encryption key that no message needs any more"),
    ):
        word = words.add_parser(name, help=meaning, description=meaning)
        add_data_and_study(word)
        add_json(word)
        if name == "list":
            explain_columns(word, KEYS)
            continue
        if name == "retire":
            word.add_argument("key", metavar="KEY", help="its id, or the name of its file")
