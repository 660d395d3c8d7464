"""The study step: what every stopping rule says now, and what of it is news."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType

from services.runtime.failpoints import pass_failpoint
from services.safety_rules.application.recompute import last_answer
from services.safety_rules.domain.alerting import alerts_of_records
from services.safety_rules.domain.ctcae.rule_book import Rules
from services.safety_rules.domain.stopping.monitor import decide_rule
from services.store import alerts, decisions, journal, participants, records, states
from services.store.records import StandingRow
from services.store.session import Connection, Database
from services.vocabulary.alert import Alert, AlertKind
from services.vocabulary.decision import Decision
from services.vocabulary.standing import ObservedStanding, Standing

_FRESH_TRIES = 1  # under load somebody is folded all the time; whoever folds has the rules speak


@dataclass(frozen=True, slots=True)
class Decided:
    """What the rules say, in the protocol's order, and the alert rows that this changed."""

    decisions: tuple[Decision, ...]
    alerts: tuple[Alert, ...] = ()


@dataclass(frozen=True, slots=True)
class Cut:
    """What was known at *at*: how everybody stands under each rule, by its id."""

    at: datetime
    standing: Mapping[str, Sequence[ObservedStanding]]


def cut(
    conn: Connection,
    rules: Rules,
    as_of: datetime | None = None,
    instead: Mapping[str, Sequence[Standing]] = MappingProxyType({}),
) -> Cut | None:
    """Return what was known at *as_of* (None: all that is known); None when nothing ever was.

    Reads the stored standings, each with the last instant at which its participant was observed;
    *instead* has others for some participants.
    """
    study = rules.protocol.study
    rows = records.load_latest_standings(conn, study, as_of)
    at = as_of or last_known(conn, study, rows)
    if at is None:
        return None
    until = journal.find_last_observations(conn, as_of, study)
    standing: dict[str, list[ObservedStanding]] = {rule.id: [] for rule in rules.protocol.rules}
    stored = [row.standing for row in rows if row.standing.participant not in instead]
    others = [one for of_one in instead.values() for one in of_one]
    for one in (s for s in (*stored, *others) if s.rule in standing):
        seen = until.get(one.participant, one.exposed_at or at)
        standing[one.rule].append(ObservedStanding(one, seen))
    return Cut(at, standing)


def status(
    conn: Connection,
    rules: Rules,
    as_of: datetime | None = None,
    instead: Mapping[str, Sequence[Standing]] = MappingProxyType({}),
) -> tuple[Decision, ...]:
    """Return what every rule says of what was known at *as_of* (None: of all that is known).

    A study without facts says *continue* of nobody; see `cut`.
    """
    protocol = rules.protocol
    known = cut(conn, rules, as_of, instead)
    if known is None:
        return ()
    answers = [
        answer.fact
        for answer in journal.load_facts_of_kind(conn, "determination", protocol.study)
        if as_of is None or answer.received_at <= as_of
    ]
    return tuple(
        decide_rule(
            protocol, rule, known.standing[rule.id], known.at, last_answer(answers, rule.id)
        )
        for rule in protocol.rules
    )


def last_known(conn: Connection, study: str, rows: Sequence[StandingRow]) -> datetime | None:
    """Return the last instant at which anything became known, also by a timer that was due."""
    received = participants.find_last_received(conn, study)
    known = [*(row.known_at for row in rows), *([received] if received else [])]
    return max(known, default=None)


def undecided(conn: Connection, rules: Rules) -> list[Decision]:
    """Return what the rules say now whose last recorded decision says something else.

    What was decided under another protocol is left out: see `of_other_protocol`. While a refold
    that was asked for is not done, nothing is to be decided.
    """
    if states.is_refolding(conn, rules.version, rules.protocol.study):
        return []
    made = _last_decisions(conn, rules)
    others = of_other_protocol(conn, rules)
    return [
        now
        for now in status(conn, rules)
        if now.rule not in others and says(now) != says(made.get(now.rule))
    ]


def of_other_protocol(conn: Connection, rules: Rules) -> list[str]:
    """Return the rules, by id, that have spoken, and not yet under the protocol of *rules*."""
    protocol, made = rules.protocol, _last_decisions(conn, rules)
    spoken = [rule.id for rule in protocol.rules if rule.id in made]
    return [rule for rule in spoken if made[rule].protocol != protocol.label]


def _last_decisions(conn: Connection, rules: Rules) -> Mapping[str, Decision]:
    rows = decisions.load_latest_decisions(conn, rules.protocol.study)
    return {row.decision.rule: row.decision for row in rows}


def study_step(db: Database, rules: Rules, made_at: datetime) -> Decided:
    """Record what is news in what the rules say, with the alerts that it calls for.

    Args:
        db: Migrated.
        rules: The running rules.
        made_at: The machine's clock, for the record.
    """
    tries = 0
    while (decided := _decide(db, rules, made_at, must_be_fresh=tries < _FRESH_TRIES)) is None:
        tries += 1
    return decided


def _decide(
    db: Database, rules: Rules, made_at: datetime, *, must_be_fresh: bool
) -> Decided | None:
    """Return what `study_step` does; None when what was read does not hold any more.

    Others may have decided meanwhile, perhaps on less than was read here: who has no news waits for
    them, too. And people may have been folded, which is looked at if what is written *must be
    fresh*: a worker that was paused would tell what is over. While a refold that was asked for is
    under way, what they said last holds: some are counted by other rules than others.
    """
    study = rules.protocol.study
    with db.read() as conn:
        told = _last_decisions(conn, rules)
        if states.is_refolding(conn, rules.version, study):
            return Decided(tuple(told[r.id] for r in rules.protocol.rules if r.id in told))
        moves = states.count_moves(conn)
        state = decisions.load_study_state(conn, study)
        cut = {row.subject: row.folded_through for row in states.load_states(conn)}
        now = [replace(decision, cut=cut) for decision in status(conn, rules)]
    news = [decision for decision in now if says(decision) != says(told.get(decision.rule))]
    if not news:
        with db.write() as conn:
            return Decided(tuple(now)) if decisions.is_at_state(conn, state) else None
    pass_failpoint("study.before_record")
    with db.write() as conn:
        if not decisions.advance_study(conn, state, cut):
            return None
        if must_be_fresh and states.count_moves(conn) != moves:
            conn.rollback()
            return None
        for decision in news:
            decisions.append_decision(conn, decision, made_at)
        rows = _raise(conn, rules, news)
        pass_failpoint("study.before_commit")
    pass_failpoint("study.after_commit")
    return Decided(tuple(now), tuple(rows))


def _raise(conn: Connection, rules: Rules, news: Sequence[Decision]) -> list[Alert]:
    calls_for = (alerts_of_records.make_decision_alert, alerts_of_records.make_upper_grades_alert)
    wanted = [
        alert
        for decision in news
        for call in calls_for
        if (alert := call(decision, rules.protocol, decision.as_of))
    ]
    about = [key for decision in news for key in alerts_of_records.list_rule_alert_ids(decision)]
    closed = {
        key: why for one in news for key, why in alerts_of_records.find_closed_alerts(one).items()
    }
    known = {alert.id: alert for alert in alerts.load_alerts(conn, ids=about)}
    said = {decision.rule: decision for decision in news}
    changed = alerts_of_records.find_changed_alerts(known, wanted, closed)
    return alerts.upsert_alerts(conn, [_with_reason(row, said[row.about]) for row in changed])


def _with_reason(alert: Alert, now: Decision) -> Alert:
    """Let a boundary that is taken back say what undid it."""
    then = alert.detail
    if not (
        alert.retracted and alert.kind is AlertKind.BOUNDARY_REACHED and isinstance(then, Decision)
    ):
        return alert
    return replace(alert, detail=alerts_of_records.add_undone(then, now))


def says(decision: Decision | None) -> object:
    """Return what makes a decision news; the passage of time alone does not."""
    if decision is None:
        return None
    return (
        decision.signal,
        decision.events,
        decision.confirmed,
        decision.upper,
        decision.evaluable,
        decision.complete,
        decision.contributors,
        decision.crossed_since,
        decision.certain,
        decision.confirmed_crossed,
        decision.upper_crossed,
        decision.determination,
        decision.silenced_at_events,
        decision.protocol,
    )
