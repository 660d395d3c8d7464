"""Arguments of ``aegis sites``."""

from argparse import ArgumentParser

from services.cli.arguments.common import (
    add_actor,
    add_data_and_study,
    add_json,
    explain_columns,
)
from services.cli.shared.columns import SITES


def add_arguments(parser: ArgumentParser) -> None:
    """Add list, key and revoke."""
    words = parser.add_subparsers(dest="word", required=True, metavar="list|key|revoke")
    for name, meaning in (
        ("list", "every site of the study"),
        ("key", "make an API key for a site; it is shown once"),
        ("revoke", "refuse every API key of a site from now on"),
    ):
        word = words.add_parser(name, help=meaning, description=meaning)
        add_data_and_study(word)
        if name == "list":
            add_json(word)
            explain_columns(word, SITES)
        else:
            word.add_argument("site", metavar="SITE")
            add_actor(word)
