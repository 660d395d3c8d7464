"""Arguments of ``aegis backup``."""

from argparse import ArgumentParser
from pathlib import Path

from services.cli.arguments.common import add_data_and_study


def add_arguments(parser: ArgumentParser) -> None:
    """Add where to, and which data."""
    parser.add_argument("folder", type=Path, metavar="DIR", help="new folder of the backup")
    parser.add_argument(
        "--keys-to",
        type=Path,
        metavar="DIR",
        help="new folder of the keys (default: keys in the backup)",
    )
    add_data_and_study(parser)
