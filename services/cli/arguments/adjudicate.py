"""Arguments of ``aegis adjudicate``."""

from argparse import ArgumentParser

from services.cli.arguments.common import (
    add_data_and_study,
    add_password_file,
    add_reason,
    add_seen_hash,
)
from services.cli.arguments.numbers import parse_whole_number
from services.vocabulary.judgement import Verdict


def add_arguments(parser: ArgumentParser) -> None:
    """Add the record, the verdict and its reason."""
    parser.add_argument("record", metavar="RECORD", help="its id, or how it begins")
    parser.add_argument("verdict", choices=[str(verdict) for verdict in Verdict])
    add_reason(parser)
    parser.add_argument(
        "--grade", type=parse_whole_number, choices=range(1, 6), help="with regrade"
    )
    parser.add_argument("--cause", default="", help="with attribute")
    add_seen_hash(parser, "`aegis explain --json`")
    add_password_file(parser)
    add_data_and_study(parser)
