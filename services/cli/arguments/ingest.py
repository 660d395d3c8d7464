"""Arguments of ``aegis ingest``."""

from argparse import ArgumentParser

from services.cli.arguments.common import add_data_and_study


def add_arguments(parser: ArgumentParser) -> None:
    """Add the files to read."""
    parser.add_argument(
        "paths", nargs="+", metavar="PATH", help="files, folders, or - for standard input"
    )
    add_data_and_study(parser)
