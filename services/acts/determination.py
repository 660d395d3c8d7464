"""The determination of the DSMB: its answer to a stopping rule."""

from dataclasses import dataclass

from services.acts.append_act import Subject, Values, append_act
from services.acts.append_fact import make_fact_entry
from services.acts.refusal import ActRefusedError, ChangedSinceSeenError
from services.acts.seen_content import require_unchanged
from services.acts.study_context import StudyContext
from services.alerts.acknowledgement import acknowledge_within
from services.runtime.clock import now_utc
from services.safety_rules.application.decide_study import (
    find_last_determination,
    load_determinations,
)
from services.store import alerts, decisions
from services.store.decisions import DecisionRow
from services.store.participant_order import lock_participants
from services.store.session import Connection
from services.vocabulary.act import Act, ActKind, Meaning
from services.vocabulary.alert import AlertKind
from services.vocabulary.decision import Decision
from services.vocabulary.judgement import Answer, Determination
from services.vocabulary.person import Actor


@dataclass(frozen=True, slots=True)
class RuleAnswer:
    """The answer of a person to one stopping rule.

    Args:
        rule: Id.
        answer: Of the board.
        reason: Never blank.
        seen_hash: Hash of the decision as the person saw it, or how it begins; empty: not bound.
    """

    rule: str
    answer: Answer
    reason: str
    seen_hash: str = ""


@dataclass(frozen=True, slots=True)
class DeterminationOutcome:
    """The act that was written, and the decision of the rule that it answers."""

    act: Act
    decision: Decision


def determine(context: StudyContext, actor: Actor, answer: RuleAnswer) -> DeterminationOutcome:
    """Enter *answer* as a fact and as an act, in one transaction.

    Who answers has also seen the open alerts of the rule: they are acknowledged with it.

    Raises:
        ActRefusedError: The rule has no decision.
        ChangedSinceSeenError: The decision is not as it was seen, or was answered since.
    """
    entry = make_fact_entry(context, actor)
    with context.db.write() as conn:
        lock_participants(conn, [context.study_id])
        row = load_decision(conn, context.study_id, answer.rule)
        decision = row.decision
        seen_hash = require_unchanged(f"the decision of {answer.rule}", decision, answer.seen_hash)
        if answer.seen_hash:
            _require_told(conn, decision)
        body = Determination(
            answer.rule,
            row.id,
            answer.answer,
            actor.name,
            answer.reason,
            decision.events,
            tuple(one.participant for one in decision.contributors),
        )
        said_at = entry.append(conn, context.study_id, now_utc(), body) or now_utc()
        act = append_act(
            conn,
            actor,
            ActKind.DETERMINE,
            Subject(answer.rule, seen_hash=seen_hash),
            Values(f"{decision.signal}, {decision.events} events", str(answer.answer)),
            reason=answer.reason,
            acted_at=said_at,
            meaning=Meaning.APPROVAL,
        )
        _acknowledge_alerts(conn, context.study_id, act, decision)
    return DeterminationOutcome(act, decision)


def load_decision(conn: Connection, study: str, rule: str) -> DecisionRow:
    """Return the newest decision of *rule*.

    Raises:
        ActRefusedError: There is none.
    """
    rows = {row.decision.rule: row for row in decisions.load_latest_decisions(conn, study)}
    if rule not in rows:
        rule_ids = ", ".join(sorted(rows)) or "none yet"
        raise ActRefusedError(f"no decision of {rule} to answer; there are: {rule_ids}")
    return rows[rule]


def _require_told(conn: Connection, decision: Decision) -> None:
    """Require that *decision* tells the last answer to its rule.

    Raises:
        ChangedSinceSeenError: The rule was answered otherwise a moment ago.
    """
    last_answer = find_last_determination(load_determinations(conn, decision.study), decision.rule)
    if last_answer and last_answer.answer != decision.determination:
        raise ChangedSinceSeenError(
            f"{last_answer.by} has answered {decision.rule} with {last_answer.answer} since it was"
            " shown: nothing is signed; look at it again in a moment"
        )


def _acknowledge_alerts(conn: Connection, study: str, act: Act, decision: Decision) -> None:
    """Acknowledge the rule's open alerts that say no more than *decision*: who answers saw that."""
    for alert in alerts.load_alerts(conn, study):
        if alert.about == decision.rule and alert.is_open:
            is_at_upper = alert.kind is AlertKind.BOUNDARY_AT_UPPER
            highest_grade = decision.upper if is_at_upper else decision.events
            comment = f"{act.new_value}: {act.reason}"
            acknowledge_within(
                conn, alert.id, act.actor, comment, act.acted_at, highest_grade=highest_grade
            )
