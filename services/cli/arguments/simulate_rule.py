"""Arguments of ``aegis simulate rule``."""

from argparse import ArgumentParser, ArgumentTypeError
from pathlib import Path

from services.cli.arguments.common import add_json, explain_columns
from services.cli.arguments.numbers import parse_number, parse_numbers
from services.cli.shared.columns import SIMULATION
from services.vocabulary.protocol import Curve

_PAIR = 2
_CURVES = (
    "uniform, exponential:MEAN_DAYS, weibull:SCALE_DAYS,SHAPE or table:DAY=PART,...,"
    " e.g. exponential:5 or table:2=0.5,7=1"
)


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
        help=f"how soon events really come: {_CURVES}; default: as the rule's own curve says",
    )  # fmt: skip
    parser.add_argument(
        "--accrual-days", type=parse_number, default=365.0, metavar="D",
        help="days over which the n enter, uniformly (default 365)",
    )  # fmt: skip
    parser.add_argument(
        "--rates", type=parse_numbers, metavar="P,...", help="default: the rule's p0, and twice p0"
    )
    parser.add_argument("--trials", type=int, default=10_000, metavar="N", help="default 10000")
    parser.add_argument("--seed", type=int, default=7, metavar="N", help="default 7")
    add_json(parser, "everything, as one JSON object")
    explain_columns(parser, SIMULATION)


def parse_curve(text: str) -> Curve:
    """Return the onset curve that *text* names.

    >>> parse_curve("exponential:5").mean_days
    5.0
    >>> parse_curve("soon")
    Traceback (most recent call last):
        ...
    argparse.ArgumentTypeError: 'soon' is none of uniform, exponential:MEAN_DAYS, \
weibull:SCALE_DAYS,SHAPE or table:DAY=PART,..., e.g. exponential:5 or table:2=0.5,7=1

    Raises:
        ArgumentTypeError: It names none.
    """
    shape, _, parameters = text.partition(":")
    try:
        if shape == "uniform" and not parameters:
            return Curve("uniform")
        if shape == "exponential":
            return Curve("exponential", mean_days=parse_number(parameters))
        if shape == "weibull":
            scale, exponent = map(parse_number, parameters.split(","))
            return Curve("weibull", scale_days=scale, weibull_shape=exponent)
        if shape == "table":
            pairs = [part.split("=") for part in parameters.split(",")]
            return Curve(
                "table", points=tuple((parse_number(at), parse_number(part)) for at, part in pairs)
            )
    except (ValueError, ArgumentTypeError):
        pass
    raise ArgumentTypeError(f"{text!r} is none of {_CURVES}")


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
