"""ADT^A40, A34, A18: two identifiers are one person; A37: they are not.

Source: HL7 v2.5.1, 3.3.18, 3.3.34, 3.3.37, 3.3.40
"""

from collections.abc import Iterator

from services.ingest.domain.hl7.context import Context, Item, nobody, patient_keys
from services.ingest.domain.message_content import MergeDraft, ParkedItem, ParkReason

EVENTS = frozenset({"A40", "A34", "A18", "A37"})
_UNLINK = "A37"


def merges(context: Context) -> Iterator[Item]:
    """Yield each pair of the message; the survivor stands in PID, the other in MRG (or PID)."""
    event = context.message.kind[1]
    dated, _ = context.first_time(context.message.first("EVN"), 6, 2)
    at = dated.at if dated else context.sent_at
    patients = list(context.message.all("PID"))
    if event == _UNLINK and len(patients) > 1:
        pairs = [(patients[0], 3, patients[1], 3)]
    else:
        others = list(context.message.all("MRG"))
        pairs = [(pid, 3, mrg, 1) for pid, mrg in zip(patients, others, strict=False)]
    if not pairs:
        detail = "a merge needs PID-3 and MRG-1"
        yield ParkedItem("MRG", ParkReason.NO_PARTICIPANT, detail)
    for pid, pid_field, other, other_field in pairs:
        survivor = patient_keys(pid, pid_field, context)
        gone = patient_keys(other, other_field, context)
        path = f"{other.name}[{other.number}]"
        if survivor and gone:
            yield MergeDraft(gone, survivor, path, at, context.sent_at, undone=event == _UNLINK)
        else:
            yield nobody(pid, path)
