"""The evidence of an alert, read from the journal, the standings and the records.

No free text of a site is in it: measures and terms are words of the trial, values are numbers.
"""

from collections.abc import Mapping

from services.alerts.domain.evidence import NO_EVIDENCE, Evidence
from services.store import journal, records
from services.store.session import Connection
from services.vocabulary.alert import Alert
from services.vocabulary.clinical_fact import Observation
from services.vocabulary.decision import Decision
from services.vocabulary.episode import EpisodeContent
from services.vocabulary.fact import Fact
from services.vocabulary.quantity import Quantity

_LONGEST_UNIT = 20
_MOST_VALUES = 4
_FACT_TERMS = {"death": "Death", "nrm": "Death without relapse", "relapse": "Relapse"}


def load_evidence(conn: Connection, alert: Alert) -> Evidence:
    """Return the values behind a record's worst grade, or the terms that a rule counts."""
    detail = alert.detail
    if isinstance(detail, EpisodeContent):
        worst = max(detail.history, key=lambda one: (one.span.at_least, one.span.at_most))
        facts = journal.load_facts_of_ids(conn, worst.facts[-_MOST_VALUES:])
        values = (_describe_value(entry.fact) for entry in facts)
        return Evidence(values=tuple(dict.fromkeys(value for value in values if value)))
    if isinstance(detail, Decision):
        return Evidence(terms=find_event_terms(conn, detail))
    return NO_EVIDENCE


def _describe_value(fact: Fact) -> str:
    """Return measure, value and unit; empty: the fact is no number that was measured."""
    body = fact.body
    if not isinstance(body, Observation) or body.value is None:
        return ""
    return f"{body.measure.replace('-', ' ').replace('_', ' ')} {_format_quantity(body.value)}"


def _format_quantity(quantity: Quantity) -> str:
    unit = quantity.unit if quantity.unit.isprintable() else ""
    return f"{quantity.censoring or ''}{quantity.value:f} {unit[:_LONGEST_UNIT]}".rstrip()


def find_event_terms(conn: Connection, decision: Decision) -> Mapping[str, str]:
    """Return the term of each event that counts in *decision*, by pseudonym."""
    participants = [one.participant for one in decision.contributors]
    term_by_criterion = {
        (episode.content.participant, episode.content.criterion): episode.content.term
        for episode in records.load_latest_episodes_of(conn, participants)
    }
    terms = {}
    for row in records.load_standings(conn, participants):
        event = row.standing.event
        if row.standing.rule == decision.rule and event is not None:
            criterion = event.episode.partition("@")[0]
            record_term = term_by_criterion.get((row.standing.participant, criterion), "")
            terms[row.standing.participant] = _FACT_TERMS.get(criterion, record_term)
    return terms
