"""Merges: ADT^A40, A34, A18 join two identifiers of one person, A37 parts them again.

Source: HL7 v2.5.1, 3.3.18, 3.3.34, 3.3.37, 3.3.40
"""

from collections.abc import Iterator

from services.ingest.domain.hl7.context import Context, Item, park_no_participant, read_patient_keys
from services.ingest.domain.hl7.message import Message, Segment
from services.ingest.domain.message_content import MergeDraft, ParkedItem, ParkReason

EVENTS = frozenset({"A40", "A34", "A18", "A37"})
_UNLINK = "A37"


def read_merges(context: Context) -> Iterator[Item]:
    """Yield the merge of each pair: the survivor is in PID, the other in MRG (A37: in PID)."""
    event = context.message.kind[1]
    event_time, _ = context.first_time(context.message.first_segment("EVN"), 6, 2)
    observed_at = event_time.instant if event_time else context.sent_at
    for pid, merged_segment in _pair_segments(context.message, event):
        if pid is None or merged_segment is None:
            place = pid or merged_segment
            detail = "a merge needs PID-3, and MRG-1 of the same group"
            path = f"{place.name}[{place.number}]" if place else "MRG"
            yield ParkedItem(path, ParkReason.NO_PARTICIPANT, detail)
            continue
        survivor = read_patient_keys(pid, 3, context)
        merged_ids = read_patient_keys(
            merged_segment, 3 if merged_segment.name == "PID" else 1, context
        )
        path = f"{merged_segment.name}[{merged_segment.number}]"
        if survivor and merged_ids:
            yield MergeDraft(
                merged_ids,
                survivor,
                path,
                observed_at,
                context.sent_at,
                is_reversal=event == _UNLINK,
            )
        elif survivor and merged_segment.name == "MRG":
            detail = "MRG-1 has no identifier of an authority that sites.yaml names for this site"
            yield ParkedItem(path, ParkReason.NO_PARTICIPANT, detail)
        else:
            yield park_no_participant(pid, path)


def _pair_segments(message: Message, event: str) -> Iterator[tuple[Segment | None, Segment | None]]:
    """Yield PID and MRG of each group; None for the one that a group lacks.

    A group is a PID and what follows it up to the next one: what one group lacks, another does
    not lend to it.
    """
    patients = list(message.segments_named("PID"))
    if event == _UNLINK and len(patients) > 1:
        yield patients[0], patients[1]
        return
    patient: Segment | None = None
    is_open, has_groups = False, False
    for segment in message.segments:
        if segment.name == "PID":
            if is_open:
                yield patient, None
            patient, is_open, has_groups = segment, True, True
        elif segment.name == "MRG":
            yield patient, segment
            is_open, has_groups = False, True
    if is_open or not has_groups:
        yield patient, None
