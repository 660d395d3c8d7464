"""What a chart of one episode shows, gathered from the facts that stand."""

from collections.abc import Iterable
from datetime import datetime

from services.charts.course import Course, Day, DrugInterval, Point, drawn_span
from services.safety_rules.domain.ctcae.rule_book import Rules
from services.safety_rules.domain.ctcae.units import rescale_quantity
from services.safety_rules.domain.facts.anchors import Anchors, find_anchors
from services.safety_rules.domain.facts.current_facts import select_standing_facts
from services.store import journal
from services.store.session import Connection
from services.vocabulary.episode import EpisodeContent
from services.vocabulary.fact import Action, Administration, Fact, Observation


def course_of(conn: Connection, rules: Rules, content: EpisodeContent) -> Course | None:
    """Return what was seen and done around an episode; None before any study drug."""
    facts = select_standing_facts(
        known.fact for known in journal.load_facts_between(conn, content.participant, 0)
    )
    found = find_anchors(facts, rules.protocol)
    if found.first_infusion_at is None:
        return None
    start, end = drawn_span(content)
    near = [fact for fact in facts if start <= fact.observed_at <= end]
    return Course(
        content,
        temperature=_points(near, "temperature", "Cel"),
        sbp=_points(near, "sbp", "mm[Hg]"),
        spo2=_points(near, "spo2", "%"),
        devices=[
            (fact.observed_at, fact.body.text)
            for fact in near
            if isinstance(fact.body, Observation) and fact.body.measure == "oxygen-device"
        ],
        drugs=_drugs(near, rules.protocol.study_drug, end),
        fever_c=float(rules.protocol.bedside.fever_c),
        sbp_below=float(rules.protocol.bedside.sbp_below),
        days=_days(found, start, end),
        label=rules.protocol.label,
    )


def _days(found: Anchors, start: datetime, end: datetime) -> list[Day]:
    """Return the days of the site that begin between *start* and *end*."""
    begins = [found.find_start_of_day(start, day) for day in range((end - start).days + 2)]
    return [
        Day(at, found.find_transplant_day(at), found.find_treatment_day(at))
        for at in begins
        if start <= at <= end
    ]


def _points(facts: Iterable[Fact], measure: str, unit: str) -> list[Point]:
    found = []
    for fact in facts:
        body = fact.body
        if isinstance(body, Observation) and body.measure == measure and body.value is not None:
            value = rescale_quantity(body.value, unit)
            if value is not None:
                found.append(Point(fact.observed_at, float(value.value)))
    return found


def _drugs(facts: Iterable[Fact], study_drug: str, end: datetime) -> list[DrugInterval]:
    """Return single doses, and infusions from start to stop."""
    found: list[DrugInterval] = []
    running: dict[str, datetime] = {}
    for fact in facts:
        body = fact.body
        if not isinstance(body, Administration) or body.drug == study_drug:
            continue
        if body.action is Action.DOSE:
            found.append(DrugInterval(body.drug, fact.observed_at))
        elif body.action is Action.START:
            running.setdefault(body.drug, fact.observed_at)
        elif body.action is Action.STOP and body.drug in running:
            found.append(DrugInterval(body.drug, running.pop(body.drug), fact.observed_at))
    found += [DrugInterval(drug, start, end) for drug, start in running.items()]
    return sorted(found, key=lambda given: given.started_at)
