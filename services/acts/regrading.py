"""Participants whom a person lets be graded again: those set aside, those of other rules."""

from collections.abc import Sequence

from services.acts.append_act import Subject, Values, append_act
from services.acts.study_context import StudyContext
from services.runtime.clock import now_utc
from services.safety_rules.application.fold_participants import release_quarantined_within
from services.safety_rules.reports import refold
from services.vocabulary.act import ActKind
from services.vocabulary.person import Actor


def retry_participants(context: StudyContext, actor: Actor, subjects: Sequence[str]) -> list[str]:
    """Release participants who were set aside, all or *subjects*, with the act; return them."""
    with context.db.write() as conn:
        released_subjects = release_quarantined_within(conn, subjects)
        for subject in released_subjects:
            append_act(
                conn,
                actor,
                ActKind.RETRY_PARTICIPANT,
                Subject(subject, subject),
                Values("set aside", "graded again"),
                reason="what stopped it may be mended",
                acted_at=now_utc(),
            )
    return released_subjects


def refold_participants(context: StudyContext, actor: Actor, reason: str) -> list[str]:
    """Request that those of other rules are graded by the rules that run; return them.

    They are many transactions. The act is stored before: a process that is killed meanwhile has
    said what it began.

    Raises:
        ActRefusedError: The reason is blank.
    """
    rules = context.study.rules
    with context.db.write() as conn:
        if not refold.find_outdated_families(conn, rules):
            return []
        append_act(
            conn,
            actor,
            ActKind.REFOLD,
            Subject(context.study_id),
            Values(new_value=f"rules {rules.version}"),
            reason=reason,
            acted_at=now_utc(),
        )
    return refold.request_refold(context.db, rules, actor=actor.id, reason=reason)
