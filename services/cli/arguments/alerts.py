"""Arguments of ``aegis alerts``."""

from argparse import ArgumentParser

from services.cli.arguments.common import (
    add_actor,
    add_data_and_study,
    add_json,
    explain_columns,
)
from services.cli.arguments.numbers import parse_whole_number
from services.cli.shared.columns import ALERTS, DELIVERIES


def add_arguments(parser: ArgumentParser) -> None:
    """Add list, show and ack."""
    words = parser.add_subparsers(dest="word", required=True, metavar="list|show|ack")
    meaning = "open alerts, the oldest first"
    word = words.add_parser("list", help=meaning, description=meaning)
    word.add_argument("--all", action="store_true", help="retracted and acknowledged ones too")
    add_data_and_study(word)
    add_json(word)
    explain_columns(word, ALERTS)
    for name, meaning in (
        ("show", "what one alert says, and who was told"),
        ("ack", "say that you have seen it"),
    ):
        word = words.add_parser(name, help=meaning, description=meaning)
        word.add_argument("alert", metavar="ALERT", help="its four letters, or how its id begins")
        add_data_and_study(word)
        if name == "show":
            add_json(word, "everything, as one JSON object")
            explain_columns(word, DELIVERIES)
        else:
            word.add_argument(
                "--version",
                type=parse_whole_number,
                metavar="N",
                help="as it was shown: refused when it changed",
            )
            word.add_argument("--comment", default="", metavar="TEXT", help="kept with it")
            add_actor(word)
