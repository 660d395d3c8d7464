"""Arguments of ``aegis refold``."""

from argparse import ArgumentParser

from services.cli.arguments.common import (
    add_data_and_study,
    explain_columns,
    parse_reason,
)
from services.cli.shared.columns import CHANGED_RECORDS, CHANGED_RULES


def add_arguments(parser: ArgumentParser) -> None:
    """Add the reason, without which nothing is written."""
    add_data_and_study(parser)
    parser.add_argument(
        "--reason",
        type=parse_reason,
        metavar="TEXT",
        help="why, for the audit trail; without it nothing is written",
    )
    explain_columns(parser, CHANGED_RECORDS, CHANGED_RULES)
