"""``aegis simulate rule``: a stopping rule under partial follow-up, before its trial begins."""

from argparse import Namespace
from collections.abc import Iterator

from services.cli.command import CommandError
from services.cli.shared.columns import SIMULATED
from services.cli.shared.open_study import open_study
from services.cli.shared.tables import explained_table
from services.runtime import wire
from services.safety_rules.inquiries.rule_simulation import Rehearsal, rehearse
from services.vocabulary.protocol import Curve, Rule

_COUNTED = {
    "onset_weighted": "follow-up weighted by the onset curve",
    "complete": "wait for completion",
    "linear": "follow-up weighted, linear",
    "everyone_treated": "everyone treated",
    "naive": "event at once, non-event when complete (refused)",
}


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
            accrual_days=args.accrual_days,
            window_days=args.window_days,
            trials=args.trials,
            seed=args.seed,
        )
    except ValueError as error:
        raise CommandError(f"--{error}") from error
    if args.json:
        print(wire.write_canonical({"protocol": protocol.label, "rehearsal": found}))
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
        yield explained_table(SIMULATED, rows)
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
