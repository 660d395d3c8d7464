"""A fact that a person enters, within the transaction of the act that it is the effect of."""

import json
from dataclasses import dataclass
from datetime import datetime

from msgspec.structs import replace

from services.acts.intake import make_intake
from services.acts.refusal import ActRefusedError
from services.acts.study_context import StudyContext
from services.ingest.intake import Intake, Submission
from services.ingest.outcome import ENTERED
from services.runtime.canonical_json import write_canonical
from services.runtime.clock import now_utc
from services.store import journal
from services.store.participant_order import find_families
from services.store.session import Connection
from services.vocabulary.fact import Body, Fact
from services.vocabulary.judgement import Adjudication
from services.vocabulary.person import Actor


@dataclass(frozen=True, slots=True)
class FactEntry:
    """The way by which facts of one person reach the journal."""

    intake: Intake
    actor: Actor

    def append(
        self, conn: Connection, subject: str, observed_at: datetime, body: Body
    ) -> datetime | None:
        """Append a fact in the transaction of *conn*; return the time of its recording.

        An adjudication is signed at that time too. Where the latest decides, the last that was
        entered stands, also by a clock that was set back.

        Returns:
            None: it was known already, and nothing is appended.

        Raises:
            ActRefusedError: Nobody is called *subject*, or the fact cannot be used.
        """
        recorded_at = _find_recording_time(conn, subject, body.kind)
        if isinstance(body, Adjudication):
            body = replace(body, signed_at=recorded_at)
        line = {
            "subject": subject,
            "observed_at": observed_at.isoformat(),
            "reported_at": recorded_at.isoformat(),
            "body": json.loads(write_canonical(body)),
        }
        submission = Submission(
            json.dumps(line).encode(), ENTERED, actor=self.actor.id, form="facts"
        )
        outcome = self.intake.accept_within(conn, submission)
        if outcome.refusal is not None:
            raise ActRefusedError(str(outcome.refusal))
        if outcome.parked:
            problems = "; ".join(f"{item.reason}: {item.detail}" for item in outcome.parked)
            raise ActRefusedError(f"the fact cannot be used, and is not stored: {problems}")
        return recorded_at if outcome.facts and not outcome.duplicate else None


def make_fact_entry(context: StudyContext, actor: Actor) -> FactEntry:
    """Return the way by which *actor* enters facts of the study.

    Raises:
        UntrustedFileError: ``sites.yaml`` cannot be trusted.
    """
    return FactEntry(make_intake(context), actor)


def _find_recording_time(conn: Connection, subject: str, kind: str) -> datetime:
    """Return now, or just after the last fact of *kind* about the family of *subject*."""
    family = [member for members in find_families(conn, [subject]) for member in members]
    earlier_facts = [
        one.fact for member in family for one in journal.load_facts_of_kind(conn, kind, member)
    ]
    return journal.compute_known_at(
        max(map(_read_recording_time, earlier_facts), default=None), now_utc()
    )


def _read_recording_time(fact: Fact) -> datetime:
    body = fact.body
    signed_at = body.signed_at if isinstance(body, Adjudication) else fact.reported_at
    return max(fact.reported_at, signed_at)
