"""ORU^R01: laboratory results, vital signs and scores.

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
from services.ingest.domain.hl7.fasting_and_rest import add_fasting, read_at_rest
from services.ingest.domain.hl7.message import Segment
from services.ingest.domain.hl7.values import read_limits, read_value
from services.ingest.domain.message_content import FactDraft, ParkedItem, ParkReason, PatientKey
from services.vocabulary.clinical_fact import Observation
from services.vocabulary.fact import Status

_STATUS = {one.value: one for one in Status}
_WITHOUT_VALUE = frozenset(
    {Status.DELETED, Status.WRONG_PATIENT, Status.NO_RESULT, Status.PENDING, Status.PROMOTED}
)
_CORRECTIONS = frozenset({Status.CORRECTED, Status.AMENDED})
_RETRACTIONS = frozenset({Status.DELETED, Status.WRONG_PATIENT, Status.NO_RESULT})
_OWN_SYSTEM, _OWN_PREFIX = "AEGIS", "AEGIS-"
_NULL = '""'
_OXYGEN_SATURATION = "spo2"


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
    for segment in context.message.segments:
        if segment.name in ("PID", "OBR"):
            yield from add_fasting(order, order_items)
            order_items = []
        if segment.name == "PID":
            patient, order = segment, None
            patient_visit = _PatientVisit(read_patient_keys(patient, 3, context), "")
        elif segment.name == "PV1":
            patient_visit = _PatientVisit(patient_visit.patient_ids, read_visit_number(segment))
        elif segment.name == "OBR":
            order = segment
        elif segment.name == "OBX":
            path = f"OBX[{segment.number}]"
            if patient_visit.patient_ids:
                order_items += _read_observation(context, patient_visit, order, segment, path)
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
    measure = _find_measure(context, obx)
    if measure is None:
        detail = f"no measure for {_code_text(obx)}: add it to codes of this site in sites.yaml"
        yield ParkedItem(f"{path}.3", ParkReason.UNKNOWN_CODE, detail)
        return
    status = _STATUS.get(obx.text(11) or "F")
    if status is None:
        detail = f"result status {obx.text(11)!r} says of no result how far it can be relied upon"
        yield ParkedItem(f"{path}.11", ParkReason.UNREADABLE_VALUE, detail)
        return
    body = _read_body(context, measure, status, obx, path)
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
    limits_note = (
        ("reference range not read",)
        if body.lln is body.uln is None and _has_unread_limits(obx)
        else ()
    )
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
        notes=(*notes, *limits_note),
        visit=patient_visit.visit,
    )


def _replaces(status: Status, unread: ParkedItem) -> bool:
    """Return True when a result that cannot be read still replaces the earlier one."""
    corrects = status in _CORRECTIONS and unread.reason is ParkReason.UNREADABLE_VALUE
    return corrects or status in _RETRACTIONS


def _read_body(
    context: Context, measure: str, status: Status, obx: Segment, path: str
) -> Observation | ParkedItem:
    components = obx.components(5)
    empty = not any(components) or components[0] == _NULL
    if empty and status in _WITHOUT_VALUE:
        return Observation(measure)
    if measure in context.tables.in_words:
        return _read_word(context, measure, components, path)
    unit = _find_unit(context, obx)
    if unit is None:
        detail = (
            f"unit {obx.full_text(6)!r} is not known: add it to units of this site in sites.yaml"
        )
        return ParkedItem(f"{path}.6", ParkReason.UNKNOWN_UNIT, detail)
    value = None if empty else read_value(obx.field(2), components, unit)
    if value is None:
        detail = f"value of {measure} is no number; ask the laboratory, or correct the result"
        return ParkedItem(f"{path}.5", ParkReason.UNREADABLE_VALUE, detail)
    lln, uln = read_limits(obx.full_text(7), unit) or (None, None)
    rests = read_at_rest(obx) if measure == _OXYGEN_SATURATION else None
    return Observation(measure, value, lln=lln, uln=uln, at_rest=rests)


def _read_word(
    context: Context, measure: str, components: list[str], path: str
) -> Observation | ParkedItem:
    """Return the charted word, by its code or else by its text."""
    for spelling in components[:2]:
        word = spelling.strip().casefold()
        local = context.site.devices.get(spelling.strip()) if measure == "oxygen-device" else None
        charted_word = local or context.tables.words.get((measure, word))
        if charted_word:
            return Observation(measure, text=charted_word)
    words = sorted({word for (of, _), word in context.tables.words.items() if of == measure})
    detail = f"no such word for {measure}: it is one of {', '.join(words)}"
    return ParkedItem(f"{path}.5", ParkReason.UNREADABLE_VALUE, detail)


def _find_measure(context: Context, obx: Segment) -> str | None:
    """Return the measure: that of the first of OBX-3's two codes that is known."""
    parts = (*obx.components(3), "", "", "", "", "", "")
    for code, system in ((parts[0], parts[2]), (parts[3], parts[5])):
        if not code:
            continue
        if system == "LN":
            measure = context.tables.loinc.get(code)
        elif system == _OWN_SYSTEM:
            measure = _find_own_measure(context, code)
        else:
            measure = context.site.codes.get(code)
        if measure:
            return measure
    return None


def _find_own_measure(context: Context, code: str) -> str | None:
    measure = code.removeprefix(_OWN_PREFIX).lower()
    return measure if code != measure and measure in context.tables.measures else None


def _find_unit(context: Context, obx: Segment) -> str | None:
    """Return the UCUM unit; empty when none was sent, None when it is not known.

    Some senders do not escape the hat of ``x10^3/uL``: the field is looked up whole as well.
    """
    code, text, *_ = (*obx.components(6), "")
    for spelling in (obx.full_text(6).strip(), code.strip(), text.strip()):
        if spelling and spelling != _NULL:
            unit = context.site.units.get(spelling) or context.tables.units.get(spelling)
            if unit:
                return unit
    return None if code.strip() not in ("", _NULL) else ""


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


def _has_unread_limits(obx: Segment) -> bool:
    return bool(obx.field(7)) and read_limits(obx.full_text(7), "") is None


def _code_text(obx: Segment) -> str:
    code, _, system = (*obx.components(3), "", "")[:3]
    return f"{code}^{system}"
