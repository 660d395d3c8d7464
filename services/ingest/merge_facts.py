"""Facts of merges and moves: they name two participants and enter the journals of both."""

from services.ingest.domain.message_content import MergeDraft, MoveDraft, ParkedItem, ParkReason
from services.ingest.ids import fact_id
from services.runtime.wire import digest_clinical
from services.store.journal import RawMessage
from services.vocabulary.fact import Fact
from services.vocabulary.identity_change import Merge, Move


def build_pair_facts(
    message: RawMessage, draft: MergeDraft | MoveDraft, body: Merge | Move
) -> list[Fact]:
    """Return *body* as a fact about each of the two participants that it names."""
    pair = {body.gone, body.survivor} if isinstance(body, Merge) else {body.source, body.target}
    return [
        Fact(
            id=fact_id(message, f"{draft.path}/{subject}"),
            subject=subject,
            observed_at=draft.observed_at,
            reported_at=draft.reported_at,
            body=body,
            digest=digest_clinical(subject, draft.observed_at, body),
            site=message.site,
        )
        for subject in sorted(pair)
    ]


def park_unclear_move(
    draft: MoveDraft, *, to_themselves: bool, has_others: bool
) -> ParkedItem | None:
    """Return the parked item of a move whose extent is not clear; None when it is clear.

    Args:
        draft: The move.
        to_themselves: True when both identifiers lead to one participant.
        has_others: True when the participant it moves from has identifiers that it does not name.
    """
    if to_themselves:
        detail = "PID-3 and MRG-1 lead to the same participant: name the one it moves from in MRG-1"
        return ParkedItem(draft.path, ParkReason.AMBIGUOUS_PARTICIPANT, detail)
    if has_others and not draft.visit:
        detail = (
            "the participant has other identifiers, and facts do not say under which they were"
            " sent: move the visits (ADT^A45), or take the results back (OBX-11 W, RXA-21 D)"
        )
        return ParkedItem(draft.path, ParkReason.AMBIGUOUS_PARTICIPANT, detail)
    return None
