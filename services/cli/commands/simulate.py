"""``aegis simulate``: a synthetic trial with its answer key, or a stopping rule in many trials."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from services.cli.command import Command, CommandError
from services.cli.commands import simulate_rule
from services.simulator.trial import simulate_trial, write_trial


def _arguments(parser: ArgumentParser) -> None:
    words = parser.add_subparsers(dest="word", required=True, metavar="trial|rule")
    word = words.add_parser("trial", help="as HL7 v2 messages, with its answer key")
    word.add_argument("--participants", type=int, default=40, metavar="N")
    word.add_argument("--seed", type=int, default=7)
    word.add_argument(
        "--days", type=int, metavar="N", help="followed after the first dose (to day 103)"
    )
    word.add_argument("--out", type=Path, required=True, metavar="DIR")
    word.set_defaults(act=_trial)
    word = words.add_parser("rule", help="how often a stopping rule stops, before the trial begins")
    simulate_rule.arguments(word)
    word.set_defaults(act=simulate_rule.simulate_rule)


def _simulate(args: Namespace) -> int:
    return int(args.act(args))


def _trial(args: Namespace) -> int:
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


COMMAND = Command("simulate", "a synthetic trial, or a rule in many trials", _arguments, _simulate)
