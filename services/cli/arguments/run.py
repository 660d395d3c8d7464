"""Arguments of ``aegis run``."""

from argparse import ArgumentParser

from services.cli.arguments.common import add_data_and_study
from services.cli.arguments.numbers import parse_whole_number

ROLES = ("ingest", "relay", "rules", "alerts", "console")  # those of services.cli.process.service


def add_arguments(parser: ArgumentParser) -> None:
    """Add the role of the process, and where it listens."""
    parser.add_argument(
        "role",
        nargs="?",
        choices=ROLES,  # no default: it would have to be one of them
        metavar="ROLE",
        help="ingest, relay, rules, alerts or console, beside others on PostgreSQL; default: all",
    )
    add_data_and_study(parser)
    parser.add_argument(
        "--mllp-port", type=parse_whole_number, metavar="N", help="AEGIS_MLLP_PORT; 0: a free one"
    )
    parser.add_argument(
        "--http-port", type=parse_whole_number, metavar="N", help="AEGIS_HTTP_PORT; 0: a free one"
    )
