"""Arguments of ``aegis participants``."""

from argparse import ArgumentParser
from pathlib import Path

from services.cli.arguments.common import (
    by_argument,
    data_arguments,
    explain_columns,
    json_argument,
)
from services.cli.shared.columns import PARTICIPANTS

# Columns of the file: those of services.ingest.enrolment, which takes long to load.
IMPORTED = (
    *("participant", "site", "authority", "identifier_type", "identifier", "transplant_at"),
    *("donor", "sex", "birth_year", "weight_kg", "enrolled_at"),
)


def add_arguments(parser: ArgumentParser) -> None:
    """Add import and list."""
    words = parser.add_subparsers(dest="word", required=True, metavar="import|list")
    word = words.add_parser(
        "import", help="from a CSV file", description=f"Columns: {', '.join(IMPORTED)}."
    )
    word.add_argument("file", type=Path, metavar="FILE.csv")
    by_argument(word)
    data_arguments(word)
    word = words.add_parser("list", help="everybody", description="everybody")
    data_arguments(word)
    json_argument(word)
    explain_columns(word, PARTICIPANTS)
