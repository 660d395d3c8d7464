"""``aegis arms``: is a harm more frequent in one arm of a randomised study than in the other?"""

from argparse import Namespace
from collections.abc import Iterator

from services.cli.command import CommandError
from services.cli.shared.columns import ARMS
from services.cli.shared.refused_argument import refuse_argument
from services.cli.shared.tables import format_p_value, make_explained_table
from services.cli.shared.terminal_width import print_text
from services.runtime.canonical_json import write_canonical
from services.safety_rules.reports.arms import Arm, ArmComparison, compare_arms
from services.vocabulary.spelled_numbers import spell_number, spell_numbers

_PAIR = 2


def perform(args: Namespace) -> int:
    """Print difference and ratio with exact intervals, and the probability of harm.

    Raises:
        CommandError: An argument is out of range; says which.
    """
    if len(args.prior) != _PAIR:
        raise CommandError(
            f"--prior must be two numbers like 0.5,0.5, not {spell_numbers(args.prior)}"
        )
    try:
        comparison = compare_arms(
            Arm(*args.treated),
            Arm(*args.control),
            confidence=args.confidence,
            prior=args.prior,
            theta=args.theta,
        )
    except ValueError as error:
        raise refuse_argument(args, error) from error
    if args.json:
        print(write_canonical(comparison))
    else:
        print_text("\n".join(_describe_comparison(comparison)))
    return 0


def _describe_comparison(comparison: ArmComparison) -> Iterator[str]:
    treated, control = comparison.treated, comparison.control
    yield (
        f"{treated.events} of {treated.participants} ({treated.rate:.1%}) against"
        f" {control.events} of {control.participants} ({control.rate:.1%})"
    )
    yield make_explained_table(
        ARMS,
        [
            (name, *(_format(number) for number in (one.value, one.low, one.high)))
            for name, one in (("difference", comparison.difference), ("ratio", comparison.ratio))
        ],
    )
    yield f"Intervals: exact, {spell_number(comparison.confidence)} confidence (Chan and Zhang)."
    yield f"p {format_p_value(comparison.p_value)}, one-sided, exact unconditional."
    a, b = comparison.prior
    yield (
        f"Probability that the first arm's rate is higher: {comparison.p_harm:.1%}"
        f" (Beta({a:g}, {b:g}) prior of each rate)."
    )
    bound = comparison.harm_bound
    yield (
        f"Harm bound: it is {comparison.theta:.1%} or more from "
        + (f"{bound} events of the first arm's {treated.participants} on." if bound is not None
           else "no number of events of the first arm on.")
    )  # fmt: skip


def _format(number: float | None) -> str:
    return "-" if number is None else f"{number:.4f}"
