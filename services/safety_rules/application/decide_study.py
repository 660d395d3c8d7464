"""The study step: decide every stopping rule, and record the decisions that are news."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType

from services.runtime.failpoints import pass_failpoint
from services.safety_rules.domain.alerting import alerts_of_records
from services.safety_rules.domain.ctcae.rule_book import Rules
from services.safety_rules.domain.stopping.monitor import decide_rule
from services.safety_rules.domain.stopping.observation import observe_standings
from services.store import (
    alerts,
    decisions,
    journal,
    observation_times,
    participants,
    records,
    states,
)
from services.store.decisions import LastDecisions
from services.store.records import StandingRow
from services.store.session import Connection, Database
from services.vocabulary.alert import Alert, AlertKind
from services.vocabulary.decision import Decision
from services.vocabulary.fact import Fact
from services.vocabulary.judgement import Determination
from services.vocabulary.standing import ObservedStanding, Standing

Decide = Callable[[Connection, Rules], tuple[Decision, ...]]

_FRESH_TRIES = 1  # under load somebody is folded all the time; whoever folds has the rules speak


@dataclass(frozen=True, slots=True)
class StudyDecisions:
    """The decisions, in the protocol's order, and the alert rows that they changed."""

    decisions: tuple[Decision, ...]
    alerts: tuple[Alert, ...] = ()


@dataclass(frozen=True, slots=True)
class Cut:
    """The knowledge at *as_of*: the standings under each rule, by its id."""

    as_of: datetime
    standings: Mapping[str, Sequence[ObservedStanding]]


def load_cut(
    conn: Connection,
    rules: Rules,
    as_of: datetime | None = None,
    replacements: Mapping[str, Sequence[Standing]] = MappingProxyType({}),
) -> Cut | None:
    """Return the cut at *as_of* (None: of all that is known); None when nothing ever was.

    Reads the stored standings, each with the last instant at which its participant was observed;
    *replacements* has others for some participants.
    """
    study = rules.protocol.study
    rows = records.load_latest_standings(conn, study, as_of)
    cut_at = as_of or find_last_known_at(conn, study, rows)
    if cut_at is None:
        return None
    last_observations = observation_times.find_last_observations(conn, as_of, study)
    standings: dict[str, list[Standing]] = {rule.id: [] for rule in rules.protocol.rules}
    stored_standings = [
        row.standing for row in rows if row.standing.participant not in replacements
    ]
    replaced_standings = [one for of_one in replacements.values() for one in of_one]
    for standing in (s for s in (*stored_standings, *replaced_standings) if s.rule in standings):
        standings[standing.rule].append(standing)
    observed_standings = {
        rule: observe_standings(under_rule, last_observations, cut_at)
        for rule, under_rule in standings.items()
    }
    return Cut(cut_at, observed_standings)


def decide_rules(
    conn: Connection,
    rules: Rules,
    as_of: datetime | None = None,
    replacements: Mapping[str, Sequence[Standing]] = MappingProxyType({}),
) -> tuple[Decision, ...]:
    """Return the decision of every rule at the cut *as_of* (None: of all that is known).

    Of a study without facts there is none; see `load_cut`.
    """
    protocol = rules.protocol
    cut = load_cut(conn, rules, as_of, replacements)
    if cut is None:
        return ()
    determinations = load_determinations(conn, protocol.study, as_of)
    return tuple(
        decide_rule(
            protocol,
            rule,
            cut.standings[rule.id],
            cut.as_of,
            find_last_determination(determinations, rule.id),
        )
        for rule in protocol.rules
    )


def load_determinations(conn: Connection, study: str, as_of: datetime | None = None) -> list[Fact]:
    """Return the DSMB's answers, as known at *as_of* (None: all)."""
    return [
        answer.fact
        for answer in journal.load_facts_of_kind(conn, "determination", study)
        if as_of is None or answer.received_at <= as_of
    ]


def find_last_determination(facts: Iterable[Fact], rule: str) -> Determination | None:
    """Return the DSMB's last answer to *rule* among *facts*; None when there is none."""
    determinations = [
        (fact.reported_at, fact.digest, fact.body)
        for fact in facts
        if isinstance(fact.body, Determination) and fact.body.rule == rule
    ]
    return max(determinations, key=lambda one: one[:2])[2] if determinations else None


def find_last_known_at(
    conn: Connection, study: str, rows: Sequence[StandingRow]
) -> datetime | None:
    """Return the last instant at which anything became known, also by a timer that was due."""
    received = participants.find_last_received(conn, study)
    instants = [*(row.known_at for row in rows), *([received] if received else [])]
    return max(instants, default=None)


def find_outdated_decisions(conn: Connection, rules: Rules) -> list[Decision]:
    """Return the decisions that differ from the last recorded ones.

    A rule decided under another protocol is left out: see `list_rules_of_other_protocol`.
    While a requested refold is not done, nothing is to be decided.
    """
    if states.is_refolding(conn, rules.version, rules.protocol.study):
        return []
    last_decisions = decisions.load_decisions_by_rule(conn, rules.protocol.study)
    other_rules = list_rules_of_other_protocol(conn, rules)
    return [
        now
        for now in decide_rules(conn, rules)
        if now.rule not in other_rules
        and extract_news_fields(now) != extract_news_fields(last_decisions.get(now.rule))
    ]


def list_rules_of_other_protocol(conn: Connection, rules: Rules) -> list[str]:
    """Return the rules, by id, whose last decision was under another protocol."""
    protocol = rules.protocol
    last_decisions = decisions.load_decisions_by_rule(conn, protocol.study)
    spoken = [rule.id for rule in protocol.rules if rule.id in last_decisions]
    return [rule for rule in spoken if last_decisions[rule].protocol != protocol.label]


def run_study_step(
    db: Database,
    rules: Rules,
    made_at: datetime,
    decide: Decide = decide_rules,
    last_decisions: LastDecisions | None = None,
) -> StudyDecisions:
    """Record the decisions that are news, with their alerts.

    Args:
        db: Migrated.
        rules: The running rules.
        made_at: The machine's clock, for the record.
        decide: `decide_rules`, or what says the same from the look before.
        last_decisions: Kept by the caller from the step before; None: read anew.
    """
    tries, known_decisions = 0, last_decisions or LastDecisions()
    while (
        result := _decide(
            db, rules, made_at, decide, known_decisions, must_be_fresh=tries < _FRESH_TRIES
        )
    ) is None:
        tries += 1
    return result


def _decide(
    db: Database,
    rules: Rules,
    made_at: datetime,
    decide: Decide,
    known_decisions: LastDecisions,
    *,
    must_be_fresh: bool,
) -> StudyDecisions | None:
    """Return the result of `run_study_step`; None when the data read do not hold any more.

    Others may have decided meanwhile, perhaps on less than was read here: who has no news waits for
    them, too. And people may have been folded, which is looked at if what is written *must be
    fresh*: a worker that was paused would tell what is over. While a refold that was asked for is
    under way, the last decisions hold: some participants are counted by other rules than others.
    """
    study = rules.protocol.study
    with db.read() as conn:
        state = decisions.load_study_state(conn, study)
        last_decisions = known_decisions.load_decisions(conn, state)
        if states.is_refolding(conn, rules.version, study):
            return StudyDecisions(
                tuple(last_decisions[r.id] for r in rules.protocol.rules if r.id in last_decisions)
            )
        decisions_now = decide(conn, rules)
        news = [
            decision
            for decision in decisions_now
            if extract_news_fields(decision)
            != extract_news_fields(last_decisions.get(decision.rule))
        ]
        moves = states.count_steps(conn) if news else 0
        cut = {row.subject: row.folded_through for row in states.load_states(conn)} if news else {}
    if not news:
        with db.write() as conn:
            return StudyDecisions(decisions_now) if decisions.is_at_state(conn, state) else None
    pass_failpoint("study.before_record")
    with db.write() as conn:
        if not decisions.advance_study(conn, state, cut):
            return None
        if must_be_fresh and states.count_steps(conn) != moves:
            conn.rollback()
            return None
        for decision in news:
            decisions.append_decision(conn, replace(decision, cut=cut), made_at)
        rows = _raise_alerts(conn, rules, news)
        pass_failpoint("study.before_commit")
    pass_failpoint("study.after_commit")
    return StudyDecisions(decisions_now, tuple(rows))


def _raise_alerts(conn: Connection, rules: Rules, news: Sequence[Decision]) -> list[Alert]:
    calls_for = (alerts_of_records.make_decision_alert, alerts_of_records.make_upper_grades_alert)
    wanted_alerts = [
        alert
        for decision in news
        for call in calls_for
        if (alert := call(decision, rules.protocol, decision.as_of))
    ]
    alert_ids = [
        key for decision in news for key in alerts_of_records.list_rule_alert_ids(decision)
    ]
    closings = {
        key: why for one in news for key, why in alerts_of_records.find_closed_alerts(one).items()
    }
    stored_alerts = {alert.id: alert for alert in alerts.load_alerts(conn, ids=alert_ids)}
    decisions_by_rule = {decision.rule: decision for decision in news}
    changed_alerts = alerts_of_records.find_changed_alerts(stored_alerts, wanted_alerts, closings)
    return alerts.upsert_alerts(
        conn, [_add_reason(row, decisions_by_rule[row.about]) for row in changed_alerts]
    )


def _add_reason(alert: Alert, decision: Decision) -> Alert:
    """Return *alert*, with the reason when a reached boundary is taken back."""
    crossing = alert.detail
    if not (
        alert.retracted
        and alert.kind is AlertKind.BOUNDARY_REACHED
        and isinstance(crossing, Decision)
    ):
        return alert
    return replace(alert, detail=alerts_of_records.add_undone(crossing, decision))


def extract_news_fields(decision: Decision | None) -> object:
    """Return the fields that make a decision news; the passage of time alone does not."""
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
        decision.uncountable,
        decision.protocol,
    )
