"""Arguments of ``aegis design``."""

from argparse import ArgumentParser

from services.cli.arguments.common import explain_columns, follow_up_arguments, json_argument
from services.cli.arguments.number_lists import numbers, whole
from services.cli.arguments.pictures import plot_argument
from services.cli.shared.columns import DESIGNS

DELTA, NU, THETA = 0.25, 0.3, 0.95  # the shapes of services.safety_rules.inquiries.boundary_tables


def add_arguments(parser: ArgumentParser) -> None:
    """Add the rates, the size and the shapes that the families are compared with."""
    parser.add_argument("--p0", type=float, required=True, help="acceptable event rate")
    parser.add_argument("--p1", type=float, required=True, help="rate that must not be missed")
    parser.add_argument(
        "--n", type=int, required=True, help="planned maximum, 1 to 1000 (1000: some seconds)"
    )
    parser.add_argument("--alpha", type=float, required=True, help="one-sided error at p0")
    parser.add_argument("--looks", type=whole, default=(), metavar="5,10,15")
    parser.add_argument(
        "--prior", type=numbers, metavar="a,b", help="beta prior (default 2 p0, 2 (1 - p0))"
    )
    parser.add_argument("--delta", type=float, default=DELTA, help="of Wang-Tsiatis")
    parser.add_argument("--nu", type=float, default=NU, help="of Chen-Chaloner")
    parser.add_argument("--theta", type=float, default=THETA, help="of posterior")
    follow_up_arguments(parser)
    json_argument(parser, "everything, as one JSON object")
    plot_argument(parser)
    explain_columns(parser, DESIGNS)
