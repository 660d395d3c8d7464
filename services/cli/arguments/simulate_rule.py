"""Arguments of ``aegis simulate rule``."""

import math
from argparse import ArgumentParser, ArgumentTypeError
from pathlib import Path

from services.cli.arguments.common import add_json, explain_columns
from services.cli.arguments.numbers import parse_number, parse_numbers
from services.cli.arguments.trial_course import CURVES, add_trial_course, parse_curve
from services.cli.shared.columns import SENSITIVITY, SIMULATION, SIZED_DESIGNS

_PAIR = 2


def add_arguments(parser: ArgumentParser) -> None:
    """Add the rule, how events come and how participants enter."""
    parser.add_argument("study", type=Path, metavar="STUDY", help="folder, studies/blina-hsct")
    parser.add_argument("rule", metavar="RULE", help="e.g. BLINA-HSCT.S1")
    parser.add_argument(
        "--window-days", type=parse_days, required=True, metavar="D",
        help="how long a participant's window lasts, 30, or from 10 to 40: 10-40",
    )  # fmt: skip
    parser.add_argument(
        "--onset", type=parse_curve, metavar="CURVE",
        help=f"how soon events really come: {CURVES}; default: as the rule's own curve says",
    )  # fmt: skip
    parser.add_argument(
        "--rates", type=parse_numbers, metavar="P,...", help="default: the rule's p0, and twice p0"
    )
    add_trial_course(parser)
    choice = parser.add_mutually_exclusive_group()
    choice.add_argument(
        "--sensitivity", action="store_true",
        help="other priors and other onsets in one table, by the rule's own count",
    )  # fmt: skip
    choice.add_argument(
        "--target", type=parse_power, metavar="power=P",
        help="the fewest planned participants with this power at --p1, for several priors and each"
        " of --alphas; of a rule that counts participants",
    )  # fmt: skip
    parser.add_argument(
        "--p1", type=parse_number, metavar="P", help="with --target: the rate of that power"
    )
    parser.add_argument(
        "--alphas", type=parse_numbers, default=(), metavar="A,...",
        help="with --target: nominal errors (default: the rule's, and twice as much)",
    )  # fmt: skip
    add_json(parser, "everything, as one JSON object")
    explain_columns(parser, SIMULATION, SENSITIVITY, SIZED_DESIGNS)


def parse_days(text: str) -> tuple[float, float]:
    """Return the shortest and the longest time in *text*.

    >>> parse_days("30"), parse_days("10-40")
    ((30.0, 30.0), (10.0, 40.0))
    >>> parse_days("long")
    Traceback (most recent call last):
        ...
    argparse.ArgumentTypeError: 'long' is no number of days like 30, nor a range like 10-40

    Raises:
        ArgumentTypeError: It is neither a number nor a range.
    """
    try:
        ends = [parse_number(part) for part in text.split("-")]
    except ArgumentTypeError:
        ends = []
    if not 1 <= len(ends) <= _PAIR:
        raise ArgumentTypeError(f"{text!r} is no number of days like 30, nor a range like 10-40")
    return ends[0], ends[-1]


def parse_power(text: str) -> float:
    """Return the power in *text*.

    >>> parse_power("power=.8")
    0.8
    >>> parse_power("power=2")
    Traceback (most recent call last):
        ...
    argparse.ArgumentTypeError: 'power=2' is no target like power=.8, above 0 and below 1

    Raises:
        ArgumentTypeError: It says none.
    """
    name, _, number = text.partition("=")
    try:
        power = float(number)
    except ValueError:
        power = math.nan
    if name != "power" or not 0 < power < 1:
        raise ArgumentTypeError(f"{text!r} is no target like power=.8, above 0 and below 1")
    return power
