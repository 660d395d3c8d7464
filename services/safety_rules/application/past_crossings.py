"""Whether a rule was ever at its boundary, by replay of all that was known, and who was told."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from services.runtime import log
from services.safety_rules.application.decide_study import last_known, status
from services.safety_rules.application.record_step import write_alerts
from services.safety_rules.domain.alerting import alerts_of_records
from services.safety_rules.domain.ctcae.rule_book import Rules
from services.safety_rules.domain.stopping.look_back import (
    BoundaryCrossing,
    find_crossings,
    find_first_crossings,
    list_knowledge_changes,
)
from services.store import alerts, decisions, journal, records, states
from services.store.session import Connection, Database
from services.vocabulary.alert import Alert, AlertKind
from services.vocabulary.decision import Decision, Signal
from services.vocabulary.standing import Standing

_log = log.make_logger("safety_rules")


def ever_crossed(
    conn: Connection, rules: Rules, as_of: datetime | None = None
) -> Mapping[str, datetime | None]:
    """Return since when each rule, by id, was first at its boundary; None: it never was.

    The instant is one of knowledge: `status` as of it says *boundary reached*. What was known after
    *as_of* is left out (None: nothing is).
    """
    return find_first_crossings(past_crossings(conn, rules, as_of))


def past_crossings(
    conn: Connection, rules: Rules, as_of: datetime | None = None
) -> Mapping[str, Sequence[BoundaryCrossing]]:
    """Return when each rule, by id, was at its boundary with what was known then."""
    study = rules.protocol.study
    upto = as_of or last_known(conn, study, records.load_latest_standings(conn, study))
    if upto is None:
        return {rule.id: () for rule in rules.protocol.rules}
    observed = journal.load_observation_instants(conn, study, upto)
    learned = list_knowledge_changes(_stood(conn, study, upto), observed)
    return find_crossings(rules.protocol.rules, learned, upto)


def _stood(conn: Connection, study: str, upto: datetime) -> Iterator[tuple[datetime, Standing]]:
    """Yield the standings known by *upto*, as `status` reads them: the newest version holds."""
    newest: dict[tuple[str, str], int] = {}
    rows = [row for row in records.load_standing_versions(conn, study) if row.known_at <= upto]
    for row in sorted(rows, key=lambda row: (row.known_at, row.version)):
        key = row.standing.participant, row.standing.rule
        if row.version > newest.get(key, 0):
            newest[key] = row.version
            yield row.known_at, row.standing


def untold(conn: Connection, rules: Rules) -> Sequence[Alert] | None:
    """Return the alert of every boundary that was reached, no longer is, and that nobody was told.

    What undid it was known before the rules spoke, as when both came in one batch. What is not over
    is told by the study step. None: that cannot be said while facts wait to be graded, or
    participants to be graded anew.
    """
    study = rules.protocol.study
    if journal.find_lagging_subjects(conn, 1) or states.is_refolding(conn, rules.version, study):
        return None
    over = {
        rule: [one for one in past if one.ended_at is not None]
        for rule, past in past_crossings(conn, rules).items()
    }
    if not any(over.values()):
        return ()
    made = [row.decision for row in decisions.load_decision_history(conn, study)]
    raised = alerts.load_alerts(conn, study)
    found = []
    for now in status(conn, rules):
        for one in over[now.rule] if now.crossed_since is None else ():
            then = next(d for d in status(conn, rules, one.crossed_at) if d.rule == now.rule)
            if not (_was_decided(then, one, made) or _was_raised(then, one, raised)):
                said = alerts_of_records.add_undone(then, now)
                found.append(alerts_of_records.make_past_crossing_alert(said, rules.protocol))
    return [alert for alert in found if alert is not None]


def _was_decided(then: Decision, crossing: BoundaryCrossing, made: Sequence[Decision]) -> bool:
    """Say whether a recorded decision tells of it.

    It was made of what was known while it was so; or later, with the same participants, when some
    of what was known had not been graded yet.
    """
    counted = _who(then)
    return any(
        one.rule == then.rule
        and one.signal is Signal.BOUNDARY_REACHED
        and one.as_of >= crossing.crossed_at
        and (_holds(crossing, one.as_of) or counted <= _who(one))
        for one in made
    )


def _was_raised(then: Decision, crossing: BoundaryCrossing, raised: Sequence[Alert]) -> bool:
    return any(
        one.about == then.rule
        and one.kind is AlertKind.BOUNDARY_REACHED
        and _holds(crossing, one.opened_at)
        for one in raised
    )


def _holds(crossing: BoundaryCrossing, at: datetime) -> bool:
    return crossing.crossed_at <= at and (crossing.ended_at is None or at < crossing.ended_at)


def _who(decision: Decision) -> set[str]:
    return {one.participant for one in decision.contributors}


def tell_past_crossings(db: Database, rules: Rules) -> Sequence[Alert] | None:
    """Raise an alert for every boundary that was reached and never told; return those.

    None: facts wait to be graded, look again soon.
    """
    with db.read() as conn:
        wanted = untold(conn, rules)
    if wanted is None:
        return None
    if wanted:
        with db.write() as conn:
            write_alerts(conn, [alert.id for alert in wanted], wanted)
    for alert in wanted:
        _log.warning("crossing_was_not_told", rule=alert.about, alert=alert.id)
    return wanted
