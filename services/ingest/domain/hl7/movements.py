"""ADT: movements between wards, their cancellation, and death.

Source: HL7 v2.5.1, chapter 3, "Patient Administration"
"""

from collections.abc import Iterator
from typing import Literal

from services.ingest.domain.hl7.context import (
    NULL,
    Context,
    Item,
    park_no_participant,
    read_patient_keys,
    read_visit_number,
)
from services.ingest.domain.hl7.message import Segment
from services.ingest.domain.hl7.times import Hl7Time
from services.ingest.domain.message_content import FactDraft, ParkedItem, ParkReason, PatientKey
from services.vocabulary.clinical_fact import Death, Movement
from services.vocabulary.fact import Status

Destination = Literal["admission", "ward", "icu", "outpatient", "discharge"]

# Trigger event: destination, whether it is a cancellation, and the field of PV1 with its time.
_EVENTS: dict[str, tuple[Destination, bool, int]] = {
    "A01": ("admission", False, 44),
    "A02": ("ward", False, 0),
    "A03": ("discharge", False, 45),
    "A04": ("outpatient", False, 44),
    "A11": ("admission", True, 44),
    "A12": ("ward", True, 0),
    "A13": ("discharge", True, 45),
}
_ADMISSION, _UPDATE = "A01", "A08"
# PV1-4, table 0007: accident, emergency, urgent; elective, labor and delivery. Routine and newborn
# do not say it.
_IS_PLANNED = {
    **dict.fromkeys(("a", "accident", "e", "emergency", "u", "urgent"), False),
    **dict.fromkeys(("c", "elective", "l", "labor and delivery"), True),
}
_SAYS_ALIVE = ("N", NULL)
EVENTS = frozenset(_EVENTS) | {_UPDATE, "A31"}


def read_movements(context: Context) -> Iterator[Item]:
    """Yield the movement of the message, and the death that it reports."""
    event = context.message.kind[1]
    patient, visit = context.message.first_segment("PID"), context.message.first_segment("PV1")
    patient_ids = read_patient_keys(patient, 3, context)
    if patient is None or not patient_ids:
        yield park_no_participant(patient, "PID")
        return
    if event in _EVENTS:
        yield _read_movement(context, patient_ids, event, visit)
    elif event == _UPDATE and visit is not None and _is_outside_icu(context, visit):
        yield _read_place(context, patient_ids, visit)
    if patient.text(30) == "Y" or patient.text(29).strip('"'):
        yield _read_death(context, patient_ids, patient, visit)
    elif patient.text(30) in _SAYS_ALIVE:
        yield _deny_death(context, patient_ids, visit)


def _find_contradiction(patient: Segment) -> ParkedItem | None:
    """Return the parked item of a death that has a date and is denied; None without one."""
    if patient.text(30) != "N":
        return None
    detail = "PID-29 dates a death that PID-30 denies: correct one of them"
    return ParkedItem("PID.30", ParkReason.UNREADABLE_VALUE, detail)


def _read_movement(
    context: Context, patient_ids: tuple[PatientKey, ...], event: str, visit: Segment | None
) -> Item:
    place, is_cancelled, date_field = _EVENTS[event]
    time, note = _find_event_time(context, visit, date_field)
    if time is None:
        return ParkedItem("EVN", ParkReason.UNREADABLE_TIME, "no readable time of the movement")
    ward = visit.text(3).strip() if visit else ""
    destination: Destination = (
        "icu" if place in ("ward", "admission") and ward in context.site.icu else place
    )
    return FactDraft(
        patient_ids,
        "EVN",
        time.instant,
        context.sent_at,
        Movement(destination, is_cancelled, _read_planned(visit) if event == _ADMISSION else None),
        series=f"{context.sender}|movement|{place}",
        sequence=context.sequence,
        notes=(*note, *time.notes),
        visit=read_visit_number(visit),
        is_of_visit=True,
    )


def _read_planned(visit: Segment | None) -> bool | None:
    """Return True for an admission that PV1-4 calls planned, None when it does not say."""
    parts = visit.components(4) if visit else []
    statements = {_IS_PLANNED.get(part.strip().casefold()) for part in parts} - {None}
    return statements.pop() if len(statements) == 1 else None


def _is_outside_icu(context: Context, visit: Segment) -> bool:
    """Return True when PV1-3 names a ward, and the site names others as intensive care."""
    ward = visit.text(3).strip()
    return bool(context.site.icu) and ward not in ("", NULL) and ward not in context.site.icu


def _read_place(context: Context, patient_ids: tuple[PatientKey, ...], visit: Segment) -> Item:
    """Return the fact of an update: outside of intensive care, in case a move to it is wrong."""
    time, note = _find_event_time(context, None, 0)
    if time is None:
        return ParkedItem("EVN", ParkReason.UNREADABLE_TIME, "no readable time of the update")
    return FactDraft(
        patient_ids,
        "EVN",
        time.instant,
        context.sent_at,
        Movement("icu", cancelled=True),
        series=f"{context.sender}|movement|update",
        sequence=context.sequence,
        notes=(*note, *time.notes),
        visit=read_visit_number(visit),
        is_of_visit=True,
    )


def _read_death(
    context: Context, patient_ids: tuple[PatientKey, ...], patient: Segment, visit: Segment | None
) -> Item:
    if contradiction := _find_contradiction(patient):
        return contradiction
    time = context.read_time(patient.text(29).strip('"'))
    note: tuple[str, ...] = ()
    if patient.text(29).strip('"') and time is None:
        detail = (
            "death reported, its date in PID-29 cannot be read: enter it with `aegis facts add`"
        )
        return ParkedItem("PID.29", ParkReason.UNREADABLE_TIME, detail)
    if time is None:
        time, _ = _find_event_time(context, None, 0)
        note = ("date of death not reported; that of the message is taken",)
    if time is None:
        return ParkedItem("PID.30", ParkReason.UNREADABLE_TIME, "death reported without a time")
    return FactDraft(
        patient_ids,
        "PID.30",
        time.instant,
        context.sent_at,
        Death(),
        sequence=context.sequence,
        notes=(*note, *time.notes),
        visit=read_visit_number(visit),
    )


def _deny_death(
    context: Context, patient_ids: tuple[PatientKey, ...], visit: Segment | None
) -> FactDraft:
    """Return the fact that the patient has not died: it takes back what was sent before."""
    return FactDraft(
        patient_ids,
        "PID.30",
        context.sent_at,
        context.sent_at,
        Death(),
        Status.DELETED,
        sequence=context.sequence,
        visit=read_visit_number(visit),
    )


def _find_event_time(
    context: Context, visit: Segment | None, date_field: int
) -> tuple[Hl7Time | None, tuple[str, ...]]:
    """Return the time of the event and a note: from PV1 (*date_field*), EVN-6, EVN-2 or MSH-7."""
    if visit is not None and date_field and visit.text(date_field):
        return context.read_time(visit.text(date_field)), ()
    event = context.message.first_segment("EVN")
    time, position = context.first_time(event, 6, 2)
    if position:
        return time, () if position != 2 else ("observed_at from EVN-2",)  # noqa: PLR2004 - a field
    return Hl7Time(context.sent_at), ("observed_at from MSH-7",)
