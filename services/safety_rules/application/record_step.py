"""What steps mean for the store: states, timers, records, standings and alert rows, at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import MappingProxyType

from services.runtime.failpoints import pass_failpoint
from services.safety_rules.application.fold_step import Step
from services.safety_rules.domain.alerting import alerts_of_advice, alerts_of_records
from services.safety_rules.domain.ctcae.rule_book import Rules
from services.store import alerts, outbox, records, states, timers
from services.store.participant_order import record_told_until
from services.store.records import StandingRow
from services.store.session import Connection, Database
from services.vocabulary.alert import Alert, ClosingReason
from services.vocabulary.recommendation import Advice

STANDING = "standing"  # purpose of the timer after which a standing is looked at again
ADVICE = "advice"  # the same, of what is recommended


class OvertakenError(Exception):
    """Somebody else has moved a participant on: roll back, forget them, and begin again."""


def record(db: Database, rules: Rules, steps: Sequence[Step]) -> Sequence[Alert]:
    """Write the effects of *steps* in one transaction; return the alert rows that are news.

    Raises:
        OvertakenError: Nothing is written.
    """
    if not steps:
        return ()
    pass_failpoint("fold.before_record")
    with db.write() as conn:
        _move_on(conn, steps)
        timers.set_timers(conn, _timers(steps))
        records.append_episodes(conn, [episode for step in steps for episode in step.episodes])
        stood = [StandingRow(s.standing, s.known_at, s.seq) for step in steps for s in step.stood]
        records.append_standings(conn, stood)
        raised = _raise(conn, rules, steps)
        outbox.announce_standings(conn, rules.protocol.study)
        pass_failpoint("fold.before_commit")
    pass_failpoint("fold.after_commit")
    return raised


def write_alerts(
    conn: Connection,
    about: Sequence[str],
    wanted: Sequence[Alert],
    closed: Mapping[str, ClosingReason] = MappingProxyType({}),
) -> list[Alert]:
    """Let the alerts of the ids *about* be *wanted* or *closed*; return the rows that are new."""
    known = {alert.id: alert for alert in alerts.load_alerts(conn, ids=about)}
    rows = alerts_of_records.find_changed_alerts(known, wanted, closed)
    alerts.upsert_alerts(conn, rows)
    return rows


def _move_on(conn: Connection, steps: Sequence[Step]) -> None:
    """Let all be as far as their steps; time was told to some, who may not have new facts then."""
    told = sorted((who, seq, step.until) for step in steps for who, seq in step.through.items())
    for who, seq, until in told:  # in the order in which ingest holds their rows, too
        if not record_told_until(conn, who, seq, until):
            raise OvertakenError
    moves = [move for step in steps for move in zip(step.before, step.after, strict=True)]
    if not states.advance_all(conn, moves):
        raise OvertakenError


def _timers(steps: Sequence[Step]) -> dict[str, dict[str, datetime]]:
    return {after.subject: _due(step, after.subject) for step in steps for after in step.after}


def _due(step: Step, subject: str) -> dict[str, datetime]:
    chronicle = step.remembered.chronicle
    due = {
        STANDING: chronicle.due_instants.get(subject),
        ADVICE: chronicle.find_advice(subject, step.at)[1],
    }
    return {purpose: at for purpose, at in due.items() if at is not None}


@dataclass(slots=True)
class _Asked:
    """The alerts that somebody looked into (ids), and those that there have to be."""

    about: list[str] = field(default_factory=list)
    wanted: list[Alert] = field(default_factory=list)


def _raise(conn: Connection, rules: Rules, steps: Sequence[Step]) -> list[Alert]:
    """Write the alert rows that the new versions of records call for."""
    asked = _Asked()
    for step in steps:
        _of_episodes(rules, step, asked)
        _of_deaths(rules, step, asked)
    _of_advice(conn, rules, steps, asked)
    return write_alerts(conn, asked.about, asked.wanted)


def _of_episodes(rules: Rules, step: Step, asked: _Asked) -> None:
    found: dict[str, Alert | None] = {}
    for episode in step.episodes:
        alert = alerts_of_records.make_episode_alert(episode, rules.protocol)
        before = found.get(episode.id)
        if alert is not None and before is not None:
            alert = replace(alert, opened_at=before.opened_at)
        found[episode.id] = alert
    asked.wanted += [alert for alert in found.values() if alert is not None]
    asked.about += [alerts_of_records.make_episode_alert_id(episode_id) for episode_id in found]


def _of_deaths(rules: Rules, step: Step, asked: _Asked) -> None:
    if step.known_at is None:
        return
    for state in step.after:
        known = step.remembered.chronicle.find_anchors(state.subject)
        death = alerts_of_records.make_death_alert(
            state.subject, known, step.known_at, rules.protocol
        )
        asked.about.append(alerts_of_records.make_death_alert_id(state.subject))
        asked.wanted += [death] if death else []


def _of_advice(conn: Connection, rules: Rules, steps: Sequence[Step], asked: _Asked) -> None:
    news = {subject: (step, found) for step in steps for subject, found in step.advice.items()}
    raised = alerts.load_alerts(conn, participants=sorted(news))
    for subject, (step, found) in news.items():
        said = [
            (alert, alert.detail)
            for alert in raised
            if alert.participant == subject and isinstance(alert.detail, Advice)
        ]
        asked.about += [alert.id for alert, _ in said]
        asked.wanted += alerts_of_advice.make_advice_alerts(
            found, said, step.known_at or step.at, rules.protocol
        )
