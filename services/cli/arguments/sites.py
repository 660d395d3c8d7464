"""Arguments of ``aegis sites``."""

from argparse import ArgumentParser

from services.cli.arguments.common import (
    add_data_and_study,
    add_json,
    explain_columns,
    parse_instant,
)
from services.cli.shared.columns import SITE_KEYS, SITES


def add_arguments(parser: ArgumentParser) -> None:
    """Add list, keys, key, rotate and revoke."""
    words = parser.add_subparsers(dest="word", required=True, metavar="list|keys|key|rotate|revoke")
    for name, meaning in (
        ("list", "every site of the study, and how it is known"),
        ("keys", "API keys of every site, or of one: names, ends and last uses"),
        ("key", "make an API key for a site; it is shown once, and two may be valid at once"),
        ("rotate", "make a key that takes the place of another, which stays valid for a while"),
        ("revoke", "refuse one or every API key of a site from now on"),
    ):
        word = words.add_parser(name, help=meaning, description=meaning)
        add_data_and_study(word)
        if name in ("list", "keys"):
            add_json(word)
            explain_columns(word, SITES if name == "list" else SITE_KEYS)
        if name == "keys":
            word.add_argument("site", metavar="SITE", nargs="?", help="only this one's")
        if name in ("key", "rotate", "revoke"):
            word.add_argument("site", metavar="SITE")
            _add_key_options(word, name)


def _add_key_options(word: ArgumentParser, name: str) -> None:
    meanings = {
        "key": "of the key (default: SITE-NUMBER)",
        "rotate": "of the old key (default: the only one that is valid)",
        "revoke": "of the key (default: every key of the site)",
    }
    word.add_argument("--name", metavar="NAME", help=meanings[name])
    if name != "revoke":
        word.add_argument(
            "--expires",
            type=parse_instant,
            metavar="T",
            help="end of the new key, 2027-06-01T00:00Z (default: when it is revoked)",
        )
    if name == "rotate":
        word.add_argument(
            "--old-until",
            type=parse_instant,
            metavar="T",
            help="until when the old key is valid (default: for seven days)",
        )
