"""``aegis simulate rule``: a stopping rule under partial follow-up, before its trial begins."""

from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Iterator
from pathlib import Path

from services.cli.command import CommandError
from services.cli.shared.open_study import open_study
from services.cli.shared.tables import table
from services.runtime import wire
from services.safety_rules.inquiries.rule_simulation import Rehearsal, rehearse
from services.vocabulary.protocol import Curve, Rule

_PAIR = 2
_CURVES = (
    "uniform, exponential:MEAN_DAYS, weibull:SCALE_DAYS,SHAPE or table:DAY=PART,...,"
    " e.g. exponential:5 or table:2=0.5,7=1"
)
_COUNTED = {
    "onset_weighted": "follow-up weighted by the onset curve",
    "complete": "wait for completion",
    "linear": "follow-up weighted, linear",
    "everyone_treated": "everyone treated",
    "naive": "event at once, non-event when complete (refused)",
}


def arguments(parser: ArgumentParser) -> None:
    """Say what a rehearsal can be told."""
    parser.add_argument("study", type=Path, metavar="STUDY", help="folder, studies/blina-hsct")
    parser.add_argument("rule", metavar="RULE", help="e.g. BLINA-HSCT.S1")
    parser.add_argument(
        "--window", type=days, required=True, metavar="DAYS",
        help="how long a participant's window lasts, 30, or from 10 to 40: 10-40",
    )  # fmt: skip
    parser.add_argument(
        "--onset", type=curve, metavar="CURVE",
        help=f"how soon events really come: {_CURVES}; default: as the rule's own curve says",
    )  # fmt: skip
    parser.add_argument("--accrual", type=float, default=365.0, metavar="DAYS", help="default 365")
    parser.add_argument(
        "--rates", type=numbers, metavar="P,...", help="default: the rule's p0, and twice p0"
    )
    parser.add_argument("--trials", type=int, default=10_000, metavar="N", help="default 10000")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--json", action="store_true")


def simulate_rule(args: Namespace) -> int:
    """Print how often the rule stops, for every way of counting.

    Raises:
        CommandError: The study cannot be read, has no such rule, or an argument is out of range.
    """
    protocol = open_study(args).rules.protocol
    rule = next((one for one in protocol.rules if one.id == args.rule), None)
    if rule is None:
        known = ", ".join(one.id for one in protocol.rules)
        raise CommandError(f"RULE must be one of {known}, not {args.rule}")
    p0 = rule.stop_when.p0
    try:
        found = rehearse(
            rule,
            rates=args.rates or (p0, min(2 * p0, 1.0)),
            onset=args.onset,
            accrual_days=args.accrual,
            window_days=args.window,
            trials=args.trials,
            seed=args.seed,
        )
    except ValueError as error:
        raise CommandError(f"--{error}") from error
    if args.json:
        print(wire.canonical({"protocol": protocol.label, "rehearsal": found}))
    else:
        print("\n".join(_readable(found, rule, protocol.label)))
    return 0


def _readable(found: Rehearsal, rule: Rule, label: str) -> Iterator[str]:
    course = found.course
    shortest, longest = course.window_days
    window = f"{shortest:g}" if shortest == longest else f"{shortest:g} to {longest:g}"
    yield (
        f"{rule.id}  {rule.title}: n {rule.stop_when.n}, p0 {rule.stop_when.p0:g}, nominal alpha"
        f" {rule.stop_when.alpha:g}; {label}"
    )
    yield (
        f"{found.trials} trials, seed {found.seed}; accrual over {course.accrual_days:g} days,"
        f" window {window} days, onset {_curve_words(course.onset)};"
        f" counted by {_curve_words(found.curve)}"
    )
    for rate, exact in found.exact:
        rows = [
            (
                _COUNTED[row.counting] + (" *" if row.is_own else ""),
                f"{row.p_stop:.4f}",
                f"{row.standard_error:.4f}",
                f"{row.mean_enrolled:.1f}",
                f"{row.mean_events:.1f}",
            )
            for row in found.rows
            if row.rate == rate
        ]
        yield ""
        yield f"event rate {rate:g} (exact, with every window complete: {exact:.4f})"
        yield table(("counting", "P(stop)", "+-", "enrolled", "events"), rows)
    yield ""
    yield "*: the rule's own count. +-: standard error of the simulation. Enrolled, events: mean"
    yield "when it stops, or of the whole trial."


def _curve_words(of: Curve) -> str:
    return {
        "uniform": "uniform",
        "exponential": f"exponential, mean {of.mean_days:g} days",
        "weibull": f"Weibull, scale {of.scale_days:g} days, shape {of.weibull_shape:g}",
        "table": "by a table",
    }[of.shape]


def curve(text: str) -> Curve:
    """Return the onset curve that *text* names.

    >>> curve("exponential:5").mean_days
    5.0
    >>> curve("soon")
    Traceback (most recent call last):
        ...
    argparse.ArgumentTypeError: 'soon' is none of uniform, exponential:MEAN_DAYS, \
weibull:SCALE_DAYS,SHAPE or table:DAY=PART,..., e.g. exponential:5 or table:2=0.5,7=1

    Raises:
        ArgumentTypeError: It names none.
    """
    shape, _, rest = text.partition(":")
    try:
        if shape == "uniform" and not rest:
            return Curve("uniform")
        if shape == "exponential":
            return Curve("exponential", mean_days=float(rest))
        if shape == "weibull":
            scale, exponent = map(float, rest.split(","))
            return Curve("weibull", scale_days=scale, weibull_shape=exponent)
        if shape == "table":
            pairs = [part.split("=") for part in rest.split(",")]
            return Curve("table", points=tuple((float(at), float(part)) for at, part in pairs))
    except ValueError:
        pass
    raise ArgumentTypeError(f"{text!r} is none of {_CURVES}")


def days(text: str) -> tuple[float, float]:
    """Return the shortest and the longest time in *text*.

    >>> days("30"), days("10-40")
    ((30.0, 30.0), (10.0, 40.0))
    >>> days("long")
    Traceback (most recent call last):
        ...
    argparse.ArgumentTypeError: 'long' is no number of days like 30, nor a range like 10-40

    Raises:
        ArgumentTypeError: It is neither a number nor a range.
    """
    try:
        ends = [float(part) for part in text.split("-")]
    except ValueError:
        ends = []
    if not 1 <= len(ends) <= _PAIR:
        raise ArgumentTypeError(f"{text!r} is no number of days like 30, nor a range like 10-40")
    return ends[0], ends[-1]


def numbers(text: str) -> tuple[float, ...]:
    """Return the numbers in *text*.

    >>> numbers(".2,.4")
    (0.2, 0.4)

    Raises:
        ArgumentTypeError: One of them is none.
    """
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is no list of numbers like .2,.4") from None
