"""Arguments of ``aegis retry``."""

from argparse import ArgumentParser

from services.cli.arguments.common import add_data_and_study


def add_arguments(parser: ArgumentParser) -> None:
    """Add whom."""
    parser.add_argument("participants", nargs="*", metavar="PARTICIPANT", help="none: everybody")
    add_data_and_study(parser)
