"""The alerts that facts would raise: nothing is stored, and nobody is told."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from services.safety_rules.application.recompute import assess, fold_history, make_journals
from services.safety_rules.domain.alerting.alerts_of_advice import make_advice_alerts
from services.safety_rules.domain.alerting.alerts_of_records import (
    make_death_alert,
    make_decision_alert,
    make_episode_alert,
    make_upper_grades_alert,
)
from services.safety_rules.domain.ctcae.rule_book import Rules
from services.safety_rules.domain.facts.linked_groups import link_participants
from services.vocabulary.alert import Alert
from services.vocabulary.fact import Fact, JournalEntry


def list_alerts_of_facts(rules: Rules, facts: Sequence[Fact]) -> list[Alert]:
    """Return the alerts that *facts* call for once all of them are known, in any order."""
    if not facts:
        return []
    end = max(fact.reported_at for fact in facts)
    journals = make_journals(fact for fact in facts if fact.subject != rules.protocol.study)
    found_alerts: list[Alert] = []
    for group in link_participants(journals, facts):
        found_alerts += _list_participant_alerts(rules, group, journals, end)
    for decision in assess(rules, facts).decisions:
        found_alerts += filter(
            None,
            (
                make_decision_alert(decision, rules.protocol, end),
                make_upper_grades_alert(decision, rules.protocol, end),
            ),
        )
    return found_alerts


def _list_participant_alerts(
    rules: Rules, members: Sequence[str], journals: Mapping[str, list[JournalEntry]], end: datetime
) -> Iterator[Alert]:
    entries = [entry for member in members for entry in journals.get(member, ())]
    history = fold_history(rules, members, entries, end)
    for member in members:
        for episode in history.list_latest_versions(member):
            if alert := make_episode_alert(episode, rules.protocol):
                yield alert
        if death := make_death_alert(member, history.find_anchors(member), end, rules.protocol):
            yield death
        advice = history.find_advice(member, end)[0]
        yield from make_advice_alerts(advice, [], end, rules.protocol)
