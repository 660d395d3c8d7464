"""Arguments of ``aegis design``."""

from argparse import ArgumentParser

from services.cli.arguments.common import add_follow_up, add_json, explain_columns
from services.cli.arguments.numbers import parse_looks, parse_number, parse_numbers, parse_plan_size
from services.cli.arguments.person_time import add_person_time_plan
from services.cli.arguments.pictures import add_plot
from services.cli.arguments.plan_documents import add_plan_documents
from services.cli.shared.columns import DESIGNS, TIME_DESIGNS

DELTA, NU, THETA = 0.25, 0.3, 0.95  # the shapes of services.safety_rules.reports.boundary_tables


def add_arguments(parser: ArgumentParser) -> None:
    """Add the rates, the size and the shapes that the families are compared with."""
    parser.add_argument("--p0", type=parse_number, required=True, help="acceptable event rate")
    parser.add_argument(
        "--p1", type=parse_number, required=True, help="rate that must not be missed"
    )
    parser.add_argument(
        "--n",
        type=parse_plan_size,
        required=True,
        help="planned maximum, 1 to 1000 (1000: some seconds)",
    )
    parser.add_argument("--alpha", type=parse_number, required=True, help="one-sided error at p0")
    parser.add_argument(
        "--looks", type=parse_looks, default=(), metavar="5,10,15",
        help="participants, or person-days, at each look",
    )  # fmt: skip
    parser.add_argument(
        "--prior", type=parse_numbers, metavar="a,b",
        help="beta prior (default 2 p0, 2 (1 - p0)); in person-time: shape and person-days of the "
        "gamma prior",
    )  # fmt: skip
    parser.add_argument("--delta", type=parse_number, default=DELTA, help="of Wang-Tsiatis")
    parser.add_argument("--nu", type=parse_number, default=NU, help="of Chen-Chaloner")
    parser.add_argument("--theta", type=parse_number, default=THETA, help="of posterior")
    add_follow_up(parser)
    parser.add_argument(
        "--person-time", action="store_true",
        help="families of person-time, in which p0 and p1 are risks within --window-days",
    )  # fmt: skip
    add_person_time_plan(parser)
    add_json(parser, "everything, as one JSON object")
    add_plot(parser)
    add_plan_documents(parser)
    explain_columns(parser, DESIGNS, TIME_DESIGNS)
