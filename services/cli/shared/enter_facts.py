"""A fact of a person, from the command line into the journal."""

from datetime import datetime

from services.acts.append_fact import make_fact_entry
from services.acts.study_context import StudyContext
from services.vocabulary.fact import Body
from services.vocabulary.person import Actor


def enter_fact(
    context: StudyContext, subject: str, observed_at: datetime, body: Body, actor: Actor
) -> bool:
    """Enter one fact as *actor*, recorded now; return False if it was known already.

    Raises:
        ActRefusedError: Nobody is called *subject*, or the time lies in the future.
    """
    entry = make_fact_entry(context, actor)
    with context.db.write() as conn:
        return entry.append(conn, subject, observed_at, body) is not None
