"""Alerts for past boundary crossings of which nobody was notified."""

from collections.abc import Sequence
from datetime import datetime

from services.runtime import log
from services.safety_rules.application.decide_study import decide_rules
from services.safety_rules.application.past_crossings import load_crossings
from services.safety_rules.application.record_step import write_alerts
from services.safety_rules.domain.alerting import alerts_of_records
from services.safety_rules.domain.ctcae.rule_book import Rules
from services.safety_rules.domain.stopping.look_back import BoundaryCrossing
from services.store import alerts, decisions, journal, states
from services.store.session import Connection, Database
from services.vocabulary.alert import Alert, AlertKind
from services.vocabulary.decision import Decision, Signal

_log = log.make_logger("safety_rules")


def find_missing_alerts(conn: Connection, rules: Rules) -> Sequence[Alert] | None:
    """Return the alert of every past crossing that is over and of which nobody was notified.

    It was over before the rules were decided, as when both facts came in one batch. The study step
    notifies of those that last. None: unknown while facts wait to be graded, or participants to be
    graded anew.
    """
    study = rules.protocol.study
    if journal.find_lagging_subjects(conn, 1) or states.is_refolding(conn, rules.version, study):
        return None
    crossings_over = {
        rule: [one for one in past if one.ended_at is not None]
        for rule, past in load_crossings(conn, rules).items()
    }
    if not any(crossings_over.values()):
        return ()
    decision_history = [row.decision for row in decisions.load_decision_history(conn, study)]
    raised_alerts = alerts.load_alerts(conn, study)
    missing_alerts = []
    for decision in decide_rules(conn, rules):
        for crossing in crossings_over[decision.rule] if decision.crossed_since is None else ():
            crossing_decision = next(
                d for d in decide_rules(conn, rules, crossing.crossed_at) if d.rule == decision.rule
            )
            if not (
                _was_decided(crossing_decision, crossing, decision_history)
                or _was_raised(crossing_decision, crossing, raised_alerts)
            ):
                undone_decision = alerts_of_records.add_undone(crossing_decision, decision)
                missing_alerts.append(
                    alerts_of_records.make_past_crossing_alert(undone_decision, rules.protocol)
                )
    return [alert for alert in missing_alerts if alert is not None]


def _was_decided(
    decision: Decision, crossing: BoundaryCrossing, decision_history: Sequence[Decision]
) -> bool:
    """True if a recorded decision tells of the crossing.

    It was made of what was known while the crossing lasted; or later, with the same participants,
    when some of what was known had not been graded yet.
    """
    participants = _list_contributors(decision)
    return any(
        one.rule == decision.rule
        and one.signal is Signal.BOUNDARY_REACHED
        and one.as_of >= crossing.crossed_at
        and (_holds(crossing, one.as_of) or participants <= _list_contributors(one))
        for one in decision_history
    )


def _was_raised(
    decision: Decision, crossing: BoundaryCrossing, raised_alerts: Sequence[Alert]
) -> bool:
    return any(
        one.about == decision.rule
        and one.kind is AlertKind.BOUNDARY_REACHED
        and _holds(crossing, one.opened_at)
        for one in raised_alerts
    )


def _holds(crossing: BoundaryCrossing, instant: datetime) -> bool:
    return crossing.crossed_at <= instant and (
        crossing.ended_at is None or instant < crossing.ended_at
    )


def _list_contributors(decision: Decision) -> set[str]:
    return {one.participant for one in decision.contributors}


def raise_missing_alerts(db: Database, rules: Rules) -> Sequence[Alert] | None:
    """Raise the alerts of `find_missing_alerts`; return them.

    None: facts wait to be graded, look again soon.
    """
    with db.read() as conn:
        missing_alerts = find_missing_alerts(conn, rules)
    if missing_alerts is None:
        return None
    if missing_alerts:
        with db.write() as conn:
            write_alerts(conn, [alert.id for alert in missing_alerts], missing_alerts)
    for alert in missing_alerts:
        _log.warning("crossing_was_not_told", rule=alert.about, alert=alert.id)
    return missing_alerts
