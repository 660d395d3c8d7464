"""Arguments of ``aegis explain``."""

from argparse import ArgumentParser

from services.cli.arguments.common import data_arguments, json_argument


def add_arguments(parser: ArgumentParser) -> None:
    """Add the record."""
    data_arguments(parser)
    parser.add_argument("record", metavar="RECORD", help="its id, or how it begins")
    json_argument(parser, "everything, as one JSON object")
