"""The alerts that the recommendations for a participant call for: one per occasion."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from itertools import count

from services.safety_rules.domain.alerting.alerts_of_records import make_alert_id
from services.vocabulary.alert import Alert, AlertKind, Level
from services.vocabulary.protocol import Protocol
from services.vocabulary.recommendation import Advice, AdviceKind

KINDS = {
    AdviceKind.DOSE: AlertKind.DOSE,
    AdviceKind.HYS_LAW: AlertKind.HYS_LAW,
    AdviceKind.DEVIATION: AlertKind.DEVIATION,
}
_OPEN_END = datetime.max.replace(tzinfo=UTC)
AlertedAdvice = tuple[Alert, Advice]


def make_advice_alerts(
    recommendations: Iterable[Advice],
    alerted_advice: Sequence[AlertedAdvice],
    known_at: datetime,
    protocol: Protocol,
) -> list[Alert]:
    """Return the alerts of the certain ones among *recommendations*.

    An occasion keeps its alert as long as it overlaps the advice of that alert: a late or corrected
    result that moves its beginning changes the alert and retracts none.

    Args:
        recommendations: All recommendations for one participant.
        alerted_advice: Every alert about the participant's advice, with its last advice.
        known_at: The instant at which the facts, or the passing of time, called for the alerts.
        protocol: The study's.
    """
    certain = [one for one in recommendations if one.level]
    ids = _match_alerts(certain, alerted_advice)
    known_ids = {alert.id for alert, _ in alerted_advice} | set(ids.values())
    alerts = []
    for place, advice in enumerate(certain):
        alert_id = ids.get(place) or _make_id(advice, known_ids)
        known_ids.add(alert_id)
        alerts.append(_make_alert(alert_id, advice, known_at, protocol))
    return alerts


def _match_alerts(
    recommendations: Sequence[Advice], alerted_advice: Sequence[AlertedAdvice]
) -> dict[int, str]:
    """Return the alert that each recommendation continues; each alert is continued once at most."""
    pairs = sorted(
        (not alert.is_open, abs(alerted.since - advice.since), alert.id, place)
        for place, advice in enumerate(recommendations)
        for alert, alerted in alerted_advice
        if _is_same_occasion(advice, alerted)
    )
    alert_by_place: dict[int, str] = {}
    for _, _, alert, place in pairs:
        if place not in alert_by_place and alert not in alert_by_place.values():
            alert_by_place[place] = alert
    return alert_by_place


def _is_same_occasion(advice: Advice, alerted_advice: Advice) -> bool:
    if (advice.kind, advice.rule, advice.criterion) != (
        alerted_advice.kind,
        alerted_advice.rule,
        alerted_advice.criterion,
    ):
        return False
    first, later = sorted((advice, alerted_advice), key=lambda one: one.since)
    return later.since <= (first.until or _OPEN_END)


def _make_id(advice: Advice, known_ids: set[str]) -> str:
    parts = (advice.participant, advice.kind, advice.rule, advice.criterion)
    ids = (make_alert_id(*parts, advice.since.isoformat(), str(place)) for place in count())
    return next(made for made in ids if made not in known_ids)


def _make_alert(alert_id: str, advice: Advice, opened_at: datetime, protocol: Protocol) -> Alert:
    policy = protocol.alerts
    return Alert(
        id=alert_id,
        level=Level.PARTICIPANT,
        kind=KINDS[advice.kind],
        study=protocol.study,
        about=advice.participant,
        participant=advice.participant,
        grade=advice.level,
        roles=policy.tell,
        escalate_to=policy.escalate_to,
        acknowledge_within_s=int(policy.acknowledge_within.total_seconds()),
        opened_at=opened_at,
        detail=advice,
        protocol=protocol.label,
        suspected=advice.suspected,
        provisional=advice.provisional,
    )
