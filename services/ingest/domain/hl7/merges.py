"""Merges: ADT^A40, A34, A18 join two identifiers of one person, A37 parts them again.

Source: HL7 v2.5.1, 3.3.18, 3.3.34, 3.3.37, 3.3.40
"""

from collections.abc import Iterator

from services.ingest.domain.hl7.context import Context, Item, park_no_participant, read_patient_keys
from services.ingest.domain.message_content import MergeDraft, ParkedItem, ParkReason

EVENTS = frozenset({"A40", "A34", "A18", "A37"})
_UNLINK = "A37"


def read_merges(context: Context) -> Iterator[Item]:
    """Yield the merge of each pair: the survivor is in PID, the other in MRG (A37: in PID)."""
    event = context.message.kind[1]
    event_time, _ = context.first_time(context.message.first_segment("EVN"), 6, 2)
    observed_at = event_time.instant if event_time else context.sent_at
    patients = list(context.message.segments_named("PID"))
    if event == _UNLINK and len(patients) > 1:
        pairs = [(patients[0], 3, patients[1], 3)]
    else:
        merge_segments = list(context.message.segments_named("MRG"))
        pairs = [(pid, 3, mrg, 1) for pid, mrg in zip(patients, merge_segments, strict=False)]
    if not pairs:
        detail = "a merge needs PID-3 and MRG-1"
        yield ParkedItem("MRG", ParkReason.NO_PARTICIPANT, detail)
    for pid, pid_field, merged_segment, other_field in pairs:
        survivor = read_patient_keys(pid, pid_field, context)
        merged_ids = read_patient_keys(merged_segment, other_field, context)
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
        else:
            yield park_no_participant(pid, path)
