"""The adjudication of a record: a person confirms, rejects, regrades or attributes it."""

from dataclasses import dataclass
from datetime import datetime

from services.acts.append_act import Subject, Values, append_act
from services.acts.append_fact import make_fact_entry
from services.acts.record_readings import Readings, load_readings
from services.acts.refusal import ActRefusedError, ChangedSinceSeenError
from services.acts.seen_content import require_unchanged
from services.acts.study_context import StudyContext
from services.runtime.clock import now_utc
from services.store import journal, records
from services.store.acts import ActFilter, load_acts
from services.store.participant_order import find_families, lock_participants
from services.store.session import Connection
from services.vocabulary.act import Act, ActKind, Meaning
from services.vocabulary.episode import Episode, EpisodeContent
from services.vocabulary.fact import Fact
from services.vocabulary.judgement import Adjudication, Verdict
from services.vocabulary.person import Actor


@dataclass(frozen=True, slots=True)
class RecordVerdict:
    """The verdict of a person about one record.

    Args:
        record: Id.
        verdict: Of the person.
        reason: Never blank.
        grade: 1 to 5 with ``regrade``, else None.
        cause: With ``attribute``, else empty.
        seen_hash: Hash of the record as the person saw it, or how it begins; empty: not bound.
    """

    record: str
    verdict: Verdict
    reason: str
    grade: int | None = None
    cause: str = ""
    seen_hash: str = ""

    def describe(self) -> str:
        """Return the verdict in words.

        >>> RecordVerdict("r1", Verdict.REGRADE, "ECG normal", grade=2).describe()
        'regrade 2'
        """
        return " ".join(str(part) for part in (self.verdict, self.grade, self.cause) if part)


@dataclass(frozen=True, slots=True)
class AdjudicationOutcome:
    """The act that was written; None: the same person had said so, for the same reason.

    *waits_for* says whose verdict is missing until it is a decision; empty: it is one.
    """

    act: Act | None
    said_at: datetime
    waits_for: str = ""


def adjudicate(context: StudyContext, actor: Actor, verdict: RecordVerdict) -> AdjudicationOutcome:
    """Enter *verdict* as a fact and as an act, in one transaction.

    Where the protocol asks for two readers, a first verdict is an act alone.

    Raises:
        ActRefusedError: There is no such record, the verdict is not complete or not signed, or it
            is for somebody else to decide.
        ChangedSinceSeenError: The record is not as it was seen, or is decided otherwise since.
    """
    _require_complete(verdict)
    entry = make_fact_entry(context, actor)
    with context.db.write() as conn:
        lock_participants(conn, [load_record(conn, verdict.record).content.participant])
        record = load_record(conn, verdict.record)
        content = record.content
        seen_hash = require_unchanged(f"the record {content.term}", record, verdict.seen_hash)
        last_fact = _find_last_decision(conn, content)
        if last_fact and isinstance(last_fact.body, Adjudication):
            last_decision = last_fact.body
            is_own = _is_own(conn, content, last_decision, actor)
            agrees = _agrees(last_decision, verdict)
            if is_own and agrees and last_decision.reason == verdict.reason:
                return AdjudicationOutcome(None, last_decision.signed_at)
            if verdict.seen_hash and not is_own and not agrees:
                _require_graded(conn, last_fact)
        readings, kind = Readings(()), ActKind.ADJUDICATE
        if context.study.rules.protocol.two_readers:
            readings = load_readings(conn, record)
            kind = readings.choose_kind(actor, verdict.describe())
        signed_at = now_utc()
        if kind is not ActKind.READ_RECORD:
            body = Adjudication(
                content.criterion,
                verdict.verdict,
                _name_deciders(actor, kind, readings),
                verdict.reason,
                signed_at,
                verdict.grade,
                verdict.cause,
            )
            recorded_at = entry.append(conn, content.participant, content.onset_at, body)
            signed_at = recorded_at or signed_at
        act = append_act(
            conn,
            actor,
            kind,
            Subject(record.id, content.participant, seen_hash),
            Values(describe_standing(record), verdict.describe()),
            reason=verdict.reason,
            acted_at=signed_at,
            meaning=Meaning.REVIEW,
        )
        waits_for = _find_missing(conn, record) if kind is ActKind.READ_RECORD else ""
    return AdjudicationOutcome(act, signed_at, waits_for)


def _agrees(decision: Adjudication, verdict: RecordVerdict) -> bool:
    """Return True if *verdict* leaves the record as *decision* does."""
    earlier_words = (decision.verdict, decision.grade, decision.cause)
    return earlier_words == (verdict.verdict, verdict.grade, verdict.cause)


def _is_own(
    conn: Connection, content: EpisodeContent, decision: Adjudication, actor: Actor
) -> bool:
    """Return True if *actor* gave *decision*, by the act that was written with it.

    A name tells nobody: two persons may have the same.
    """
    own_acts = load_acts(
        conn,
        ActFilter(
            participants=[content.participant],
            person=actor.id,
            not_before=decision.signed_at,
            kinds=[ActKind.ADJUDICATE, ActKind.SETTLE],
        ),
    )
    return any(act.acted_at == decision.signed_at for act in own_acts)


def _require_graded(conn: Connection, decision: Fact) -> None:
    """Require that the record shows *decision*, which was entered since by somebody else.

    Raises:
        ChangedSinceSeenError: It is not graded yet: nobody has seen it on the record.
    """
    unfolded_facts = journal.load_unfolded_facts(conn, [decision.subject])
    if decision.id in {known.fact.id for known in unfolded_facts}:
        raise ChangedSinceSeenError(
            "another verdict of somebody else was signed since the record was shown, and is not"
            " graded yet: nothing is signed; look at it again in a moment"
        )


def _name_deciders(actor: Actor, kind: ActKind, readings: Readings) -> str:
    """Return the name of *actor*, after those of the readers who said the same before."""
    if kind is ActKind.SETTLE:
        return actor.name
    names = [act.actor.name for act in readings.acts if act.actor.id != actor.id]
    return " and ".join([*names, actor.name])


def _find_missing(conn: Connection, record: Episode) -> str:
    """Return whose verdict is missing until *record* is decided."""
    return "the chair" if load_readings(conn, record).differ else "a second reader"


def load_record(conn: Connection, record_id: str) -> Episode:
    """Return the newest version of the record of this id.

    Raises:
        ActRefusedError: There is none.
    """
    versions = records.load_episode_versions(conn, episode_id=record_id)
    if not versions:
        raise ActRefusedError(f"there is no record {record_id}")
    return max(versions, key=lambda episode: episode.version)


def describe_standing(record: Episode) -> str:
    """Return the state and the worst grade of *record*, and its cause if one was named."""
    content = record.content
    cause = f", attributed to {content.attribution}" if content.attribution else ""
    return f"{record.state}, worst grade {content.worst}{cause}"


def _require_complete(verdict: RecordVerdict) -> None:
    if (verdict.verdict is Verdict.REGRADE) != (verdict.grade is not None):
        raise ActRefusedError("a grade goes with regrade, and regrade needs it")
    if (verdict.verdict is Verdict.ATTRIBUTE) != bool(verdict.cause):
        raise ActRefusedError("a cause goes with attribute, and attribute needs it")


def _find_last_decision(conn: Connection, content: EpisodeContent) -> Fact | None:
    """Return the decision that was signed last about a record, graded or not; None: there is none.

    What was entered a moment ago may not be graded yet: it names the instant of the record's onset.
    """
    (family,) = find_families(conn, [content.participant])
    facts = [
        known.fact
        for subject in family
        for known in journal.load_facts_of_kind(conn, "adjudication", subject)
    ]
    decisions = (
        (fact.body.signed_at, fact)
        for fact in facts
        if isinstance(fact.body, Adjudication)
        and fact.body.criterion == content.criterion
        and (fact.id in content.adjudications or fact.observed_at == content.onset_at)
    )
    return max(decisions, key=lambda one: one[0], default=(None, None))[1]
