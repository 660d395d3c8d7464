"""Arguments of ``aegis verify``."""

from argparse import ArgumentParser

from services.cli.arguments.common import add_data_and_study, add_json


def add_arguments(parser: ArgumentParser) -> None:
    """Add which data, and what is known of them from before."""
    parser.add_argument(
        "--anchor",
        metavar="HEAD",
        help="head of the audit trail, as an earlier `aegis verify` printed it: a database that is"
        " older, or has another history, is a finding",
    )
    add_data_and_study(parser)
    add_json(parser, "each finding, then how much there is, as JSON lines")
