"""Facts of a person, and files, from the command line into the journal."""

import json
from dataclasses import replace
from datetime import datetime

from services.cli.command import CommandError
from services.cli.shared.open_study import StudyContext
from services.ingest.adapters.code_tables import load_code_tables
from services.ingest.adapters.study_sites import load_sites
from services.ingest.closed_texts import ClosedTexts
from services.ingest.fact_names import FactNames
from services.ingest.intake import Intake, Outcome, Submission
from services.runtime.canonical_json import write_canonical
from services.runtime.clock import now_utc
from services.runtime.limit_settings import LimitSettings
from services.runtime.settings import read_settings
from services.safety_rules.adapters.study_rules import StudyRules
from services.store import journal
from services.store.participant_order import find_families
from services.vocabulary.fact import Body, Fact
from services.vocabulary.judgement import Adjudication


def make_intake(context: StudyContext) -> Intake:
    """Return the intake of the study.

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
        make_fact_names(context.study),
        now_utc,
        by_message=context.settings.clock == "message",
        most_items=read_settings(LimitSettings).message_items,
    )


def make_fact_names(study: StudyRules) -> FactNames:
    """Return the names that facts of *study* may use."""
    rules = study.rules
    texts = ClosedTexts(load_code_tables(), rules.knows_cause_of_death)
    return FactNames(frozenset(rules.measures), rules.list_criteria(), texts)


def enter_fact(
    context: StudyContext, subject: str, observed_at: datetime, body: Body, actor: str
) -> Outcome:
    """Enter one fact as *actor*, recorded now; an adjudication is signed at that time too.

    Where the latest decides, the last that was entered stands, also by a clock that was set back.

    Raises:
        CommandError: Nobody is called *subject*, or the time lies in the future.
    """
    recorded_at = _find_recording_time(context, subject, body.kind)
    if isinstance(body, Adjudication):
        body = replace(body, signed_at=recorded_at)
    line = {
        "subject": subject,
        "observed_at": observed_at.isoformat(),
        "reported_at": recorded_at.isoformat(),
        "body": json.loads(write_canonical(body)),
    }
    submission = Submission(json.dumps(line).encode(), "person", actor=actor, form="facts")
    outcome = make_intake(context).accept([submission])[0]
    if outcome.refusal is not None:
        raise CommandError(str(outcome.refusal))
    if outcome.parked:
        problems = "; ".join(f"{item.reason}: {item.detail}" for item in outcome.parked)
        raise CommandError(f"the fact is parked ({problems}): see `aegis parked list`")
    return outcome


def _find_recording_time(context: StudyContext, subject: str, kind: str) -> datetime:
    """Return now, or just after the last fact of *kind* about the family of *subject*."""
    with context.db.read() as conn:
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
