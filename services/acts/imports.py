"""The act of a person who imports files."""

from services.acts.append_act import Subject, Values, append_act
from services.acts.study_context import StudyContext
from services.runtime.clock import now_utc
from services.vocabulary.act import ActKind
from services.vocabulary.person import Actor


def record_import(context: StudyContext, actor: Actor, kind: ActKind, content: str) -> None:
    """Record that *actor* imports *content*, in a few words.

    An import is many transactions. The act is stored before: a process that is killed meanwhile
    has said what it began, and each message names its actor.
    """
    with context.db.write() as conn:
        append_act(
            conn,
            actor,
            kind,
            Subject(context.study_id),
            Values(new_value=content),
            reason="asked for by command",
            acted_at=now_utc(),
        )
