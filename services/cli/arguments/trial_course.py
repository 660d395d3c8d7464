"""Arguments of the commands that simulate trials: how participants enter, and what befalls them."""

from argparse import ArgumentParser, ArgumentTypeError

from services.cli.arguments.numbers import parse_number, parse_whole_number
from services.vocabulary.protocol import Curve

CURVES = (
    "uniform, exponential:MEAN_DAYS, weibull:SCALE_DAYS,SHAPE or table:DAY=PART,...,"
    " e.g. exponential:5 or table:2=0.5,7=1"
)


def add_trial_course(parser: ArgumentParser) -> None:
    """Add accrual, sites, competing events, dropout, reports and the number of trials."""
    parser.add_argument(
        "--accrual-days", type=parse_number, default=365.0, metavar="D",
        help="days over which the n enter (default 365)",
    )  # fmt: skip
    parser.add_argument(
        "--accrual", type=parse_curve, default=Curve("uniform"), metavar="CURVE",
        help="share that has entered by each of those days (default uniform)",
    )  # fmt: skip
    parser.add_argument(
        "--sites", type=parse_whole_number, default=1, metavar="N", help="that enrol, default 1"
    )
    parser.add_argument(
        "--site-gap-days", type=parse_number, metavar="D",
        help="days from the opening of one site to that of the next (default 0)",
    )  # fmt: skip
    parser.add_argument(
        "--competing", type=parse_number, default=0.0, metavar="P",
        help="probability of a competing event within the window (default 0)",
    )  # fmt: skip
    parser.add_argument(
        "--competing-onset", type=parse_curve, metavar="CURVE",
        help="how soon competing events come (default uniform)",
    )  # fmt: skip
    parser.add_argument(
        "--dropout", type=parse_number, default=0.0, metavar="P",
        help="probability that follow-up ends within the window (default 0)",
    )  # fmt: skip
    parser.add_argument(
        "--report-delay-days", type=parse_number, default=0.0, metavar="D",
        help="mean days from an event to its report (default 0: at once)",
    )  # fmt: skip
    parser.add_argument(
        "--false-reports", type=parse_number, default=0.0, metavar="P",
        help="probability that an event is reported that was none (default 0)",
    )  # fmt: skip
    parser.add_argument(
        "--false-report-days", type=parse_number, metavar="D",
        help="days until such a report is corrected (default 30)",
    )  # fmt: skip
    parser.add_argument(
        "--trials", type=parse_whole_number, default=10_000, metavar="N", help="default 10000"
    )
    parser.add_argument("--seed", type=parse_whole_number, default=7, metavar="N", help="default 7")


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
            return Curve("exponential", mean_days=float(parameters))
        if shape == "weibull":
            scale, exponent = map(float, parameters.split(","))
            return Curve("weibull", scale_days=scale, weibull_shape=exponent)
        if shape == "table":
            pairs = [part.split("=") for part in parameters.split(",")]
            return Curve("table", points=tuple((float(at), float(part)) for at, part in pairs))
    except ValueError:
        pass
    raise ArgumentTypeError(f"{text!r} is none of {CURVES}")
