"""Which alerts the records and decisions of a study call for."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID, uuid5

from services.safety_rules.domain.facts.anchors import Anchors
from services.vocabulary.alert import (
    Alert,
    AlertKind,
    ClosingReason,
    DeathDetail,
    Level,
    QuarantineDetail,
)
from services.vocabulary.decision import Decision, Reversal, Signal
from services.vocabulary.episode import Episode, EpisodeState
from services.vocabulary.protocol import Protocol

_NAMESPACE = UUID("6f1f3c5e-0d0b-5a55-9a0e-4f4a6f5a3c02")

_KIND_OF = {
    Signal.BOUNDARY_REACHED: AlertKind.BOUNDARY_REACHED,
    Signal.BOUNDARY_LIKELY: AlertKind.BOUNDARY_LIKELY,
}
_OF_A_RULE = (*_KIND_OF.values(), AlertKind.BOUNDARY_AT_UPPER)


def make_alert_id(*parts: str) -> str:
    """Return the stable id of the alert about *parts* (episode or rule, and level)."""
    return str(uuid5(_NAMESPACE, "|".join(parts)))


def make_episode_alert_id(episode_id: str) -> str:
    """Return the id of the alert about a record: one per episode and level."""
    return make_alert_id(episode_id, Level.PARTICIPANT)


def make_episode_alert(episode: Episode, protocol: Protocol) -> Alert | None:
    """Return the alert that *episode* calls for now, None when it is below the protocol's grade.

    A record that may be that high, but is not for certain, asks for what is missing; its grade is
    the lower end, so that people are told again once it is certain.
    """
    content, policy = episode.content, protocol.alerts
    if episode.retracted or content.state is EpisodeState.REJECTED or content.before_exposure:
        return None
    certain = content.worst.at_least >= policy.participant_grade and not content.possible
    if not certain and content.worst.at_most < policy.participant_grade:
        return None
    return Alert(
        id=make_episode_alert_id(episode.id),
        level=Level.PARTICIPANT,
        kind=AlertKind.EPISODE if certain else AlertKind.POSSIBLE,
        study=protocol.study,
        about=episode.id,
        participant=content.participant,
        grade=int(content.worst.at_least),
        roles=policy.tell,
        escalate_to=policy.escalate_to,
        acknowledge_within_s=int(policy.acknowledge_within.total_seconds()),
        opened_at=episode.recorded_at,
        detail=content,
        protocol=protocol.label,
        suspected=content.state is EpisodeState.SUSPECTED,
        provisional=content.provisional,
    )


def make_death_alert_id(participant: str) -> str:
    """Return the id of the alert about a participant's death."""
    return make_alert_id(participant, "death")


def make_death_alert(
    participant: str, known: Anchors, at: datetime, protocol: Protocol
) -> Alert | None:
    """Return the alert that a death calls for; None when nobody died."""
    if known.died_at is None:
        return None
    policy = protocol.alerts
    detail = DeathDetail(
        cause=known.death_cause,
        transplant_day=known.find_transplant_day(known.died_at),
        treatment_day=known.find_treatment_day(known.died_at),
    )
    return Alert(
        id=make_death_alert_id(participant),
        level=Level.PARTICIPANT,
        kind=AlertKind.DEATH,
        study=protocol.study,
        about=participant,
        participant=participant,
        grade=5,
        roles=policy.tell_death,
        escalate_to=policy.escalate_to,
        acknowledge_within_s=int(policy.acknowledge_within.total_seconds()),
        opened_at=at,
        detail=detail,
        protocol=protocol.label,
        suspected=False,
    )


def make_quarantine_alert_id(subject: str) -> str:
    """Return the id of the alert about a participant who is set aside."""
    return make_alert_id(subject, "quarantined")


def make_quarantine_alert(subject: str, at: datetime, protocol: Protocol, error: str) -> Alert:
    """Return the alert that says that a participant's records are no longer up to date."""
    policy = protocol.alerts
    return Alert(
        id=make_quarantine_alert_id(subject),
        level=Level.OPERATIONS,
        kind=AlertKind.QUARANTINE,
        study=protocol.study,
        about=subject,
        participant=subject,
        grade=0,
        roles=("operator",),
        escalate_to=policy.tell,
        acknowledge_within_s=int(policy.acknowledge_within.total_seconds()),
        opened_at=at,
        detail=QuarantineDetail(error),
        protocol=protocol.label,
        suspected=False,
    )


def make_decision_alert(decision: Decision, protocol: Protocol, at: datetime) -> Alert | None:
    """Return the alert that *decision* calls for, None when it says to continue.

    A rule that is only watched, and one that the DSMB has answered with *continue* and that has
    counted nothing new, call for none.
    """
    kind = _KIND_OF.get(decision.signal)
    if kind is None or _is_silent(decision):
        return None
    return _of_rule(decision, kind, protocol, at)


def make_upper_grades_alert(decision: Decision, protocol: Protocol, at: datetime) -> Alert | None:
    """Return the alert of a boundary that incomplete grades reach at their upper ends alone.

    None when they do not, when the boundary is reached as it is counted, and of a rule that is
    silent (see `make_decision_alert`).
    """
    if not _is_at_upper_alone(decision) or _is_silent(decision):
        return None
    alert = _of_rule(decision, AlertKind.BOUNDARY_AT_UPPER, protocol, at)
    return replace(alert, grade=decision.upper, suspected=True)


def make_past_crossing_alert(decision: Decision, protocol: Protocol) -> Alert | None:
    """Return the alert of a boundary that was reached, was never told, and no longer is.

    It stands beside the alert of the same rule that says what is so now. *decision* is what the
    rule said when it was reached first; None when it called for no alert.
    """
    alert = make_decision_alert(decision, protocol, decision.as_of)
    since = decision.as_of.isoformat()
    return alert and replace(
        alert, id=make_alert_id(decision.study, decision.rule, alert.kind, since)
    )


def add_undone(then: Decision, now: Decision) -> Decision:
    """Return *then*, which reached the boundary, with what *now* is known and undid it."""
    counts = {one.participant for one in now.contributors}
    gone = (one.participant for one in then.contributors if one.participant not in counts)
    return replace(then, undone=Reversal(now.events, now.ess, tuple(gone)))


def _of_rule(decision: Decision, kind: AlertKind, protocol: Protocol, at: datetime) -> Alert:
    return Alert(
        id=make_alert_id(decision.study, decision.rule, kind),
        level=Level.STUDY,
        kind=kind,
        study=decision.study,
        about=decision.rule,
        participant="",
        grade=decision.events,
        roles=decision.tell,
        escalate_to=protocol.alerts.escalate_to,
        acknowledge_within_s=decision.acknowledge_within_s,
        opened_at=at,
        detail=decision,
        protocol=decision.protocol,
        suspected=decision.confirmed < decision.events,
    )


def _is_at_upper_alone(decision: Decision) -> bool:
    return decision.upper_crossed and decision.crossed_since is None


def _is_silent(decision: Decision) -> bool:
    return decision.watch_only or _is_answered(decision)


def _is_answered(decision: Decision) -> bool:
    silenced = decision.silenced_at_events
    return silenced is not None and decision.events <= silenced


def list_rule_alert_ids(decision: Decision) -> list[str]:
    """Return the ids of every alert that the rule may have raised."""
    return [make_alert_id(decision.study, decision.rule, kind) for kind in _OF_A_RULE]


def find_closed_alerts(decision: Decision) -> Mapping[str, ClosingReason]:
    """Return which alerts of the rule are over although no fact behind them was corrected."""
    found: dict[str, ClosingReason] = {}
    kind = _KIND_OF.get(decision.signal)
    said = [kind] if kind is not None else []
    said += [AlertKind.BOUNDARY_AT_UPPER] if _is_at_upper_alone(decision) else []
    if _is_answered(decision):
        found |= {
            make_alert_id(decision.study, decision.rule, one): ClosingReason.DSMB_ANSWER
            for one in said
        }
    if kind is AlertKind.BOUNDARY_REACHED:
        for less in (AlertKind.BOUNDARY_LIKELY, AlertKind.BOUNDARY_AT_UPPER):
            found[make_alert_id(decision.study, decision.rule, less)] = ClosingReason.STRONGER_ALERT
    return found


def find_changed_alerts(
    known: Mapping[str, Alert], wanted: Sequence[Alert], closed: Mapping[str, ClosingReason]
) -> list[Alert]:
    """Return the rows to write so that the alerts say *wanted*.

    Args:
        known: Every alert about the same things, by id, as stored.
        wanted: What the facts call for; what is known, not wanted and not closed is retracted.
        closed: What is over for another reason.
    """
    rows = []
    for alert in wanted:
        old = known.get(alert.id)
        if old is None:
            rows.append(alert)
        else:
            new = replace(alert, opened_at=old.opened_at, version=old.version)
            if new != old:
                rows.append(replace(new, version=old.version + 1))
    ids = {alert.id for alert in wanted}
    for key, old in sorted(known.items()):
        new = old if key in ids else _over(old, closed.get(key))
        if new != old:
            rows.append(replace(new, version=old.version + 1))
    return rows


def _over(old: Alert, why: ClosingReason | None) -> Alert:
    """Return *old* closed or retracted; what was overtaken ends with the alert that says more."""
    if old.retracted or (why is None and old.closed is ClosingReason.STRONGER_ALERT):
        return old
    return replace(old, closed=why, retracted=why is None)
