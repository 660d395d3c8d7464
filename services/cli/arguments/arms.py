"""Arguments of ``aegis arms``."""

import re
from argparse import ArgumentParser, ArgumentTypeError

from services.cli.arguments.common import add_json, explain_columns
from services.cli.arguments.numbers import parse_number, parse_numbers
from services.cli.shared.columns import ARMS

JEFFREYS = (0.5, 0.5)  # that of services.safety_rules.domain.stopping.two_arms


def add_arguments(parser: ArgumentParser) -> None:
    """Add the counts of the two arms, and what they are judged by."""
    parser.add_argument(
        "treated", type=parse_arm, metavar="EVENTS/OF", help="the arm that is watched: 5/30"
    )
    parser.add_argument("control", type=parse_arm, metavar="EVENTS/OF", help="the other: 2/31")
    parser.add_argument(
        "--confidence",
        type=parse_number,
        default=0.95,
        metavar="C",
        help="of the intervals, default 0.95",
    )
    parser.add_argument(
        "--prior", type=parse_numbers, default=JEFFREYS, metavar="a,b",
        help="beta prior of each arm's rate (default 0.5,0.5)",
    )  # fmt: skip
    parser.add_argument(
        "--theta", type=parse_number, default=0.95, metavar="P",
        help="probability of harm that the harm bound reaches (default 0.95)",
    )  # fmt: skip
    add_json(parser, "everything, as one JSON object")
    explain_columns(parser, ARMS)


def parse_arm(text: str) -> tuple[int, int]:
    """Return the events and the participants in *text*.

    >>> parse_arm("5/30")
    (5, 30)
    >>> parse_arm("5 of 30")
    Traceback (most recent call last):
        ...
    argparse.ArgumentTypeError: '5 of 30' is no number of events and of participants like 5/30

    Raises:
        ArgumentTypeError: It is neither.
    """
    if not re.fullmatch(r"[0-9]{1,9}/[0-9]{1,9}", text):
        raise ArgumentTypeError(f"{text!r} is no number of events and of participants like 5/30")
    events, participants = text.split("/")
    return int(events), int(participants)
