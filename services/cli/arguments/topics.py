"""Arguments of ``aegis topics``."""

from argparse import ArgumentParser

from services.cli.arguments.common import add_json, add_study, explain_columns
from services.cli.shared.columns import TOPICS


def add_arguments(parser: ArgumentParser) -> None:
    """Add what to do about missing topics, and the form of the answer."""
    parser.add_argument("--create", action="store_true", help="make the topics that are missing")
    add_study(parser)
    add_json(parser, "each difference, as JSON lines")
    explain_columns(parser, TOPICS)
