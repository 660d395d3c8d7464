"""Parked items that a person lets be read again, or discards."""

from collections.abc import Sequence

from services.acts.append_act import Subject, Values, append_act
from services.acts.intake import make_intake
from services.acts.refusal import ActRefusedError
from services.acts.study_context import StudyContext
from services.ingest import parked_items
from services.ingest.parked_items import RetryResult
from services.runtime.clock import now_utc
from services.store import journal, parking
from services.store.parking import ParkedRow
from services.store.refusals import RefusalRow, reveal_words
from services.vocabulary.act import ActKind
from services.vocabulary.person import Actor


def retry_items(context: StudyContext, actor: Actor, site: str | None) -> RetryResult:
    """Read parked items again, of *site* only if given; each message in its own transaction.

    The act is stored before: a process that is killed meanwhile has said what it began.
    """
    with context.db.write() as conn:
        append_act(
            conn,
            actor,
            ActKind.RETRY_PARKED,
            Subject(site or context.study_id),
            Values("parked", "read again"),
            reason="a mapping or a participant may be there now",
            acted_at=now_utc(),
        )
    return parked_items.retry_parked(make_intake(context), actor.id, site)


def discard_items(
    context: StudyContext, actor: Actor, items: Sequence[ParkedRow], reason: str
) -> int:
    """Discard *items* for good, each with an act; their messages stay. Return their number."""
    discarded_at = now_utc()
    with context.db.write() as conn:
        count = parking.resolve_parked(
            conn,
            [item.id for item in items],
            resolution="discarded",
            instant=discarded_at,
            actor=actor.id,
            comment=reason,
        )
        for item in items:
            append_act(
                conn,
                actor,
                ActKind.DISCARD_PARKED,
                Subject(item.id),
                Values(f"{item.site}, {item.reason}: {item.detail}", "discarded"),
                reason=reason,
                acted_at=discarded_at,
            )
    return count


def look_at_message(context: StudyContext, actor: Actor, item: ParkedRow) -> list[str]:
    """Return the lines of the message of *item* as they came, for who may see identifiers.

    That somebody looked is an act.
    """
    with context.db.write() as conn:
        append_act(
            conn,
            actor,
            ActKind.LOOK_AT_MESSAGE,
            Subject(item.id),
            Values("", f"message {item.message[:8]} of {item.site}"),
            reason=f"parked: {item.reason}",
            acted_at=now_utc(),
        )
    return read_message(context, item)


def look_at_refusal(context: StudyContext, actor: Actor, refusal: RefusalRow) -> RefusalRow:
    """Return *refusal* with the words of its sender; that somebody looked is an act."""
    with context.db.write() as conn:
        append_act(
            conn,
            actor,
            ActKind.LOOK_AT_MESSAGE,
            Subject(refusal.id),
            Values("", f"refused message of {refusal.site or 'nobody known'}"),
            reason=f"refused: {refusal.problem}",
            acted_at=now_utc(),
        )
    return next(reveal_words(context.keys, [refusal]))


def read_message(context: StudyContext, item: ParkedRow) -> list[str]:
    """Return the lines of the message of *item*, of HL7 its segments.

    Raises:
        ActRefusedError: The message is not there.
    """
    with context.db.read() as conn:
        message = journal.load_message(conn, context.keys, item.message)
    if message is None:
        raise ActRefusedError(f"the message of {item.id[:8]} is not stored: `aegis verify`")
    return message.body.decode("utf-8", "backslashreplace").replace("\r", "\n").split("\n")


def mask_lines(lines: Sequence[str]) -> list[str]:
    """Return the segments of a message by name and number of fields, and nothing that they hold.

    >>> mask_lines(["MSH|^~|EPIC", "PID|1||QX4711", "{}", ""])
    ['MSH, 2 fields', 'PID, 3 fields', 'a line']
    """
    segments = [(line[:4], line.count("|")) for line in lines if line.strip()]
    return [
        f"{start[:3]}, {count} fields" if start.endswith("|") and start[:3].isalnum() else "a line"
        for start, count in segments
    ]
