"""A fact that a person enters, with its act in one transaction."""

from datetime import datetime

from services.acts.append_act import Subject, Values, append_act
from services.acts.append_fact import make_fact_entry
from services.acts.study_context import StudyContext
from services.vocabulary.act import ActKind
from services.vocabulary.fact import Body
from services.vocabulary.person import Actor
from services.vocabulary.reason import trim_reason


def enter_fact(
    context: StudyContext,
    actor: Actor,
    subject: str,
    observed_at: datetime,
    body: Body,
    *,
    reason: str = "",
) -> bool:
    """Enter one fact as *actor*, recorded now; return False if it was known already.

    Without a *reason* it is that feeds do not carry it.

    Raises:
        ActRefusedError: Nobody is called *subject*, or the time lies in the future.
    """
    entry = make_fact_entry(context, actor)
    with context.db.write() as conn:
        recorded_at = entry.append(conn, subject, observed_at, body)
        if recorded_at is not None:
            append_act(
                conn,
                actor,
                ActKind.ENTER_FACT,
                Subject(subject, subject),
                Values(new_value=f"{body.kind}, {observed_at:%Y-%m-%dT%H:%MZ}"),
                reason=trim_reason(reason) or "known to a person, and in no feed",
                acted_at=recorded_at,
            )
    return recorded_at is not None
