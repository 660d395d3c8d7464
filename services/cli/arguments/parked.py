"""Arguments of ``aegis parked``."""

from argparse import ArgumentParser

from services.cli.arguments.common import (
    add_data_and_study,
    add_json,
    add_reason,
    explain_columns,
)
from services.cli.shared.columns import PARKED

_TABLES = ("codes", "units", "drugs", "devices")  # of a site, in sites.yaml


def add_arguments(parser: ArgumentParser) -> None:
    """Add list, show, map, ignore, retry and discard."""
    words = parser.add_subparsers(
        dest="word", required=True, metavar="list|show|map|ignore|retry|discard"
    )
    for name, meaning in (
        ("list", "what waits, and why"),
        ("show", "the message of an item; identifiers only for who may see them"),
        ("map", "say what a code of a site means, and read again what waits for it"),
        ("ignore", "say that a code of a site means nothing here, and read again what waits"),
        ("retry", "read it, and what came to nothing, again: a mapping or a participant is there"),
        ("discard", "set items aside for good"),
    ):
        word = words.add_parser(name, help=meaning, description=meaning)
        add_data_and_study(word)
        if name in ("map", "ignore"):
            word.add_argument("site", metavar="SITE", help="whose code it is")
            word.add_argument("code", metavar="CODE", help="as the site sends it")
            add_reason(word)
        else:
            word.add_argument("--site", metavar="SITE", help="of this site only")
        if name == "map":
            word.add_argument("target", metavar="MEANING", help="our measure, unit, drug or device")
            word.add_argument(
                "--as", dest="table", choices=_TABLES, default="codes",
                help="what it is a code of (default: a result, in codes)",
            )  # fmt: skip
        if name == "list":
            add_json(word)
            explain_columns(word, PARKED)
        if name == "show":
            word.add_argument("item", metavar="ITEM", help="how its id begins")
        if name == "discard":
            word.add_argument("items", nargs="+", metavar="ITEM", help="how its id begins")
            word.add_argument(
                "--alike", action="store_true", help="and all of its site, reason and detail"
            )
            add_reason(word)
