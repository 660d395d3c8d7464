"""Arguments of ``aegis simulate protocol``."""

from argparse import ArgumentParser
from pathlib import Path

from services.cli.arguments.common import add_json, explain_columns
from services.cli.arguments.numbers import parse_number, parse_numbers
from services.cli.arguments.simulate_rule import parse_days
from services.cli.arguments.trial_course import add_trial_course
from services.cli.shared.columns import PROTOCOL_SIMULATION, SHARED_ALPHA


def add_arguments(parser: ArgumentParser) -> None:
    """Add the protocol, how its rules' events come and how participants enter."""
    parser.add_argument("study", type=Path, metavar="STUDY", help="folder, studies/blina-hsct")
    parser.add_argument(
        "--dose-days", type=parse_days, default=(0.0, 0.0), metavar="D",
        help="transplant days of the first dose, 60-90: a window that ends on a transplant day is"
        " as much shorter (default 0)",
    )  # fmt: skip
    parser.add_argument(
        "--factors", type=parse_numbers, default=(), metavar="F,...",
        help="event rates, in units of each rule's p0, up to 1 / p0 (default 1,2)",
    )  # fmt: skip
    parser.add_argument(
        "--correlation", type=parse_number, default=0.0, metavar="R",
        help="of the events of one participant, 0 to 1 (default 0: independent)",
    )  # fmt: skip
    parser.add_argument(
        "--share-alpha", type=parse_number, metavar="A",
        help="instead: cut all nominal errors by one factor, so that together they are A at most",
    )  # fmt: skip
    add_trial_course(parser)
    add_json(parser, "everything, as one JSON object")
    explain_columns(parser, PROTOCOL_SIMULATION, SHARED_ALPHA)
