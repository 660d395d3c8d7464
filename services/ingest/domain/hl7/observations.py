"""OBX: laboratory results, vital signs and scores.

Source: HL7 v2.5.1, chapter 7, "Observation Reporting"
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from services.ingest.domain.hl7.context import (
    Context,
    Item,
    park_no_participant,
    read_patient_keys,
    read_visit_number,
)
from services.ingest.domain.hl7.fasting_and_rest import add_fasting
from services.ingest.domain.hl7.measure_codes import format_code
from services.ingest.domain.hl7.message import Segment
from services.ingest.domain.hl7.result_body import has_unread_range, read_body
from services.ingest.domain.hl7.result_keys import ResultNumbering
from services.ingest.domain.hl7.result_kinds import ResultKind, find_result_kinds
from services.ingest.domain.message_content import FactDraft, ParkedItem, ParkReason, PatientKey
from services.ingest.domain.quoted_text import quote_in
from services.vocabulary.clinical_fact import Observation
from services.vocabulary.fact import RANGE_NOT_READ, Status

_NO_STATEMENT = frozenset({"N", "O"})  # not asked for; the description of an order
_CORRECTIONS = frozenset({Status.CORRECTED, Status.AMENDED})
_BY_SPECIMEN = ("OUL", "R22")  # where SPM begins a group, and the orders of its specimen follow
_RETRACTIONS = frozenset({Status.DELETED, Status.WRONG_PATIENT, Status.NO_RESULT})

_NotedTime = tuple[datetime, tuple[str, ...]]  # an instant in UTC, and notes on it


@dataclass(frozen=True, slots=True)
class _PatientVisit:
    """The patient and the visit that the results of a message belong to."""

    patient_ids: tuple[PatientKey, ...]
    visit: str


@dataclass(frozen=True, slots=True)
class _OrderDates:
    """The dates that an order (OBR) gives its results.

    Args:
        filler: Its number (OBR-3), as sent.
        time_text: As sent, of the time of observation; empty: that of the message.
        observed_at: With notes on it; None when it cannot be read.
        reported_at: Of the results (OBR-22), or of the message.
    """

    filler: str
    time_text: str
    observed_at: _NotedTime | None
    reported_at: datetime


def read_observations(context: Context) -> Iterator[Item]:
    """Yield the draft or the parked item of each OBX, in order."""
    patient: Segment | None = None
    order: Segment | None = None
    patient_visit = _PatientVisit((), "")
    order_items: list[Item] = []
    dates = _date_order(context, None)
    reader = _ResultReader(context)
    by_specimen = context.message.kind == _BY_SPECIMEN
    for segment in context.message.segments:
        name = segment.name
        if name == "OBX":
            path = f"OBX[{segment.number}]"
            if patient_visit.patient_ids:
                order_items += reader.read_result(patient_visit, dates, segment, path)
            else:
                order_items.append(park_no_participant(patient, path))
        elif name == "PV1":
            patient_visit = _PatientVisit(patient_visit.patient_ids, read_visit_number(segment))
        elif name in ("PID", "OBR") or (name == "SPM" and by_specimen):
            yield from add_fasting(order, order_items)
            order_items = []
            order = segment if name == "OBR" else None
            dates = _date_order(context, order)
            if name == "PID":
                patient = segment
                patient_visit = _PatientVisit(read_patient_keys(patient, 3, context), "")
    yield from add_fasting(order, order_items)


class _ResultReader:
    """The reader of the results of one message, in order."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._kinds = find_result_kinds(context)
        self._numbering = ResultNumbering()

    def read_result(
        self, patient_visit: _PatientVisit, dates: _OrderDates, obx: Segment, path: str
    ) -> Iterator[Item]:
        """Yield the draft of *obx*, what is parked of it, or both; nothing of what says nothing."""
        context, kind = self._context, self._kinds.find(self._context, obx)
        time_text = obx.text(14)
        key = self._numbering.make_key(kind.code, dates.filler, time_text or dates.time_text, obx)
        if obx.field(11) in _NO_STATEMENT and not any(obx.repetitions(5)):
            return
        if kind.measure is None and kind.code in context.site.ignored:
            return
        fault = _find_fault(kind, obx, path)
        if fault is not None or kind.measure is None or kind.status is None:
            if fault is not None:
                yield fault
            return
        measure, status = kind.measure, kind.status
        body = read_body(context, kind, measure, obx, path)
        if isinstance(body, ParkedItem):
            if status not in _RETRACTIONS:
                yield body
            if not _replaces(status, body):
                return
            body = Observation(measure)  # the earlier result is wrong, whatever the new one is
        observed_at = dates.observed_at
        if time_text:
            time = context.read_time(time_text)
            observed_at = None if time is None else (time.instant, time.notes)
        if observed_at is None:
            detail = "no readable time in OBX-14, OBR-7, OBR-22 or MSH-7"
            yield ParkedItem(f"{path}.14", ParkReason.UNREADABLE_TIME, detail)
            return
        instant, notes = observed_at
        yield FactDraft(
            patient_visit.patient_ids,
            path,
            instant,
            dates.reported_at,
            body,
            status,
            series=f"{context.sender}|{dates.filler}|{measure}|{obx.field(4)}",
            sequence=context.sequence,
            notes=(*notes, RANGE_NOT_READ) if has_unread_range(kind, body) else notes,
            visit=patient_visit.visit,
            result_key=key,
        )


def _find_fault(kind: ResultKind, obx: Segment, path: str) -> ParkedItem | None:
    """Return the parked item of a result whose code or status means nothing to us."""
    if kind.measure is None:
        texts = quote_in(
            "no measure for {}: add it to codes of this site in sites.yaml", format_code(obx)
        )
        return ParkedItem(f"{path}.3", ParkReason.UNKNOWN_CODE, *texts)
    if kind.status is None:
        texts = quote_in(
            "result status '{}' says of no result how far it can be relied upon", obx.text(11)
        )
        return ParkedItem(f"{path}.11", ParkReason.UNREADABLE_VALUE, *texts)
    return None


def _replaces(status: Status, unread: ParkedItem) -> bool:
    """Return True when a result that cannot be read still replaces the earlier one."""
    corrects = status in _CORRECTIONS and unread.reason is ParkReason.UNREADABLE_VALUE
    return corrects or status in _RETRACTIONS


def _date_order(context: Context, order: Segment | None) -> _OrderDates:
    """Return the dates of *order*; without one they are those of the message."""
    report_time, _ = context.first_time(order, 22)
    reported_at = report_time.instant if report_time else context.sent_at
    filler = order.field(3) if order else ""
    for position in (7, 22):
        text = order.text(position) if order else ""
        if text:
            time = context.read_time(text)
            note = f"observed_at from OBR-{position}"
            observed_at = None if time is None else (time.instant, (note, *time.notes))
            return _OrderDates(filler, text, observed_at, reported_at)
    observed_at = context.sent_at, ("observed_at from MSH-7",)
    return _OrderDates(filler, "", observed_at, reported_at)
