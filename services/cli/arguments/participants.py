"""Arguments of ``aegis participants``."""

from argparse import ArgumentParser
from pathlib import Path

from services.cli.arguments.common import (
    add_data_and_study,
    add_json,
    explain_columns,
)
from services.cli.shared.columns import PARTICIPANTS

# Columns of the file: those of services.ingest.enrolment, which takes long to load.
FILE_COLUMNS = (
    *("participant", "site", "authority", "identifier_type", "identifier", "transplant_at"),
    *("donor", "sex", "birth_year", "weight_kg", "enrolled_at"),
)
_MAY_BE_EMPTY = "identifier_type, transplant_at, donor, sex, birth_year and weight_kg may be empty"


def add_arguments(parser: ArgumentParser) -> None:
    """Add import and list."""
    words = parser.add_subparsers(dest="word", required=True, metavar="import|list")
    word = words.add_parser(
        "import",
        help="from a CSV file",
        description=f"Columns: {', '.join(FILE_COLUMNS)}; {_MAY_BE_EMPTY}.",
    )
    word.add_argument("file", type=Path, metavar="FILE.csv")
    add_data_and_study(word)
    word = words.add_parser("list", help="everybody", description="everybody")
    add_data_and_study(word)
    add_json(word)
    explain_columns(word, PARTICIPANTS)
