"""The effects of steps in the store: states, timers, records, standings, alert rows, at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import MappingProxyType

from services.runtime.failpoints import pass_failpoint
from services.safety_rules.application.fold_step import FoldStep
from services.safety_rules.domain.alerting import alerts_of_advice, alerts_of_records
from services.safety_rules.domain.ctcae.rule_book import Rules
from services.store import (
    alerts,
    outbox,
    participant_advice,
    records,
    states,
    timers,
    watched_facts,
)
from services.store.participant_order import record_told_until
from services.store.records import StandingRow
from services.store.session import Connection, Database
from services.store.watched_facts import MilestoneRow
from services.vocabulary.alert import Alert, ClosingReason
from services.vocabulary.recommendation import Advice

STANDING = "standing"  # purpose of the timer after which a standing is looked at again


class OvertakenError(Exception):
    """Another worker has advanced a participant: roll back, drop it from the cache, begin again."""


def record_steps(db: Database, rules: Rules, steps: Sequence[FoldStep]) -> Sequence[Alert]:
    """Write the effects of *steps* in one transaction; return the alert rows that are news.

    Raises:
        OvertakenError: Nothing is written.
    """
    if not steps:
        return ()
    pass_failpoint("fold.before_record")
    with db.write() as conn:
        _advance_states(conn, steps)
        timers.set_timers(conn, _collect_timers(steps))
        records.append_episodes(conn, [episode for step in steps for episode in step.episodes])
        standing_rows = [
            StandingRow(s.standing, s.known_at, s.seq)
            for step in steps
            for s in step.standing_changes
        ]
        records.append_standings(conn, standing_rows)
        changed_advice = {who: mine for step in steps for who, mine in step.advice.items()}
        participant_advice.replace_advice(conn, changed_advice)
        watched_facts.record_places(conn, [step.places for step in steps])
        watched_facts.record_milestones(conn, _collect_milestones(steps))
        raised_alerts = _raise_alerts(conn, rules, steps)
        outbox.announce_standings(conn, rules.protocol.study)
        pass_failpoint("fold.before_commit")
    pass_failpoint("fold.after_commit")
    return raised_alerts


def write_alerts(
    conn: Connection,
    alert_ids: Sequence[str],
    wanted_alerts: Sequence[Alert],
    closings: Mapping[str, ClosingReason] = MappingProxyType({}),
) -> list[Alert]:
    """Raise, change or close the alerts of *alert_ids*; return the rows that are new."""
    stored_alerts = {alert.id: alert for alert in alerts.load_alerts(conn, ids=alert_ids)}
    rows = alerts_of_records.find_changed_alerts(stored_alerts, wanted_alerts, closings)
    alerts.upsert_alerts(conn, rows)
    return rows


def _advance_states(conn: Connection, steps: Sequence[FoldStep]) -> None:
    """Advance the states; a member whose timers were applied may not have new facts since then."""
    deadlines = [
        (subject, seq, step.timers_until)
        for step in steps
        for subject, seq in step.folded_through.items()
    ]
    if not record_told_until(conn, deadlines):
        raise OvertakenError
    moves = [
        move for step in steps for move in zip(step.states_before, step.states_after, strict=True)
    ]
    if not states.advance_all(conn, moves):
        raise OvertakenError


def _collect_timers(steps: Sequence[FoldStep]) -> dict[str, dict[str, datetime]]:
    return {
        after.subject: _find_due_instants(step, after.subject)
        for step in steps
        for after in step.states_after
    }


def _collect_milestones(steps: Sequence[FoldStep]) -> list[MilestoneRow]:
    return [
        MilestoneRow(
            subject,
            survivor,
            anchors.graft_at,
            anchors.first_infusion_at,
            anchors.relapsed_at,
            anchors.died_at,
        )
        for step in steps
        for subject, (survivor, anchors) in step.milestones.items()
    ]


def _find_due_instants(step: FoldStep, subject: str) -> dict[str, datetime]:
    history = step.cached_history.history
    due = {
        STANDING: history.due_instants.get(subject),
        timers.ADVICE: history.find_advice(subject, step.as_of)[1],
    }
    return {purpose: at for purpose, at in due.items() if at is not None}


@dataclass(slots=True)
class _AlertChanges:
    """Ids of the alerts that may change, and the alerts that there have to be."""

    alert_ids: list[str] = field(default_factory=list)
    wanted_alerts: list[Alert] = field(default_factory=list)


def _raise_alerts(conn: Connection, rules: Rules, steps: Sequence[FoldStep]) -> list[Alert]:
    """Write the alert rows that the new versions of records call for."""
    changes = _AlertChanges()
    for step in steps:
        _add_episode_alerts(rules, step, changes)
        _add_death_alerts(rules, step, changes)
    _add_advice_alerts(conn, rules, steps, changes)
    return write_alerts(conn, changes.alert_ids, changes.wanted_alerts)


def _add_episode_alerts(rules: Rules, step: FoldStep, changes: _AlertChanges) -> None:
    episode_alerts: dict[str, Alert | None] = {}
    for episode in step.episodes:
        alert = alerts_of_records.make_episode_alert(episode, rules.protocol)
        earlier_alert = episode_alerts.get(episode.id)
        if alert is not None and earlier_alert is not None:
            alert = replace(alert, opened_at=earlier_alert.opened_at)
        episode_alerts[episode.id] = alert
    changes.wanted_alerts += [alert for alert in episode_alerts.values() if alert is not None]
    changes.alert_ids += [
        alerts_of_records.make_episode_alert_id(episode_id) for episode_id in episode_alerts
    ]


def _add_death_alerts(rules: Rules, step: FoldStep, changes: _AlertChanges) -> None:
    if step.known_at is None:
        return
    for state in step.states_after:
        anchors = step.cached_history.history.find_anchors(state.subject)
        death = alerts_of_records.make_death_alert(
            state.subject, anchors, step.known_at, rules.protocol
        )
        changes.alert_ids.append(alerts_of_records.make_death_alert_id(state.subject))
        changes.wanted_alerts += [death] if death else []


def _add_advice_alerts(
    conn: Connection, rules: Rules, steps: Sequence[FoldStep], changes: _AlertChanges
) -> None:
    changed_advice = {
        subject: (step, period.advice) for step in steps for subject, period in step.advice.items()
    }
    raised_alerts = alerts.load_alerts(conn, participants=sorted(changed_advice))
    for subject, (step, advice) in changed_advice.items():
        earlier_alerts = [
            (alert, alert.detail)
            for alert in raised_alerts
            if alert.participant == subject and isinstance(alert.detail, Advice)
        ]
        changes.alert_ids += [alert.id for alert, _ in earlier_alerts]
        changes.wanted_alerts += alerts_of_advice.make_advice_alerts(
            advice, earlier_alerts, step.known_at or step.as_of, rules.protocol
        )
