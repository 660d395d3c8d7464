"""Which alerts the recommendations for a participant call for: one per occasion."""

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
    found: Iterable[Advice],
    known: Sequence[AlertedAdvice],
    at: datetime,
    protocol: Protocol,
) -> list[Alert]:
    """Return the alerts that what is *found* calls for; what is certain of nothing calls for none.

    An occasion keeps its alert as long as it overlaps what that alert said: a late or corrected
    result that moves its beginning changes the alert, and takes none back.

    Args:
        found: All recommendations for one participant.
        known: Every alert about that participant's recommendations, with what it said last.
        at: When the facts behind it were known, or the time that made it so.
        protocol: The study's.
    """
    certain = [one for one in found if one.level]
    ids = _matched(certain, known)
    taken = {alert.id for alert, _ in known} | set(ids.values())
    alerts = []
    for place, advice in enumerate(certain):
        made = ids.get(place) or _new_id(advice, taken)
        taken.add(made)
        alerts.append(_alert(made, advice, at, protocol))
    return alerts


def _matched(found: Sequence[Advice], known: Sequence[AlertedAdvice]) -> dict[int, str]:
    """Return the alert that each recommendation continues; each alert is continued once at most."""
    pairs = sorted(
        (not alert.is_open, abs(said.since - advice.since), alert.id, place)
        for place, advice in enumerate(found)
        for alert, said in known
        if _is_same(advice, said)
    )
    matched: dict[int, str] = {}
    for _, _, alert, place in pairs:
        if place not in matched and alert not in matched.values():
            matched[place] = alert
    return matched


def _is_same(one: Advice, other: Advice) -> bool:
    if (one.kind, one.rule, one.criterion) != (other.kind, other.rule, other.criterion):
        return False
    first, then = sorted((one, other), key=lambda advice: advice.since)
    return then.since <= (first.until or _OPEN_END)


def _new_id(advice: Advice, taken: set[str]) -> str:
    parts = (advice.participant, advice.kind, advice.rule, advice.criterion)
    ids = (make_alert_id(*parts, advice.since.isoformat(), str(place)) for place in count())
    return next(made for made in ids if made not in taken)


def _alert(made: str, advice: Advice, at: datetime, protocol: Protocol) -> Alert:
    policy = protocol.alerts
    return Alert(
        id=made,
        level=Level.PARTICIPANT,
        kind=KINDS[advice.kind],
        study=protocol.study,
        about=advice.participant,
        participant=advice.participant,
        grade=advice.level,
        roles=policy.tell,
        escalate_to=policy.escalate_to,
        acknowledge_within_s=int(policy.acknowledge_within.total_seconds()),
        opened_at=at,
        detail=advice,
        protocol=protocol.label,
        suspected=advice.suspected,
        provisional=advice.provisional,
    )
