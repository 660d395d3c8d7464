"""Arguments of ``aegis refold``."""

from argparse import ArgumentParser

from services.cli.arguments.common import by_argument, data_arguments, explain_columns
from services.cli.shared.columns import CHANGED_RECORDS, CHANGED_RULES


def add_arguments(parser: ArgumentParser) -> None:
    """Add the reason, without which nothing is written."""
    data_arguments(parser)
    parser.add_argument(
        "--reason", metavar="TEXT", help="why, for the audit trail; without it nothing is written"
    )
    by_argument(parser)
    explain_columns(parser, CHANGED_RECORDS, CHANGED_RULES)
