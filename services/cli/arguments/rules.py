"""Arguments of ``aegis rules``."""

from argparse import ArgumentParser

from services.cli.arguments.common import (
    add_as_of,
    add_data_and_study,
    add_json,
    explain_columns,
)
from services.cli.shared.columns import RULES, RULES_SITES


def add_arguments(parser: ArgumentParser) -> None:
    """Add status and sites."""
    words = parser.add_subparsers(dest="word", required=True, metavar="status|sites")
    meaning = "what every stopping rule says"
    word = words.add_parser("status", help=meaning, description=meaning)
    add_data_and_study(word)
    add_as_of(word)
    add_json(word)
    explain_columns(word, RULES)
    meaning = "each site beside the rest, for the safety officer: names sites, not for the DSMB"
    word = words.add_parser("sites", help=meaning, description=meaning)
    add_data_and_study(word)
    add_as_of(word)
    add_json(word, "everything, as one JSON object")
    explain_columns(word, RULES_SITES)
