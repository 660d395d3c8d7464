"""Arguments of ``aegis retry``."""

from argparse import ArgumentParser

from services.cli.arguments.common import data_arguments


def add_arguments(parser: ArgumentParser) -> None:
    """Add whom."""
    parser.add_argument("participants", nargs="*", metavar="PARTICIPANT", help="none: everybody")
    data_arguments(parser)
