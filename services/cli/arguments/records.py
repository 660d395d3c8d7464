"""Arguments of ``aegis records``."""

from argparse import ArgumentParser

from services.cli.arguments.common import (
    as_of_argument,
    data_arguments,
    explain_columns,
    participant_argument,
)
from services.cli.shared.columns import RECORDS


def add_arguments(parser: ArgumentParser) -> None:
    """Add which records, as of when, and in which form."""
    data_arguments(parser)
    participant_argument(parser)
    as_of_argument(parser)
    forms = parser.add_mutually_exclusive_group()
    forms.add_argument(
        "--canonical", action="store_true", help="sorted JSON lines of the current content"
    )
    forms.add_argument(
        "--history", action="store_true", help="every version, with ids (JSON lines)"
    )
    forms.add_argument(
        "--json", action="store_true", help="each record of the table, with its id (JSON lines)"
    )
    explain_columns(parser, RECORDS)
