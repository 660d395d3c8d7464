"""Arguments of ``aegis alerts``."""

from argparse import ArgumentParser, ArgumentTypeError, _SubParsersAction
from datetime import timedelta

from services.cli.arguments.common import (
    add_data_and_study,
    add_json,
    add_reason,
    add_study,
    explain_columns,
)
from services.cli.arguments.numbers import parse_whole_number
from services.cli.shared.columns import ACKNOWLEDGEMENTS, ALERTS, DELIVERIES, ROUTES
from services.vocabulary.number_text import parse_whole_number as parse_count

_MOST_HOURS = 10_000


def add_arguments(parser: ArgumentParser) -> None:
    """Add list, show, and what a person can do about an alert."""
    words = parser.add_subparsers(
        dest="word", required=True, metavar="list|show|ack|snooze|escalate|route|revoke-links"
    )
    meaning = "open alerts, the oldest first"
    word = words.add_parser("list", help=meaning, description=meaning)
    word.add_argument("--all", action="store_true", help="retracted and acknowledged ones too")
    add_data_and_study(word)
    add_json(word)
    explain_columns(word, ALERTS)
    word = _add_word(words, "show", "what one alert says, who was told, and who has seen it")
    add_json(word, "everything, as one JSON object")
    explain_columns(word, ACKNOWLEDGEMENTS, DELIVERIES)
    word = _add_word(words, "ack", "say that you have seen it")
    word.add_argument(
        "--version",
        type=parse_whole_number,
        metavar="N",
        help="as it was shown: refused when it changed",
    )
    word.add_argument("--comment", default="", metavar="TEXT", help="kept with it")
    word = _add_word(words, "snooze", "no reminder for a while; never of a study alert")
    word.add_argument(
        "--for", dest="time", type=parse_hours, required=True, metavar="H", help="hours, e.g. 12h"
    )
    add_reason(word)
    word = _add_word(words, "escalate", "have the next role told now")
    word.add_argument("--to", default="", metavar="ROLE", help="this role, not the next one")
    add_reason(word)
    meaning = "who would be told of the alerts that facts raise; nothing is stored"
    word = words.add_parser("route", help=meaning, description=meaning)
    word.add_argument(
        "--what-if",
        required=True,
        metavar="FACTS.ndjson",
        help="facts, one to a line; - is stdin",
    )
    add_study(word)
    add_json(word)
    explain_columns(word, ROUTES)
    meaning = "end the links that somebody was sent"
    word = words.add_parser("revoke-links", help=meaning, description=meaning)
    word.add_argument("recipient", metavar="RECIPIENT", help="as recipients.yaml calls them")
    add_data_and_study(word)
    add_reason(word)


def parse_hours(text: str) -> timedelta:
    """Return a time of whole hours or days.

    >>> parse_hours("12h"), parse_hours("2d")
    (datetime.timedelta(seconds=43200), datetime.timedelta(days=2))
    >>> parse_hours("soon")
    Traceback (most recent call last):
        ...
    argparse.ArgumentTypeError: 'soon' is no time like 12h or 2d

    Raises:
        ArgumentTypeError: It is something else.
    """
    count = parse_count(text[:-1])
    unit = {"h": timedelta(hours=1), "d": timedelta(days=1)}.get(text[-1:])
    if count is None or unit is None or count > _MOST_HOURS:
        raise ArgumentTypeError(f"{text!r} is no time like 12h or 2d")
    return count * unit


def _add_word(
    words: "_SubParsersAction[ArgumentParser]", name: str, meaning: str
) -> ArgumentParser:
    """Return the new command *name*, which is told of one alert."""
    word = words.add_parser(name, help=meaning, description=meaning)
    word.add_argument("alert", metavar="ALERT", help="its four letters, or how its id begins")
    add_data_and_study(word)
    return word
