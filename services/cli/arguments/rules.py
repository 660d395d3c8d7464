"""Arguments of ``aegis rules``."""

from argparse import ArgumentParser

from services.cli.arguments.common import (
    as_of_argument,
    data_arguments,
    explain_columns,
    json_argument,
)
from services.cli.shared.columns import RULES, RULES_SITES


def add_arguments(parser: ArgumentParser) -> None:
    """Add status and sites."""
    words = parser.add_subparsers(dest="word", required=True, metavar="status|sites")
    meaning = "what every stopping rule says"
    word = words.add_parser("status", help=meaning, description=meaning)
    data_arguments(word)
    as_of_argument(word)
    json_argument(word)
    explain_columns(word, RULES)
    meaning = "each site beside the rest, for the safety officer: names sites, not for the DSMB"
    word = words.add_parser("sites", help=meaning, description=meaning)
    data_arguments(word)
    as_of_argument(word)
    json_argument(word, "everything, as one JSON object")
    explain_columns(word, RULES_SITES)
