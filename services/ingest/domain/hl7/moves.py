"""ADT^A45: a visit belongs to another patient; A43: so does all that stands under an identifier.

Both patients go on to exist. A move is taken back by the same event the other way round.

Source: HL7 v2.5.1, 3.3.43, 3.3.45; docs/decisions/corrections.md
"""

from collections.abc import Iterator

from services.ingest.domain.hl7.context import (
    Context,
    Item,
    nobody,
    patient_keys,
    visit_number,
)
from services.ingest.domain.hl7.message import Segment
from services.ingest.domain.message_content import MoveDraft, ParkedItem, ParkReason

EVENTS = frozenset({"A43", "A45"})
_OF_VISIT = "A45"


def moves(context: Context) -> Iterator[Item]:
    """Yield each move: from the patient in MRG to the one in the PID before it.

    Under one PID several visits may move: each MRG has its PV1 after it.
    """
    patient: Segment | None = None
    waiting: Segment | None = None
    found = False
    for segment in context.message.segments:
        if segment.name in ("PID", "MRG") and waiting is not None:
            yield _move(context, patient, waiting, None)
            waiting = None
        if segment.name == "PID":
            patient = segment
        elif segment.name == "MRG":
            waiting, found = segment, True
        elif segment.name == "PV1" and waiting is not None:
            yield _move(context, patient, waiting, segment)
            waiting = None
    if waiting is not None:
        yield _move(context, patient, waiting, None)
    if not found:
        yield ParkedItem("MRG", ParkReason.NO_PARTICIPANT, "a move needs PID-3 and MRG-1")


def _move(context: Context, patient: Segment | None, prior: Segment, pv1: Segment | None) -> Item:
    path = f"MRG[{prior.number}]"
    target, source = patient_keys(patient, 3, context), patient_keys(prior, 1, context)
    if not (target and source):
        return nobody(patient, path)
    dated, _ = context.first_time(context.message.first("EVN"), 6, 2)
    at = dated.at if dated else context.sent_at
    if context.message.kind[1] != _OF_VISIT:
        return MoveDraft(source, target, path, at, context.sent_at)
    now = visit_number(pv1)
    before = visit_number(prior, 5) or now
    if not before:
        detail = "which visit moved is not said: send its number in MRG-5, or PV1-19"
        return ParkedItem(f"{path}.5", ParkReason.UNREADABLE_VALUE, detail)
    new = now if now != before else ""
    return MoveDraft(source, target, path, at, context.sent_at, before, new)
