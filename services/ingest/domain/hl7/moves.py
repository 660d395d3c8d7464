"""Moves: ADT^A45 moves a visit to another patient, A43 everything under an identifier.

Both patients go on to exist. A move is taken back by the same event the other way round.

Source: HL7 v2.5.1, 3.3.43, 3.3.45; docs/decisions/corrections.md
"""

from collections.abc import Iterator

from services.ingest.domain.hl7.context import (
    Context,
    Item,
    park_no_participant,
    read_patient_keys,
    read_visit_number,
)
from services.ingest.domain.hl7.message import Segment
from services.ingest.domain.message_content import MoveDraft, ParkedItem, ParkReason

EVENTS = frozenset({"A43", "A45"})
_OF_VISIT = "A45"


def read_moves(context: Context) -> Iterator[Item]:
    """Yield each move: from the patient in MRG to the one in the PID before it.

    Under one PID several visits may move: each MRG has its PV1 after it.
    """
    patient: Segment | None = None
    open_move: Segment | None = None
    has_moves = False
    for segment in context.message.segments:
        if segment.name in ("PID", "MRG") and open_move is not None:
            yield _read_move(context, patient, open_move, None)
            open_move = None
        if segment.name == "PID":
            patient = segment
        elif segment.name == "MRG":
            open_move, has_moves = segment, True
        elif segment.name == "PV1" and open_move is not None:
            yield _read_move(context, patient, open_move, segment)
            open_move = None
    if open_move is not None:
        yield _read_move(context, patient, open_move, None)
    if not has_moves:
        yield ParkedItem("MRG", ParkReason.NO_PARTICIPANT, "a move needs PID-3 and MRG-1")


def _read_move(
    context: Context, patient: Segment | None, prior: Segment, pv1: Segment | None
) -> Item:
    path = f"MRG[{prior.number}]"
    target, source = read_patient_keys(patient, 3, context), read_patient_keys(prior, 1, context)
    if not (target and source):
        return park_no_participant(patient, path)
    event_time, _ = context.first_time(context.message.first_segment("EVN"), 6, 2)
    observed_at = event_time.instant if event_time else context.sent_at
    if context.message.kind[1] != _OF_VISIT:
        return MoveDraft(source, target, path, observed_at, context.sent_at)
    current_visit = read_visit_number(pv1)
    prior_visit = read_visit_number(prior, 5) or current_visit
    if not prior_visit:
        detail = "which visit moved is not said: send its number in MRG-5, or PV1-19"
        return ParkedItem(f"{path}.5", ParkReason.UNREADABLE_VALUE, detail)
    new_visit = current_visit if current_visit != prior_visit else ""
    return MoveDraft(source, target, path, observed_at, context.sent_at, prior_visit, new_visit)
