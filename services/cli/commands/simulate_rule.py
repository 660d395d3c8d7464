"""``aegis simulate rule``: a stopping rule under partial follow-up, before its trial begins."""

from argparse import Namespace
from collections.abc import Iterator

from services.cli.command import CommandError
from services.cli.shared.columns import SIMULATION
from services.cli.shared.find_rule import find_rule
from services.cli.shared.progress_line import show_progress
from services.cli.shared.read_protocol import read_protocol
from services.cli.shared.refused_argument import refuse_argument
from services.cli.shared.rule_alternatives import describe_designs, describe_sensitivity
from services.cli.shared.tables import make_explained_table
from services.cli.shared.terminal_width import print_text
from services.cli.shared.trial_course import describe_course, describe_curve, read_trial_plan
from services.runtime.canonical_json import write_canonical
from services.safety_rules.reports.rule_alternatives import (
    SizedDesign,
    check_search,
    search_designs,
    tabulate_sensitivity,
)
from services.safety_rules.reports.rule_simulation import (
    Rehearsal,
    TrialPlan,
    choose_onset,
    rehearse,
)
from services.vocabulary.protocol import Rule

_COUNTING_NAMES = {
    "onset_weighted": "follow-up weighted by the onset curve",
    "complete": "wait for completion",
    "linear": "follow-up weighted, linear",
    "everyone_treated": "everyone treated",
    "naive": "event at once, non-event when complete (refused)",
    "person_time": "events against person-time",
}


def print_rehearsal(args: Namespace) -> int:
    """Print the probability that the rule stops, for every way of counting.

    Raises:
        CommandError: The study cannot be read, has no such rule, or an argument is out of range.
    """
    protocol = read_protocol(args)
    rule = find_rule(protocol, args.rule)
    if (args.target is None) != (args.p1 is None) or (args.alphas and args.target is None):
        raise CommandError("--target, --p1 and --alphas go together")
    if args.target is not None and args.rates:
        raise CommandError("--rates goes without --target, which has p0 and --p1")
    try:
        return _print_simulation(args, protocol.label, rule)
    except ValueError as error:
        raise refuse_argument(args, error) from error


def _print_simulation(args: Namespace, label: str, rule: Rule) -> int:
    course = read_trial_plan(args, args.onset or choose_onset(rule), args.window_days)
    p0 = rule.stop_when.p0
    rates = args.rates or (p0, min(2 * p0, 1.0))
    size = {"trials": args.trials, "seed": args.seed}
    answer: dict[str, object]
    if args.target is not None:
        search = {"alphas": args.alphas, **size}
        check_search(rule, course, args.p1, args.target, **search)
        with show_progress("designs found") as count_design:
            designs = search_designs(
                rule,
                course,
                args.p1,
                args.target,
                on_design=count_design,
                **search,
            )
        answer = {"designs": [_summarize_design(one) for one in designs]}
        lines = describe_designs(designs)
    elif args.sensitivity:
        with show_progress("rows simulated") as count_row:
            rows = tabulate_sensitivity(rule, course, rates=rates, on_row=count_row, **size)
        answer = {"sensitivity": rows}
        lines = describe_sensitivity(rows)
    else:
        rehearsal = rehearse(rule, course, rates=rates, **size)
        answer = {"rehearsal": rehearsal}
        lines = _describe_rehearsal(rule, rehearsal)
    if args.json:
        print(write_canonical({"protocol": label} | answer))
    else:
        print_text("\n".join([*_describe_rule(rule, label), _describe_plan(args, course), *lines]))
    return 0


def _summarize_design(plan: SizedDesign) -> dict[str, object]:
    design = plan.design
    return {
        "alpha": plan.alpha,
        "prior": plan.prior,
        "n": design and design.n,
        "attained_alpha": design and design.attained_alpha,
        "power": design and design.characteristics[0].p_stop,
        "looks": design and design.looks,
        "boundary": design and design.boundary,
        "at_p0": plan.at_p0,
        "at_p1": plan.at_p1,
    }


def _describe_rule(rule: Rule, label: str) -> Iterator[str]:
    yield (
        f"{rule.id}  {rule.title}: n {rule.stop_when.n}, p0 {rule.stop_when.p0:g}, nominal alpha"
        f" {rule.stop_when.alpha:g}; {label}"
    )


def _describe_plan(args: Namespace, course: TrialPlan) -> str:
    shortest, longest = course.window_days
    window = f"{shortest:g}" if shortest == longest else f"{shortest:g} to {longest:g}"
    return (
        f"{args.trials} trials, seed {args.seed}; {describe_course(course)}; window {window} days;"
        f" onset {describe_curve(course.onset)}"
    )


def _describe_rehearsal(rule: Rule, rehearsal: Rehearsal) -> Iterator[str]:
    boundary = rule.stop_when.person_time
    if boundary is None:
        yield f"counted by the onset curve {describe_curve(rehearsal.curve)}"
    condition = (
        "with every window complete"
        if boundary is None
        else f"by the end of the plan, as a risk within {boundary.window_days:g} days"
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
        yield f"event rate {rate:g} (exact, {condition}: {exact:.4f})"
        yield make_explained_table(SIMULATION, rows)
    yield ""
    yield (
        "*: the rule's own count. +-: standard error of the simulation. Enrolled, events: mean when"
        " it stops, or of the whole trial."
    )
