"""``aegis chance``: where a rule stands at counts that somebody reads out, and its chances."""

from argparse import Namespace
from collections.abc import Iterator

from services.cli.command import CommandError
from services.cli.commands.chance_person_time import print_person_time_chances
from services.cli.shared.columns import CHANCES
from services.cli.shared.find_rule import find_rule
from services.cli.shared.read_protocol import read_protocol
from services.cli.shared.refused_argument import refuse_argument
from services.cli.shared.tables import make_explained_table
from services.cli.shared.terminal_width import print_text
from services.runtime.canonical_json import write_canonical
from services.safety_rules.reports.chances import RuleChances, find_chances
from services.vocabulary.protocol import Rule


def perform(args: Namespace) -> int:
    """Print the boundary at these counts, and the chances of reaching it.

    Raises:
        CommandError: The study has no such rule, or an argument is out of range.
    """
    protocol = read_protocol(args)
    rule = find_rule(protocol, args.rule)
    if rule.stop_when.person_time:
        return print_person_time_chances(args, rule, protocol.label)
    if args.of is None or args.person_time is not None:
        raise CommandError(f"--of, without --person-time, is what {rule.id} needs")
    try:
        answer = find_chances(
            rule, args.events, args.of, pending=args.pending, rates=args.rates, prior=args.prior
        )
    except ValueError as error:
        raise refuse_argument(args, error) from error
    if args.json:
        print(write_canonical({"protocol": protocol.label, "chances": answer}))
    else:
        print_text("\n".join(_describe_chances(rule, answer, protocol.label)))
    return 0


def _describe_chances(rule: Rule, answer: RuleChances, label: str) -> Iterator[str]:
    yield (
        f"{rule.id}  {rule.title}: n {answer.n}, p0 {rule.stop_when.p0:g}, alpha"
        f" {rule.stop_when.alpha:g}; {label}"
    )
    counts = f"{answer.events} of {answer.complete}{_describe_pending(answer)}"
    yield f"{counts}: {_describe_state(rule, answer)}."
    mean, low, high = answer.rate
    a, b = answer.prior
    yield (
        f"Event rate {mean:.1%}, 95 % from {low:.1%} to {high:.1%}: posterior of a"
        f" Beta({a:g}, {b:g}) prior."
    )
    if answer.rate_at_most is not None:
        yield (
            f"No event among {answer.complete}: the rate is at most {answer.rate_at_most:.1%} with"
            f" 95 % confidence, exact (by the rule of three {min(3 / answer.complete, 1):.1%})."
        )
    if answer.is_reached:
        return
    yield (
        f"Chance to reach the boundary by {answer.n} participants, whatever the rate is:"
        f" {answer.predictive:.1%} (predictive, by that prior)."
    )
    rows = [(f"{at.rate:g}", f"{at.pending:.1%}", f"{at.by_n:.1%}") for at in answer.chances]
    yield ""
    yield make_explained_table(CHANCES, rows)


def _describe_pending(answer: RuleChances) -> str:
    if not answer.pending:
        return ""
    return f", {len(answer.pending)} pending, {answer.size:.4g} effective"


def _describe_state(rule: Rule, answer: RuleChances) -> str:
    """Return the state of the rule at these counts, without a full stop."""
    if answer.is_reached:
        return f"the boundary of {answer.boundary} events is reached: review required"
    first_step = rule.stop_when.boundary[0]
    if answer.size < first_step.first:
        return (
            f"no count can reach the boundary yet; it begins with {first_step.events} events"
            f" among {first_step.first}"
        )
    rise = answer.free_until_rise
    rest = f"; {rise} more without an event raise it" if rise else "; it rises no more"
    return f"{answer.events_left} short of the boundary of {answer.boundary} events{rest}"
