"""Refused messages that a person looks at: the words that their senders wrote of themselves."""

from services.acts.append_act import Subject, Values, append_act
from services.acts.study_context import StudyContext
from services.runtime.clock import now_utc
from services.store.refusals import RefusalRow, reveal_words
from services.vocabulary.act import ActKind
from services.vocabulary.person import Actor


def look_at_refusal(context: StudyContext, actor: Actor, row: RefusalRow) -> RefusalRow:
    """Return *row* with the words of its sender, for who may see identifiers.

    That somebody looked is an act. Of the content of the message nothing was kept.

    Raises:
        VaultError: It was changed, or was written with other keys.
    """
    (revealed_row,) = reveal_words(context.keys, [row])
    with context.db.write() as conn:
        append_act(
            conn,
            actor,
            ActKind.LOOK_AT_MESSAGE,
            Subject(row.id),
            Values("", f"refused message {row.id[:8]} of {row.site or 'no known site'}"),
            reason=f"refused: {row.location}",
            acted_at=now_utc(),
        )
    return revealed_row
