"""The alerts that the records and decisions of a study call for."""

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
    """Return the alert that *episode* calls for; None: it is below the protocol's grade.

    A record that may be that high, but is not for certain, calls for the missing inputs. Its grade
    is the lower end, so that people are notified again once it is certain.
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
    participant: str, anchors: Anchors, opened_at: datetime, protocol: Protocol
) -> Alert | None:
    """Return the alert that a death calls for; None: nobody died."""
    if anchors.died_at is None:
        return None
    policy = protocol.alerts
    detail = DeathDetail(
        cause=anchors.death_cause,
        transplant_day=anchors.find_transplant_day(anchors.died_at),
        treatment_day=anchors.find_treatment_day(anchors.died_at),
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
        opened_at=opened_at,
        detail=detail,
        protocol=protocol.label,
        suspected=False,
    )


def make_quarantine_alert_id(subject: str) -> str:
    """Return the id of the alert about a participant who is set aside."""
    return make_alert_id(subject, "quarantined")


def make_quarantine_alert(
    subject: str, opened_at: datetime, protocol: Protocol, error: str
) -> Alert:
    """Return the alert about a participant whose records are no longer up to date."""
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
        opened_at=opened_at,
        detail=QuarantineDetail(error),
        protocol=protocol.label,
        suspected=False,
    )


def make_decision_alert(
    decision: Decision, protocol: Protocol, opened_at: datetime
) -> Alert | None:
    """Return the alert that *decision* calls for; None: it says to continue.

    A rule that is only watched, and one that the DSMB has answered with *continue* and that has
    counted nothing new, call for none.
    """
    kind = _KIND_OF.get(decision.signal)
    if kind is None or _is_silent(decision):
        return None
    return _make_rule_alert(decision, kind, protocol, opened_at)


def make_upper_grades_alert(
    decision: Decision, protocol: Protocol, opened_at: datetime
) -> Alert | None:
    """Return the alert of a boundary that incomplete grades reach at their upper ends alone.

    None when they do not, when the boundary is reached as it is counted, and of a rule that is
    silent (see `make_decision_alert`).
    """
    if not _is_at_upper_alone(decision) or _is_silent(decision):
        return None
    alert = _make_rule_alert(decision, AlertKind.BOUNDARY_AT_UPPER, protocol, opened_at)
    return replace(alert, grade=decision.upper, suspected=True)


def make_past_crossing_alert(decision: Decision, protocol: Protocol) -> Alert | None:
    """Return the alert about a boundary that was reached, unnoticed, and no longer is.

    It stands beside the alert about the present state of the same rule. *decision* is that of the
    first crossing; None when it called for no alert.
    """
    alert = make_decision_alert(decision, protocol, decision.as_of)
    crossed_at = decision.as_of.isoformat()
    return alert and replace(
        alert, id=make_alert_id(decision.study, decision.rule, alert.kind, crossed_at)
    )


def add_undone(first_crossing: Decision, current: Decision) -> Decision:
    """Return *first_crossing* with the counts of *current*, which undid it."""
    counts = {one.participant for one in current.contributors}
    removed_participants = (
        one.participant for one in first_crossing.contributors if one.participant not in counts
    )
    return replace(
        first_crossing, undone=Reversal(current.events, current.ess, tuple(removed_participants))
    )


def _make_rule_alert(
    decision: Decision, kind: AlertKind, protocol: Protocol, opened_at: datetime
) -> Alert:
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
        opened_at=opened_at,
        detail=decision,
        protocol=decision.protocol,
        suspected=decision.confirmed < decision.events,
    )


def _is_at_upper_alone(decision: Decision) -> bool:
    return decision.upper_crossed and decision.crossed_since is None


def _is_silent(decision: Decision) -> bool:
    return decision.watch_only or _is_answered(decision)


def _is_answered(decision: Decision) -> bool:
    silenced_at = decision.silenced_at_events
    return silenced_at is not None and decision.events <= silenced_at


def list_rule_alert_ids(decision: Decision) -> list[str]:
    """Return the ids of every alert that the rule may have raised."""
    return [make_alert_id(decision.study, decision.rule, kind) for kind in _OF_A_RULE]


def find_closed_alerts(decision: Decision) -> Mapping[str, ClosingReason]:
    """Return the reason for each alert of the rule that closes without a correction."""
    closed_alerts: dict[str, ClosingReason] = {}
    kind = _KIND_OF.get(decision.signal)
    current_kinds = [kind] if kind is not None else []
    current_kinds += [AlertKind.BOUNDARY_AT_UPPER] if _is_at_upper_alone(decision) else []
    if _is_answered(decision):
        closed_alerts |= {
            make_alert_id(decision.study, decision.rule, one): ClosingReason.DSMB_ANSWER
            for one in current_kinds
        }
    if kind is AlertKind.BOUNDARY_REACHED:
        for weaker_kind in (AlertKind.BOUNDARY_LIKELY, AlertKind.BOUNDARY_AT_UPPER):
            closed_alerts[make_alert_id(decision.study, decision.rule, weaker_kind)] = (
                ClosingReason.STRONGER_ALERT
            )
    return closed_alerts


def find_changed_alerts(
    stored_alerts: Mapping[str, Alert],
    current_alerts: Sequence[Alert],
    closed_alerts: Mapping[str, ClosingReason],
) -> list[Alert]:
    """Return the rows to write so that the alerts become *current_alerts*.

    Args:
        stored_alerts: Every alert about the same things, by id, as stored.
        current_alerts: The alerts that the facts call for; any other that is stored and not
            closed is retracted.
        closed_alerts: The reasons of alerts that closed without a correction.
    """
    rows = []
    for alert in current_alerts:
        stored_alert = stored_alerts.get(alert.id)
        if stored_alert is None:
            rows.append(alert)
        else:
            new_version = replace(
                alert, opened_at=stored_alert.opened_at, version=stored_alert.version
            )
            if new_version != stored_alert:
                rows.append(replace(new_version, version=stored_alert.version + 1))
    ids = {alert.id for alert in current_alerts}
    for key, stored_alert in sorted(stored_alerts.items()):
        new_version = (
            stored_alert if key in ids else _end_alert(stored_alert, closed_alerts.get(key))
        )
        if new_version != stored_alert:
            rows.append(replace(new_version, version=stored_alert.version + 1))
    return rows


def _end_alert(alert: Alert, reason: ClosingReason | None) -> Alert:
    """Return *alert* closed or retracted; an overtaken one ends with the alert that overtook it."""
    if alert.retracted or (reason is None and alert.closed is ClosingReason.STRONGER_ALERT):
        return alert
    return replace(alert, closed=reason, retracted=reason is None)
