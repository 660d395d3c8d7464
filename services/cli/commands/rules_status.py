"""``aegis rules status``: what every stopping rule says now, or said then."""

from argparse import Namespace
from dataclasses import asdict
from datetime import datetime

from services.acts.seen_content import hash_seen
from services.cli.shared.json_lines import write_json_lines
from services.cli.shared.open_study import open_to_read
from services.cli.shared.rules_table import make_rules_table
from services.safety_rules.adapters.protocol_files import Study
from services.safety_rules.application.decide_study import decide_rules, extract_news_fields
from services.safety_rules.application.past_crossings import load_first_crossings
from services.safety_rules.reports.alerting_designs import list_alerting_designs
from services.safety_rules.reports.boundary_tables import (
    simulate_familywise_error,
)
from services.store.decisions import load_decisions_by_rule
from services.vocabulary.decision import Decision


def compute_answer(args: Namespace) -> str:
    """Return the decision of every rule, as a table or as JSON.

    Raises:
        CommandError: There are no data.
        UntrustedFileError: A file of the study cannot be trusted.
    """
    context = open_to_read(args)
    with context.db.read() as conn:
        decisions = decide_rules(conn, context.study.rules, args.as_of)
        crossings = load_first_crossings(conn, context.study.rules, args.as_of)
        stored_decisions = load_decisions_by_rule(conn, context.study_id)
    if args.json:
        return write_json_lines(
            summarize_decision(decision, crossings[decision.rule])
            | {"hash": _hash_answerable(decision, stored_decisions.get(decision.rule))}
            for decision in decisions
        )
    if not decisions:
        return "Nothing was known of anybody."
    table = make_rules_table(decisions, crossings, args.as_of)
    return f"{table}\n{describe_joint_error(context.study.study)}"


def describe_joint_error(study: Study) -> str:
    """Return the probability that the rules that alert stop a safe trial, in a sentence."""
    alerting_designs = list_alerting_designs(study)
    if not alerting_designs:
        return "No rule alerts."
    joint = simulate_familywise_error(alerting_designs, (0.0,))
    return (
        f"The rules that alert jointly stop a safe trial with probability"
        f" {joint.chances[0][1]:.3f} if their events are independent (simulated,"
        f" {joint.trials:,} trials, seed {joint.seed}, standard error {joint.error:.4f};"
        f" exact 1 - prod(1 - attained) {joint.independent:.3f})."
    )


def _hash_answerable(decision: Decision, stored_decision: Decision | None) -> str:
    """Return the hash of the decision that an answer is given to; empty: it says something else."""
    if extract_news_fields(decision) != extract_news_fields(stored_decision):
        return ""
    return hash_seen(stored_decision)


def summarize_decision(decision: Decision, first_crossed_at: datetime | None) -> dict[str, object]:
    """Return one decision for programs, with whether its boundary is reached and ever was.

    *first_crossed_at* is an instant of knowledge; the decision's ``crossed_since`` is clinical.
    """
    crossing_fields = {
        "currently_crossed": decision.crossed_since is not None,
        "ever_crossed_since": first_crossed_at,
    }
    return asdict(decision) | crossing_fields
