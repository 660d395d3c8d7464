"""The content of the chart of one episode, gathered from the facts that stand."""

from collections.abc import Iterable
from datetime import datetime

from services.charts.course import Course, Day, DrugInterval, Point, find_span
from services.safety_rules.domain.ctcae.rule_book import Rules
from services.safety_rules.domain.ctcae.units import rescale_quantity
from services.safety_rules.domain.facts.anchors import Anchors, find_anchors
from services.safety_rules.domain.facts.current_facts import select_current_facts
from services.store import journal
from services.store.session import Connection
from services.vocabulary.clinical_fact import Action, Administration, Observation
from services.vocabulary.episode import EpisodeContent
from services.vocabulary.fact import Fact


def gather_course(conn: Connection, rules: Rules, content: EpisodeContent) -> Course | None:
    """Return the signs and drugs around an episode; None before any study drug."""
    facts = select_current_facts(
        known.fact for known in journal.load_facts_between(conn, content.participant, 0)
    )
    anchors = find_anchors(facts, rules.protocol)
    if anchors.first_infusion_at is None:
        return None
    start, end = find_span(content)
    facts_in_span = [fact for fact in facts if start <= fact.observed_at <= end]
    return Course(
        content,
        temperature=_list_points(facts_in_span, "temperature", "Cel"),
        sbp=_list_points(facts_in_span, "sbp", "mm[Hg]"),
        spo2=_list_points(facts_in_span, "spo2", "%"),
        devices=[
            (fact.observed_at, fact.body.text)
            for fact in facts_in_span
            if isinstance(fact.body, Observation) and fact.body.measure == "oxygen-device"
        ],
        drugs=_list_administrations(facts_in_span, rules.protocol.study_drug, end),
        fever_c=float(rules.protocol.bedside.fever_c),
        sbp_below=float(rules.protocol.bedside.sbp_below),
        days=_list_days(anchors, start, end),
        label=rules.protocol.label,
    )


def _list_days(anchors: Anchors, start: datetime, end: datetime) -> list[Day]:
    """Return the days of the site that begin between *start* and *end*."""
    begins = [anchors.find_start_of_day(start, day) for day in range((end - start).days + 2)]
    return [
        Day(at, anchors.find_transplant_day(at), anchors.find_treatment_day(at))
        for at in begins
        if start <= at <= end
    ]


def _list_points(facts: Iterable[Fact], measure: str, unit: str) -> list[Point]:
    points = []
    for fact in facts:
        body = fact.body
        if isinstance(body, Observation) and body.measure == measure and body.value is not None:
            value = rescale_quantity(body.value, unit)
            if value is not None:
                points.append(Point(fact.observed_at, float(value.value)))
    return points


def _list_administrations(
    facts: Iterable[Fact], study_drug: str, end: datetime
) -> list[DrugInterval]:
    """Return single doses, and infusions from start to stop."""
    administrations: list[DrugInterval] = []
    started_at: dict[str, datetime] = {}
    for fact in facts:
        body = fact.body
        if not isinstance(body, Administration) or body.drug == study_drug:
            continue
        if body.action is Action.DOSE:
            administrations.append(DrugInterval(body.drug, fact.observed_at))
        elif body.action is Action.START:
            started_at.setdefault(body.drug, fact.observed_at)
        elif body.action is Action.STOP and body.drug in started_at:
            administrations.append(
                DrugInterval(body.drug, started_at.pop(body.drug), fact.observed_at)
            )
    administrations += [DrugInterval(drug, start, end) for drug, start in started_at.items()]
    return sorted(administrations, key=lambda one: one.started_at)
