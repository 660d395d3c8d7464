"""OBX: laboratory results, vital signs and scores.

Source: HL7 v2.5.1, chapter 7, "Observation Reporting"
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from services.ingest.domain.hl7.context import (
    Context,
    Item,
    park_no_participant,
    read_patient_keys,
    read_visit_number,
)
from services.ingest.domain.hl7.fasting_and_rest import add_fasting
from services.ingest.domain.hl7.measure_codes import find_measure, format_code
from services.ingest.domain.hl7.message import Segment
from services.ingest.domain.hl7.result_body import has_unread_range, read_body
from services.ingest.domain.hl7.result_keys import ResultNumbering
from services.ingest.domain.message_content import FactDraft, ParkedItem, ParkReason, PatientKey
from services.ingest.domain.quoted_text import quote_in
from services.vocabulary.clinical_fact import Observation
from services.vocabulary.fact import RANGE_NOT_READ, Status

_STATUS = {one.value: one for one in Status}
_NO_STATEMENT = frozenset({"N", "O"})  # not asked for; the description of an order
_CORRECTIONS = frozenset({Status.CORRECTED, Status.AMENDED})
_BY_SPECIMEN = ("OUL", "R22")  # where SPM begins a group, and the orders of its specimen follow
_RETRACTIONS = frozenset({Status.DELETED, Status.WRONG_PATIENT, Status.NO_RESULT})


@dataclass(frozen=True, slots=True)
class _PatientVisit:
    """The patient and the visit that the results of a message belong to."""

    patient_ids: tuple[PatientKey, ...]
    visit: str


def read_observations(context: Context) -> Iterator[Item]:
    """Yield the draft or the parked item of each OBX, in order."""
    patient: Segment | None = None
    order: Segment | None = None
    patient_visit = _PatientVisit((), "")
    order_items: list[Item] = []
    numbering = ResultNumbering()
    by_specimen = context.message.kind == _BY_SPECIMEN
    for segment in context.message.segments:
        if segment.name in ("PID", "OBR") or (segment.name == "SPM" and by_specimen):
            yield from add_fasting(order, order_items)
            order_items = []
        if segment.name == "SPM" and by_specimen:
            order = None
        elif segment.name == "PID":
            patient, order = segment, None
            patient_visit = _PatientVisit(read_patient_keys(patient, 3, context), "")
        elif segment.name == "PV1":
            patient_visit = _PatientVisit(patient_visit.patient_ids, read_visit_number(segment))
        elif segment.name == "OBR":
            order = segment
        elif segment.name == "OBX":
            path = f"OBX[{segment.number}]"
            if patient_visit.patient_ids:
                key = numbering.make_key(order, segment)
                order_items += (
                    replace(item, result_key=key) if isinstance(item, FactDraft) else item
                    for item in _read_observation(context, patient_visit, order, segment, path)
                )
            else:
                order_items.append(park_no_participant(patient, path))
    yield from add_fasting(order, order_items)


def _read_observation(
    context: Context,
    patient_visit: _PatientVisit,
    order: Segment | None,
    obx: Segment,
    path: str,
) -> Iterator[Item]:
    if obx.text(11) in _NO_STATEMENT and not any(obx.repetitions(5)):
        return
    measure = find_measure(context, obx)
    if measure is None:
        texts = quote_in(
            "no measure for {}: add it to codes of this site in sites.yaml", format_code(obx)
        )
        yield ParkedItem(f"{path}.3", ParkReason.UNKNOWN_CODE, *texts)
        return
    status = _STATUS.get(obx.text(11) or "F")
    if status is None:
        texts = quote_in(
            "result status '{}' says of no result how far it can be relied upon", obx.text(11)
        )
        yield ParkedItem(f"{path}.11", ParkReason.UNREADABLE_VALUE, *texts)
        return
    body = read_body(context, measure, status, obx, path)
    if isinstance(body, ParkedItem):
        if status not in _RETRACTIONS:
            yield body
        if not _replaces(status, body):
            return
        body = Observation(measure)  # the earlier result is wrong, whatever the new one is
    time_and_notes = _find_observed_at(context, order, obx)
    if time_and_notes is None:
        detail = "no readable time in OBX-14, OBR-7, OBR-22 or MSH-7"
        yield ParkedItem(f"{path}.14", ParkReason.UNREADABLE_TIME, detail)
        return
    observed_at, notes = time_and_notes
    report_time, _ = context.first_time(order, 22)
    range_note = (RANGE_NOT_READ,) if has_unread_range(obx, body) else ()
    filler = order.field(3) if order else ""
    yield FactDraft(
        patient_visit.patient_ids,
        path,
        observed_at,
        report_time.instant if report_time else context.sent_at,
        body,
        status,
        series=f"{context.sender}|{filler}|{measure}|{obx.field(4)}",
        sequence=context.sequence,
        notes=(*notes, *range_note),
        visit=patient_visit.visit,
    )


def _replaces(status: Status, unread: ParkedItem) -> bool:
    """Return True when a result that cannot be read still replaces the earlier one."""
    corrects = status in _CORRECTIONS and unread.reason is ParkReason.UNREADABLE_VALUE
    return corrects or status in _RETRACTIONS


def _find_observed_at(
    context: Context, order: Segment | None, obx: Segment
) -> tuple[datetime, tuple[str, ...]] | None:
    """Return the time of observation and a note about its source; None when it is unreadable."""
    for segment, position in ((obx, 14), (order, 7), (order, 22)):
        text = segment.text(position) if segment else ""
        if text and segment:
            time = context.read_time(text)
            if time is None:
                return None
            fallen_back = () if segment is obx else (f"observed_at from OBR-{position}",)
            return time.instant, (*fallen_back, *time.notes)
    return context.sent_at, ("observed_at from MSH-7",)
