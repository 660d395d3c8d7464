"""Arguments of ``aegis ingest``."""

from argparse import ArgumentParser

from services.cli.arguments.common import by_argument, data_arguments


def add_arguments(parser: ArgumentParser) -> None:
    """Add the files to read."""
    parser.add_argument(
        "paths", nargs="+", metavar="PATH", help="files, folders, or - for standard input"
    )
    by_argument(parser)
    data_arguments(parser)
