"""``aegis chance`` of a rule of person-time."""

from argparse import Namespace
from collections.abc import Iterator

from services.cli.command import CommandError
from services.cli.shared.columns import TIME_CHANCES
from services.cli.shared.refused_argument import refuse_argument
from services.cli.shared.tables import make_explained_table
from services.cli.shared.terminal_width import print_text
from services.runtime.canonical_json import write_canonical
from services.safety_rules.reports.person_time_chances import (
    PersonTimeChances,
    find_person_time_chances,
)
from services.vocabulary.protocol import Rule, spell_time


def print_person_time_chances(args: Namespace, rule: Rule, label: str) -> int:
    """Print the boundary at this person-time, and the chances of reaching it.

    Raises:
        CommandError: An argument is missing or out of range.
    """
    if args.person_time is None or args.of is not None or args.pending:
        raise CommandError(f"--person-time, without --of and --pending, is what {rule.id} needs")
    try:
        answer = find_person_time_chances(
            rule, args.events, args.person_time, rates=args.rates, prior=args.prior
        )
    except ValueError as error:
        raise refuse_argument(args, error) from error
    if args.json:
        print(write_canonical({"protocol": label, "chances": answer}))
    else:
        print_text("\n".join(_describe_chances(rule, answer, label)))
    return 0


def _describe_chances(rule: Rule, answer: PersonTimeChances, label: str) -> Iterator[str]:
    planned = spell_time(answer.unit, answer.planned)
    yield (
        f"{rule.id}  {rule.title}: planned {planned}, p0 {rule.stop_when.p0:g}, alpha"
        f" {rule.stop_when.alpha:g}; {label}"
    )
    events = "1 event" if answer.events == 1 else f"{answer.events} events"
    counts = f"{events} in {spell_time(answer.unit, answer.time)}"
    yield f"{counts}: {_describe_state(answer)}."
    mean, low, high = answer.rate
    shape, rate = answer.prior
    yield (
        f"Event rate {mean:.1%}, 95 % from {low:.1%} to {high:.1%}: posterior of a hazard ratio"
        f" with a Gamma({shape:g}, {rate:g}) prior."
    )
    if answer.is_reached:
        return
    yield (
        f"Chance to reach the boundary by {planned}, whatever the rate is:"
        f" {answer.predictive:.1%} (predictive, by that prior)."
    )
    yield ""
    rows = [(f"{rate:g}", f"{chance:.1%}") for rate, chance in answer.chances]
    yield make_explained_table(TIME_CHANCES, rows)


def _describe_state(answer: PersonTimeChances) -> str:
    """Return the state of the rule at these counts, without a full stop."""
    if answer.boundary_until is None:
        return "no count can reach the boundary any more"
    boundary = (
        f"the boundary of {answer.boundary} events, up to"
        f" {spell_time(answer.unit, answer.boundary_until)},"
    )
    if answer.is_reached:
        return f"{boundary} is reached: review required"
    if not answer.events_left:
        return f"{boundary} is reached, and not compared yet"
    return f"{answer.events_left} short of {boundary.rstrip(',')}"
