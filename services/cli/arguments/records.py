"""Arguments of ``aegis records``."""

from argparse import ArgumentParser

from services.cli.arguments.common import (
    add_as_of,
    add_data_and_study,
    add_participant,
    explain_columns,
)
from services.cli.shared.columns import RECORDS


def add_arguments(parser: ArgumentParser) -> None:
    """Add which records, as of when, and in which form."""
    add_data_and_study(parser)
    add_participant(parser)
    add_as_of(parser)
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
