"""Arguments of ``aegis simulate``."""

from argparse import ArgumentParser
from pathlib import Path

from services.cli.arguments import simulate_protocol, simulate_rule
from services.cli.arguments.numbers import parse_whole_number


def add_arguments(parser: ArgumentParser) -> None:
    """Add trial, rule and protocol."""
    words = parser.add_subparsers(dest="word", required=True, metavar="trial|rule|protocol")
    meaning = "as HL7 v2 messages, with its answer key"
    word = words.add_parser("trial", help=meaning, description=meaning)
    word.add_argument(
        "--participants", type=parse_whole_number, default=40, metavar="N", help="default 40"
    )
    word.add_argument("--seed", type=parse_whole_number, default=7, metavar="N", help="default 7")
    word.add_argument(
        "--days",
        type=parse_whole_number,
        metavar="N",
        help="followed after the first dose (to day 103)",
    )
    word.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder to write to")
    meaning = "how often a stopping rule stops, before the trial begins"
    word = words.add_parser("rule", help=meaning, description=meaning)
    simulate_rule.add_arguments(word)
    meaning = "how often the rules of a protocol stop the same trials, each and together"
    word = words.add_parser("protocol", help=meaning, description=meaning)
    simulate_protocol.add_arguments(word)
