"""Arguments of ``aegis login``."""

from argparse import ArgumentParser
from pathlib import Path

from services.cli.arguments.common import add_data_and_study, add_password_file


def add_arguments(parser: ArgumentParser) -> None:
    """Add the person, and where the password is."""
    parser.add_argument("person", metavar="ID", help="yours: `aegis people list`")
    add_password_file(parser)
    tokens = parser.add_mutually_exclusive_group()
    tokens.add_argument(
        "--token", action="store_true",
        help="instead of a password: a token of the console's account page, which is asked for",
    )  # fmt: skip
    tokens.add_argument("--token-file", type=Path, metavar="FILE", help="the same, from a file")
    add_data_and_study(parser)
