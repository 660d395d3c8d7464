"""``aegis alerts route``: who would be told of the alerts that facts raise; nothing is stored."""

from argparse import Namespace

from services.acts.intake import make_fact_names
from services.alerts.adapters.study_recipients import find_recipients
from services.alerts.routing import Route, find_routes
from services.cli.shared.chosen_settings import read_chosen_settings
from services.cli.shared.columns import ROUTES
from services.cli.shared.fact_lines import read_facts
from services.cli.shared.json_lines import print_json_lines
from services.cli.shared.tables import make_explained_table
from services.safety_rules.adapters.study_rules import load_rules
from services.safety_rules.application.alerts_of_facts import list_alerts_of_facts


def perform(args: Namespace) -> int:
    """Print the recipients of each alert that a file of facts raises."""
    routes = _find_routes(args)
    if args.json:
        print_json_lines(
            {
                "subject": one.subject,
                "level": one.alert.level,
                "kind": one.alert.kind,
                "about": one.alert.about,
                "roles": one.alert.roles,
                "recipients": [
                    {"role": who.role, "name": who.name, "channel": who.channel}
                    for who in one.first
                ],
                "acknowledge_each": one.each_acknowledges,
                "acknowledge_within_s": one.alert.acknowledge_within_s,
                "escalate_to": one.next_roles,
            }
            for one in routes
        )
        return 0
    rows = [
        (
            one.alert.level,
            one.alert.kind.replace("_", " "),
            one.alert.participant or one.alert.about,
            one.grade,
            f"{who.name} ({who.role.replace('_', ' ')}, {who.channel})",
            f"{one.alert.acknowledge_within_s // 3600} h",
            ", ".join(one.next_roles).replace("_", " ") or "-",
        )
        for one in routes
        for who in one.first
    ]
    print(make_explained_table(ROUTES, rows) if rows else "these facts raise no alert")
    return 0


def _find_routes(args: Namespace) -> list[Route]:
    """Return the routes of the alerts that the facts in a file raise, by the study's files.

    Raises:
        CommandError: A line is no fact, has a name that nobody knows or a time that is too late.
    """
    settings = read_chosen_settings(args)
    study = load_rules(settings.study)
    facts = read_facts(args.what_if, make_fact_names(study))
    return find_routes(list_alerts_of_facts(study.rules, facts), find_recipients(settings.study))
