"""How a person's facts and files get into the journal from the command line."""

import json
from dataclasses import replace
from datetime import datetime

from services.cli.command import CommandError
from services.cli.shared.open_study import StudyContext
from services.ingest.adapters.code_tables import load_code_tables
from services.ingest.adapters.study_sites import load_sites
from services.ingest.application import Intake, Outcome, Submission
from services.runtime import wire
from services.runtime.clock import now_utc
from services.store import journal
from services.store.participant_order import find_families
from services.vocabulary.fact import Adjudication, Body, Fact


def intake_of(context: StudyContext) -> Intake:
    """Return where messages enter.

    Raises:
        UntrustedFileError: ``sites.yaml`` cannot be trusted.
    """
    tables = load_code_tables()
    sites = load_sites(context.settings.study, tables)
    return Intake(
        context.db,
        context.keys,
        context.study_id,
        sites,
        tables,
        now_utc,
        by_message=context.settings.clock == "message",
    )


def enter(context: StudyContext, subject: str, at: datetime, body: Body, by: str) -> Outcome:
    """Let one fact be known, as entered by *by* now, which is also when an adjudication is signed.

    Of what decides by its time the last that was entered stands, also by a clock that was set back.

    Raises:
        CommandError: Nobody is called *subject*, or the time lies in the future.
    """
    said_at = _after_the_last(context, subject, body.kind)
    if isinstance(body, Adjudication):
        body = replace(body, signed_at=said_at)
    line = {
        "subject": subject,
        "observed_at": at.isoformat(),
        "reported_at": said_at.isoformat(),
        "body": json.loads(wire.write_canonical(body)),
    }
    incoming = Submission(json.dumps(line).encode(), "person", actor=by, form="facts")
    outcome = intake_of(context).accept([incoming])[0]
    if outcome.refusal is not None:
        raise CommandError(str(outcome.refusal))
    if outcome.parked:
        why = "; ".join(f"{item.reason}: {item.detail}" for item in outcome.parked)
        raise CommandError(f"the fact is parked ({why}): see `aegis parked list`")
    return outcome


def _after_the_last(context: StudyContext, subject: str, kind: str) -> datetime:
    """Return now, or just after the last fact of *kind* about the family of *subject*."""
    with context.db.read() as conn:
        family = [member for members in find_families(conn, [subject]) for member in members]
        known = [
            one.fact for member in family for one in journal.load_facts_of_kind(conn, kind, member)
        ]
    return journal.compute_known_at(max(map(_said_at, known), default=None), now_utc())


def _said_at(fact: Fact) -> datetime:
    body = fact.body
    signed_at = body.signed_at if isinstance(body, Adjudication) else fact.reported_at
    return max(fact.reported_at, signed_at)
