"""Arguments of ``aegis clocks``."""

from argparse import ArgumentParser

from services.cli.arguments.common import (
    add_data_and_study,
    add_json,
    add_reason,
    explain_columns,
    parse_instant,
)
from services.cli.shared.columns import CLOCKS

_KINDS = ("24h", "7d", "15d")


def add_arguments(parser: ArgumentParser) -> None:
    """Add list, start, close and set."""
    words = parser.add_subparsers(dest="word", required=True, metavar="list|start|close|set")
    meaning = "clocks that run, the first due first, and records that may be serious"
    word = words.add_parser("list", help=meaning, description=meaning)
    word.add_argument("--all", action="store_true", help="closed ones too")
    add_data_and_study(word)
    add_json(word)
    explain_columns(word, CLOCKS)
    meaning = "say that a record is serious, and start its clocks"
    word = words.add_parser("start", help=meaning, description=meaning)
    _add_record(word)
    word.add_argument(
        "--clock", action="append", required=True, choices=_KINDS, help="may be given several times"
    )
    word.add_argument(
        "--aware-at",
        type=parse_instant,
        required=True,
        metavar="T",
        help="when awareness began, from which they run: 2026-06-01T09:00Z",
    )
    meaning = "close a clock: the report was made, or why there is none"
    word = words.add_parser("close", help=meaning, description=meaning)
    _add_record(word)
    word.add_argument("--clock", required=True, choices=_KINDS, help="which of the record's")
    meaning = "say whether a record is serious, without a clock"
    word = words.add_parser("set", help=meaning, description=meaning)
    _add_record(word)
    word.add_argument("seriousness", choices=("serious", "not-serious"))


def _add_record(word: ArgumentParser) -> None:
    word.add_argument("record", metavar="RECORD", help="how its id begins: `aegis records`")
    add_data_and_study(word)
    add_reason(word)
