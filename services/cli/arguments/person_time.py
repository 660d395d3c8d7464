"""Arguments of rules of person-time, which several commands have."""

from argparse import ArgumentParser

from services.cli.arguments.numbers import parse_number, parse_whole_number

# Those of services.safety_rules.reports.person_time_tables, which takes long to load.
PERSON_TIME_METHODS = (
    *("gamma-poisson", "poisson-maxsprt", "poisson-obrien-fleming", "poisson-pocock"),
    *("poisson-sprt", "poisson-wang-tsiatis", "poisson-table"),
)


def add_person_time_plan(parser: ArgumentParser) -> None:
    """Add the plan of a rule of person-time: its length, and when it is compared."""
    group = parser.add_argument_group(
        "person-time",
        "events against the follow-up at risk, for long windows; in person-days when --window-days "
        "or --hazard says how many events these bring, else in expected events",
    )
    group.add_argument(
        "--planned", type=parse_number, metavar="T",
        help="person-time at which the plan ends (default: that of n p0 expected events)",
    )  # fmt: skip
    group.add_argument(
        "--min-events",
        type=parse_whole_number,
        default=1,
        metavar="M",
        help="fewer events never stop",
    )
    group.add_argument(
        "--delayed-start", type=parse_number, default=0.0, metavar="D",
        help="person-time before which nothing is compared",
    )  # fmt: skip
