"""Arguments of ``aegis determine``."""

from argparse import ArgumentParser

from services.cli.arguments.common import (
    add_data_and_study,
    add_password_file,
    add_reason,
    add_seen_hash,
)
from services.vocabulary.judgement import Answer


def add_arguments(parser: ArgumentParser) -> None:
    """Add the rule, the answer and its reason."""
    parser.add_argument("rule", metavar="RULE", help="e.g. BLINA-HSCT.S1")
    parser.add_argument("answer", choices=[str(answer) for answer in Answer])
    add_reason(parser)
    add_seen_hash(parser, "`aegis rules status --json`")
    add_password_file(parser)
    add_data_and_study(parser)
