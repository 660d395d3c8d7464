"""The rows of parked items, and the items that are parked although they could be read."""

from collections.abc import Iterable
from datetime import datetime
from uuid import uuid5

from services.ingest.domain.message_content import MergeDraft, MoveDraft, ParkedItem, ParkReason
from services.ingest.domain.quoted_text import quote_in
from services.ingest.ids import NAMESPACE
from services.store.hidden_text import hide_text
from services.store.journal import ParkedRow, RawMessage
from services.store.vault import Keys
from services.vocabulary.count_text import name_count
from services.vocabulary.fact import Fact

_PAIRS = "merges come as ADT^A40, moves as A45"
_REMEDIES = {  # by the kind of a fact that a site may not send
    "merge": _PAIRS,
    "move": _PAIRS,
    "enrolment": "participants and their corrections come by `aegis participants import`",
}


def build_parked_rows(
    keys: Keys, message: RawMessage, items: Iterable[ParkedItem]
) -> list[ParkedRow]:
    """Return the rows of *items*; the same place and reason in a message makes one row.

    The words of the sender are in them for holders of *keys* alone.
    """
    rows = {}
    for item in items:
        row_id = str(uuid5(NAMESPACE, f"{message.id}|{item.path}|{item.reason}"))
        rows[row_id] = ParkedRow(
            row_id,
            message.id,
            item.path,
            item.reason,
            item.masked_detail or item.detail,
            message.site,
            message.received_at,
            hidden_detail=hide_text(keys, message.id, item.detail) if item.masked_detail else None,
        )
    return list(rows.values())


def park_future_dated(path: str, observed_at: datetime) -> ParkedItem:
    """Return the parked item of a fact that is dated after it was received."""
    detail = f"dated {observed_at:%Y-%m-%d %H:%M} UTC, after it was received"
    return ParkedItem(path, ParkReason.FUTURE_DATED, f"{detail}: correct it, or retry then")


def park_unsupported_kind(path: str, fact: Fact) -> ParkedItem:
    """Return the parked item of a fact that only a person may enter, sent by a site."""
    detail = f"{fact.body.kind} is for people to enter"
    if remedy := _REMEDIES.get(fact.body.kind):
        detail = f"{detail}; {remedy}"
    return ParkedItem(path, ParkReason.UNSUPPORTED_MESSAGE, detail)


def park_wrong_site(path: str, named_site: str, sending_site: str) -> ParkedItem:
    """Return the parked item of a fact that names another site than the one that sent it."""
    template = f"its site is '{{}}', and {sending_site} sent it: leave site out, or correct it"
    return ParkedItem(path, ParkReason.WRONG_SITE, *quote_in(template, named_site))


def park_unknown_participant(path: str, count: int) -> ParkedItem:
    """Return the parked item of *count* facts whose participant the site does not have."""
    items = name_count(count, "item")
    detail = f"{items} about nobody whom this site has in the study: import the participant"
    return ParkedItem(path, ParkReason.UNKNOWN_PARTICIPANT, detail)


def park_missing_end(draft: MergeDraft | MoveDraft, missing_end: int) -> ParkedItem:
    """Return the parked item of a merge or move of which one number is nobody's in the study.

    Args:
        draft: The merge or move.
        missing_end: Which of its ends that is: 0 the one that is gone, 1 the one that remains.
    """
    missing_field, other_field = draft.fields[missing_end], draft.fields[1 - missing_end]
    remedy = (
        "import it as another identifier of the same participant"
        if isinstance(draft, MergeDraft)
        else "import its participant, or discard this"
    )
    detail = (
        f"the number in {missing_field} is nobody's in the study, that in {other_field} is:"
        f" {remedy}"
    )
    return ParkedItem(draft.path, ParkReason.UNKNOWN_PARTICIPANT, detail)


def park_wrong_subject(path: str) -> ParkedItem:
    """Return the parked item of a merge or move whose subject is neither of its two."""
    detail = "its subject is neither of the two that it names: enter it about one of them"
    return ParkedItem(path, ParkReason.AMBIGUOUS_PARTICIPANT, detail)
