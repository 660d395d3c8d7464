"""Arguments of ``aegis restore``."""

from argparse import ArgumentParser
from pathlib import Path

from services.cli.arguments.common import add_data_and_study


def add_arguments(parser: ArgumentParser) -> None:
    """Add where from, and which data folder."""
    parser.add_argument("folder", type=Path, metavar="DIR", help="folder of the backup")
    parser.add_argument(
        "--keys-from",
        type=Path,
        metavar="DIR",
        help="folder of the keys (default: keys in the backup)",
    )
    add_data_and_study(parser)
