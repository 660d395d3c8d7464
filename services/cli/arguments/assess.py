"""Arguments of ``aegis assess``."""

from argparse import ArgumentParser

from services.cli.arguments.common import (
    add_as_of,
    add_json,
    add_study,
    explain_columns,
)
from services.cli.shared.columns import RECORDS, RULES


def add_arguments(parser: ArgumentParser) -> None:
    """Add the file of facts, as of when, and in which form."""
    parser.add_argument("file", metavar="FACTS.ndjson", help="facts, one to a line; - is stdin")
    add_study(parser)
    add_as_of(parser)
    add_json(parser, "everything, as one JSON object")
    explain_columns(parser, RECORDS, RULES)
