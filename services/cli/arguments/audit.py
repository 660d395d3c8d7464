"""Arguments of ``aegis audit``."""

from argparse import ArgumentParser
from pathlib import Path

from services.cli.arguments.common import (
    add_data_and_study,
    add_json,
    explain_columns,
    parse_instant,
)
from services.cli.shared.columns import ACTS


def add_arguments(parser: ArgumentParser) -> None:
    """Add what the acts have to be about, and the file to export them to."""
    add_data_and_study(parser)
    parser.add_argument("--record", metavar="RECORD", help="about this record: how its id begins")
    parser.add_argument("--participant", metavar="P", help="about this one")
    parser.add_argument("--person", metavar="ID", help="of this person")
    parser.add_argument(
        "--since", type=parse_instant, metavar="T", help="of then and later, 2026-06-01T00:00Z"
    )
    parser.add_argument(
        "--export",
        type=Path,
        metavar="FILE",
        help="write them to FILE.csv or FILE.jsonl, with the head of the sealed trail",
    )
    add_json(parser, "an act to a line, as JSON")
    explain_columns(parser, ACTS)
