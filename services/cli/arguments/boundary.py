"""Arguments of ``aegis boundary``."""

from argparse import ArgumentParser

from services.cli.arguments.common import add_json, explain_columns
from services.cli.arguments.numbers import (
    parse_looks,
    parse_number,
    parse_numbers,
    parse_plan_size,
    parse_whole_number,
)
from services.cli.arguments.person_time import PERSON_TIME_METHODS, add_person_time_plan
from services.cli.arguments.pictures import add_plot
from services.cli.shared.columns import BOUNDARY, ENROLMENT, PERSON_TIME, TWO_SIDED

# Those of services.safety_rules.reports.boundary_tables, which takes long to load.
METHODS = (
    *("beta-binomial", "chen-chaloner", "maxsprt", "obrien-fleming", "pocock", "posterior"),
    *("sprt", "wang-tsiatis", "table"),
)
# Options that are parameters of some families, with how many numbers each holds.
PARAMETERS = {
    "delta": "Wang-Tsiatis: shape, 0 is O'Brien-Fleming, 0.5 compares z-values with a constant",
    "prior": "beta-binomial, Chen-Chaloner, posterior: a,b of the beta prior; gamma-poisson: shape "
    "and person-time of the gamma prior",
    "p1": "SPRT, Chen-Chaloner: the rate that must not be missed",
    "nu": "Chen-Chaloner: the probability of a rate above p1 must exceed it",
    "theta": "posterior: threshold of the posterior probability, which is not calibrated",
    "limit": "posterior: of a rate above this, when that is not p0",
    "strictly": "posterior: 1 stops above theta only, 0 at theta too",
    "boundary": "table: events that stop at each look",
    "ratio": "poisson-sprt: the hazard ratio that must not be missed, without p0 and p1",
    "limits": "poisson-table: person-time up to which 1, 2, ... events stop, 0: they never do",
}


def add_arguments(parser: ArgumentParser) -> None:
    """Add the family with its parameters, the rates and the size."""
    parser.add_argument("--family", required=True, choices=(*METHODS, *PERSON_TIME_METHODS))
    parser.add_argument("--p0", type=parse_number, help="acceptable event rate")
    parser.add_argument("--alpha", type=parse_number, required=True, help="one-sided error at p0")
    parser.add_argument(
        "--n",
        type=parse_plan_size,
        help="planned maximum, 1 to 1000 (1000: some seconds); in person-time up to 1000 / p0",
    )
    parser.add_argument(
        "--looks", type=parse_looks, default=(), metavar="5,10,15",
        help="participants, or person-time, at each look",
    )  # fmt: skip
    parser.add_argument("--rates", type=parse_numbers, default=(), metavar=".2,.3")
    parser.add_argument(
        "--first-look",
        type=parse_whole_number,
        metavar="M",
        help="look after each participant from this one on",
    )
    parser.add_argument(
        "--beta", type=parse_number, metavar="B",
        help="SPRT: both of Wald's limits, as published designs have them; not calibrated",
    )  # fmt: skip
    parser.add_argument(
        "--lower", type=parse_numbers, metavar="X",
        help="table: events at each look at or below which it stops as safe enough, -1: none",
    )  # fmt: skip
    for name, meaning in PARAMETERS.items():
        parser.add_argument(f"--{name}", type=parse_numbers, metavar="X", help=meaning)
    parser.add_argument(
        "--accrual-days",
        type=parse_number,
        metavar="D",
        help="days over which the n enter, uniformly",
    )
    parser.add_argument(
        "--window-days",
        type=parse_number,
        metavar="D",
        help="days that each is followed (default 0); in person-time: within which p0 is the risk",
    )
    add_person_time_plan(parser)
    parser.add_argument(
        "--hazard", type=parse_number, metavar="H", help="acceptable events per person-day, for p0"
    )
    parser.add_argument(
        "--ratios", type=parse_numbers, default=(), metavar="1,2",
        help="hazard ratios, as --rates, without p0",
    )  # fmt: skip
    add_json(parser, "everything, as one JSON object")
    add_plot(parser)
    explain_columns(parser, (*BOUNDARY, *ENROLMENT), TWO_SIDED, PERSON_TIME)
