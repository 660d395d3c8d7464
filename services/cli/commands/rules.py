"""``aegis rules``: what every stopping rule says now, or said then."""

from argparse import Namespace
from dataclasses import asdict
from datetime import datetime

from services.cli.commands import rules_sites
from services.cli.shared.json_lines import print_json_lines
from services.cli.shared.open_study import open_data
from services.cli.shared.rules_table import rules_table
from services.safety_rules.adapters.protocol_files import Study
from services.safety_rules.application.decide_study import status
from services.safety_rules.application.past_crossings import ever_crossed
from services.safety_rules.inquiries.boundary_tables import simulate_familywise_error
from services.vocabulary.decision import Decision


def perform(args: Namespace) -> int:
    """Print what every rule says, or each site beside the rest."""
    return rules_sites.compare_sites(args) if args.word == "sites" else _status(args)


def _status(args: Namespace) -> int:
    context = open_data(args, create=False)
    with context.db.read() as conn:
        decisions = status(conn, context.study.rules, args.as_of)
        ever = ever_crossed(conn, context.study.rules, args.as_of)
    if args.json:
        print_json_lines(as_json(decision, ever[decision.rule]) for decision in decisions)
    elif decisions:
        print(rules_table(decisions, ever, args.as_of))
        print(together(context.study.study))
    else:
        print("Nothing was known of anybody.")
    return 0


def together(study: Study) -> str:
    """Return how often the rules that alert jointly stop a trial that is safe."""
    alerting = [study.designs[rule.id] for rule in study.protocol.rules if not rule.watch_only]
    if not alerting:
        return "No rule alerts."
    of = simulate_familywise_error(alerting, (0.0,), trials=10_000)
    return (
        f"The rules that alert jointly stop a safe trial with probability {of.chances[0][1]:.3f}"
        f" ({of.trials:,} simulated, seed {of.seed}; exact when independent {of.independent:.3f})."
    )


def as_json(decision: Decision, ever: datetime | None) -> dict[str, object]:
    """Return all that is known of one rule, with whether it is and since when it ever was crossed.

    *ever* is an instant of knowledge; that of the decision's ``crossed_since`` is clinical.
    """
    crossed = {"currently_crossed": decision.crossed_since is not None, "ever_crossed_since": ever}
    return asdict(decision) | crossed
