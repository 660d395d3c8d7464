"""Arguments of ``aegis assess``."""

from argparse import ArgumentParser

from services.cli.arguments.common import (
    as_of_argument,
    explain_columns,
    json_argument,
    study_argument,
)
from services.cli.shared.columns import RECORDS, RULES


def add_arguments(parser: ArgumentParser) -> None:
    """Add the file of facts, as of when, and in which form."""
    parser.add_argument("file", metavar="FACTS.ndjson", help="facts, one to a line; - is stdin")
    study_argument(parser)
    as_of_argument(parser)
    json_argument(parser, "everything, as one JSON object")
    explain_columns(parser, RECORDS, RULES)
