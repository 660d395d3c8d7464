"""Arguments of ``aegis login``."""

from argparse import ArgumentParser

from services.cli.arguments.common import add_data_and_study, add_password_file


def add_arguments(parser: ArgumentParser) -> None:
    """Add the person, and where the password is."""
    parser.add_argument("person", metavar="ID", help="yours: `aegis people list`")
    add_password_file(parser)
    add_data_and_study(parser)
