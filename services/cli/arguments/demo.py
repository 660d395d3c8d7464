"""Arguments of ``aegis demo``."""

from argparse import ArgumentParser
from pathlib import Path

from services.cli.arguments.numbers import parse_whole_number


def add_arguments(parser: ArgumentParser) -> None:
    """Add the size of the trial, and where its data go."""
    parser.add_argument(
        "--participants", type=parse_whole_number, default=40, metavar="N", help="default 40"
    )
    parser.add_argument("--seed", type=parse_whole_number, default=7, metavar="N", help="default 7")
    parser.add_argument(
        "--days", type=parse_whole_number, metavar="N", help="followed after the first dose"
    )
    parser.add_argument(
        "--data", type=Path, default=Path("var/demo"), metavar="DIR",
        help="folder of the data, which is emptied first (default var/demo)",
    )  # fmt: skip
    parser.add_argument(
        "--study", type=Path, default=Path("studies/blina-hsct"), metavar="DIR",
        help="folder of the study (default studies/blina-hsct)",
    )  # fmt: skip
    parser.add_argument(
        "--distributed",
        action="store_true",
        help="by a process for each role, on the PostgreSQL of AEGIS_DATABASE_URL and the Kafka of"
        " AEGIS_KAFKA, both empty; then once more in one process, to compare",
    )
