"""``aegis simulate rule``: a stopping rule under partial follow-up, before its trial begins."""

from argparse import Namespace
from collections.abc import Iterator

from services.cli.command import CommandError
from services.cli.shared.columns import SIMULATION
from services.cli.shared.find_rule import find_rule
from services.cli.shared.open_study import open_study
from services.cli.shared.tables import make_explained_table
from services.cli.shared.terminal_width import print_text
from services.runtime import wire
from services.safety_rules.reports.rule_simulation import Rehearsal, rehearse
from services.vocabulary.protocol import Curve, Rule

_COUNTING_NAMES = {
    "onset_weighted": "follow-up weighted by the onset curve",
    "complete": "wait for completion",
    "linear": "follow-up weighted, linear",
    "everyone_treated": "everyone treated",
    "naive": "event at once, non-event when complete (refused)",
}


def print_rehearsal(args: Namespace) -> int:
    """Print the probability that the rule stops, for every way of counting.

    Raises:
        CommandError: The study cannot be read, has no such rule, or an argument is out of range.
    """
    protocol = open_study(args).rules.protocol
    rule = find_rule(protocol, args.rule)
    p0 = rule.stop_when.p0
    try:
        rehearsal = rehearse(
            rule,
            rates=args.rates or (p0, min(2 * p0, 1.0)),
            onset=args.onset,
            accrual_days=args.accrual_days,
            window_days=args.window_days,
            trials=args.trials,
            seed=args.seed,
        )
    except ValueError as error:
        raise CommandError(f"--{error}") from error
    if args.json:
        print(wire.write_canonical({"protocol": protocol.label, "rehearsal": rehearsal}))
    else:
        print_text("\n".join(_describe_rehearsal(rehearsal, rule, protocol.label)))
    return 0


def _describe_rehearsal(rehearsal: Rehearsal, rule: Rule, label: str) -> Iterator[str]:
    course = rehearsal.course
    shortest, longest = course.window_days
    window = f"{shortest:g}" if shortest == longest else f"{shortest:g} to {longest:g}"
    yield (
        f"{rule.id}  {rule.title}: n {rule.stop_when.n}, p0 {rule.stop_when.p0:g}, nominal alpha"
        f" {rule.stop_when.alpha:g}; {label}"
    )
    yield (
        f"{rehearsal.trials} trials, seed {rehearsal.seed};"
        f" accrual over {course.accrual_days:g} days, window {window} days,"
        f" onset {_describe_curve(course.onset)};"
        f" counted by {_describe_curve(rehearsal.curve)}"
    )
    for rate, exact in rehearsal.exact:
        rows = [
            (
                _COUNTING_NAMES[row.counting] + (" *" if row.is_own else ""),
                f"{row.p_stop:.4f}",
                f"{row.standard_error:.4f}",
                f"{row.mean_enrolled:.1f}",
                f"{row.mean_events:.1f}",
            )
            for row in rehearsal.rows
            if row.rate == rate
        ]
        yield ""
        yield f"event rate {rate:g} (exact, with every window complete: {exact:.4f})"
        yield make_explained_table(SIMULATION, rows)
    yield ""
    yield "*: the rule's own count. +-: standard error of the simulation. Enrolled, events: mean"
    yield "when it stops, or of the whole trial."


def _describe_curve(curve: Curve) -> str:
    return {
        "uniform": "uniform",
        "exponential": f"exponential, mean {curve.mean_days:g} days",
        "weibull": f"Weibull, scale {curve.scale_days:g} days, shape {curve.weibull_shape:g}",
        "table": "by a table",
    }[curve.shape]
