"""Arguments of ``aegis chance``."""

from argparse import ArgumentParser

from services.cli.arguments.common import add_json, add_study, explain_columns
from services.cli.arguments.numbers import parse_number, parse_numbers, parse_whole_number
from services.cli.shared.columns import CHANCES, TIME_CHANCES


def add_arguments(parser: ArgumentParser) -> None:
    """Add the rule, the counts and the rates."""
    parser.add_argument("rule", metavar="RULE", help="e.g. BLINA-HSCT.S1")
    add_study(parser)
    parser.add_argument(
        "--events",
        type=parse_whole_number,
        required=True,
        metavar="Y",
        help="participants with the event",
    )
    parser.add_argument(
        "--of", type=parse_whole_number, metavar="M",
        help="participants who had the event, or whose window is over",
    )  # fmt: skip
    parser.add_argument(
        "--person-time", type=parse_number, metavar="T",
        help="instead of --of, of a rule of person-time: what has passed, in its unit",
    )  # fmt: skip
    parser.add_argument(
        "--pending", type=parse_numbers, default=(), metavar="W,...",
        help="weight of each one who is followed without an event, from 0 (just exposed) to 1 (the"
        " window is nearly over), by entry: 0.9,0.4,0",
    )  # fmt: skip
    parser.add_argument(
        "--rates", type=parse_numbers, default=(), metavar="P,...",
        help="event rates for which to say the chance (default: the rule's p0, and twice p0)",
    )  # fmt: skip
    parser.add_argument(
        "--prior", type=parse_numbers, default=(), metavar="a,b",
        help="beta prior of the event rate (default: the rule's; without one 2 p0, 2 (1 - p0));"
        " of a rule of person-time: shape and person-time of the gamma prior",
    )  # fmt: skip
    add_json(parser, "everything, as one JSON object")
    explain_columns(parser, CHANCES, TIME_CHANCES)
