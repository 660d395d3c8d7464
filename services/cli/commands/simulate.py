"""``aegis simulate``: a synthetic trial with its answer key, or stopping rules in many trials."""

from argparse import Namespace

from services.cli.command import CommandError
from services.cli.commands import simulate_protocol, simulate_rule
from services.simulator.trial import simulate_trial, write_trial


def perform(args: Namespace) -> int:
    """Write a synthetic trial, or rehearse a rule or all of them."""
    match args.word:
        case "rule":
            return simulate_rule.print_rehearsal(args)
        case "protocol":
            return simulate_protocol.print_protocol_rehearsal(args)
    return _write_trial(args)


def _write_trial(args: Namespace) -> int:
    try:
        trial = simulate_trial(args.participants, args.seed, args.days)
        write_trial(trial, args.out)
    except (ValueError, OSError) as error:
        raise CommandError(str(error)) from error
    print(
        f"{len(trial.messages)} messages about {len(trial.people)} participants in {args.out},"
        f" {len(trial.expected_records)} records in the answer key"
    )
    return 0
