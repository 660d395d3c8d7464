"""``aegis rules``: what every stopping rule says now, or said then."""

from argparse import ArgumentParser, Namespace
from dataclasses import asdict
from datetime import datetime

from services.cli.command import Command
from services.cli.commands import rules_sites
from services.cli.shared.open_study import data_arguments, instant, open_data
from services.cli.shared.rules_table import rules_table
from services.runtime import wire
from services.safety_rules.adapters.protocol_files import Study
from services.safety_rules.application.decide_study import status
from services.safety_rules.application.past_crossings import ever_crossed
from services.safety_rules.inquiries.boundary_tables import joint
from services.vocabulary.decision import Decision


def _arguments(parser: ArgumentParser) -> None:
    words = parser.add_subparsers(dest="word", required=True, metavar="status|sites")
    word = words.add_parser("status", help="what every stopping rule says")
    data_arguments(word)
    word.add_argument("--as-of", type=instant, metavar="T", help="of what was known then")
    word.add_argument("--json", action="store_true", help="everything, as JSON lines")
    word.set_defaults(act=_status)
    word = words.add_parser("sites", help=rules_sites.PURPOSE, description=rules_sites.PURPOSE)
    rules_sites.arguments(word)
    word.set_defaults(act=rules_sites.compare_sites)


def _rules(args: Namespace) -> int:
    return int(args.act(args))


def _status(args: Namespace) -> int:
    opened = open_data(args, create=False)
    with opened.db.read() as conn:
        decisions = status(conn, opened.study.rules, args.as_of)
        ever = ever_crossed(conn, opened.study.rules, args.as_of)
    if args.json:
        print("\n".join(json_line(decision, ever[decision.rule]) for decision in decisions))
    elif decisions:
        print(rules_table(decisions, ever, args.as_of))
        print(together(opened.study.study))
    else:
        print("Nothing was known of anybody.")
    return 0


def together(study: Study) -> str:
    """Return how often the rules that alert jointly stop a trial that is safe."""
    alerting = [study.designs[rule.id] for rule in study.protocol.rules if not rule.watch_only]
    if not alerting:
        return "No rule alerts."
    of = joint(alerting, (0.0,), trials=10_000)
    return (
        f"The rules that alert jointly stop a safe trial with probability {of.simulated[0][1]:.3f}"
        f" ({of.trials:,} simulated, seed {of.seed}; exact when independent {of.independent:.3f})."
    )


def json_line(decision: Decision, ever: datetime | None) -> str:
    """Return all that is known of one rule, with whether it is and since when it ever was crossed.

    *ever* is an instant of knowledge; that of the decision's ``crossed_since`` is clinical.
    """
    crossed = {"currently_crossed": decision.crossed_since is not None, "ever_crossed_since": ever}
    return wire.canonical(asdict(decision) | crossed)


COMMAND = Command("rules", "the stopping rules, live", _arguments, _rules)
