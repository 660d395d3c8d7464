"""Arguments of ``aegis regrade``."""

from argparse import ArgumentParser

from services.cli.arguments.common import data_arguments, explain_columns, json_argument
from services.cli.shared.columns import CHANGED_RECORDS, CHANGED_RULES


def add_arguments(parser: ArgumentParser) -> None:
    """Add the other table of criteria."""
    data_arguments(parser)
    parser.add_argument("--to", required=True, metavar="TABLE", help="e.g. ctcae-6.0")
    parser.add_argument("--dry-run", action="store_true", help="show it; nothing is written")
    json_argument(parser, "everything, as one JSON object")
    explain_columns(parser, CHANGED_RECORDS, CHANGED_RULES)
