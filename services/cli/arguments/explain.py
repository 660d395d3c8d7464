"""Arguments of ``aegis explain``."""

from argparse import ArgumentParser

from services.cli.arguments.common import add_data_and_study, add_json


def add_arguments(parser: ArgumentParser) -> None:
    """Add the record."""
    add_data_and_study(parser)
    parser.add_argument("record", metavar="RECORD", help="its id, or how it begins")
    add_json(parser, "everything, as one JSON object")
