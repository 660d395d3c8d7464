"""Arguments of ``aegis regrade``."""

from argparse import ArgumentParser

from services.cli.arguments.common import add_data_and_study, add_json, explain_columns
from services.cli.shared.columns import CHANGED_RECORDS, CHANGED_RULES


def add_arguments(parser: ArgumentParser) -> None:
    """Add the other table of criteria."""
    add_data_and_study(parser)
    parser.add_argument("--to", required=True, metavar="TABLE", help="e.g. ctcae-6.0")
    parser.add_argument("--dry-run", action="store_true", help="show it; nothing is written")
    add_json(parser, "everything, as one JSON object")
    explain_columns(parser, CHANGED_RECORDS, CHANGED_RULES)
