"""RAS^O17: drugs given, started, changed and stopped.

Source: HL7 v2.5.1, 4.14.7 (RXA)
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from services.ingest.domain.hl7.context import (
    Context,
    Item,
    park_no_participant,
    read_patient_keys,
    read_visit_number,
)
from services.ingest.domain.hl7.message import Message, Segment
from services.ingest.domain.hl7.times import Hl7Time
from services.ingest.domain.message_content import FactDraft, ParkedItem, ParkReason, PatientKey
from services.vocabulary.clinical_fact import Action, Administration
from services.vocabulary.fact import Status
from services.vocabulary.number_text import parse_reported_number
from services.vocabulary.quantity import Quantity

_ACTIONS = {"start": Action.START, "rate": Action.RATE, "stop": Action.STOP, "given": Action.DOSE}
_SCHEDULED_WORD = "premedication"
_NOT_GIVEN = frozenset({"RE", "NA"})  # RXA-20: refused, not administered
_STATUS = {"": Status.FINAL, "A": Status.FINAL, "U": Status.CORRECTED, "D": Status.DELETED}
_UNKNOWN_DOSE = "999"  # in RXA-6, without a unit
_AN_INFUSION = timedelta(minutes=30)  # RXA-3 and RXA-4 this far apart are a start and a stop


@dataclass(frozen=True, slots=True)
class _DrugEntry:
    """One RXA with its order, route and visit."""

    rxa: Segment
    order: Segment | None
    route: str
    visit: str

    @property
    def path(self) -> str:
        return f"RXA[{self.rxa.number}]"


def read_administrations(context: Context) -> Iterator[Item]:
    """Yield the administrations, or the parked item, of each RXA, in order."""
    for patient, entry in _drug_entries(context.message):
        patient_ids = read_patient_keys(patient, 3, context)
        if patient_ids:
            yield from _read_administration(context, patient_ids, entry)
        else:
            yield park_no_participant(patient, entry.path)


def _drug_entries(message: Message) -> Iterator[tuple[Segment | None, _DrugEntry]]:
    """Yield each RXA with its patient: PID and order (ORC) precede it, the route (RXR) follows."""
    patient: Segment | None = None
    order: Segment | None = None
    unrouted_rxas: list[Segment] = []
    route = visit = ""
    for segment in message.segments:
        if segment.name in ("PID", "ORC"):
            yield from ((patient, _DrugEntry(rxa, order, route, visit)) for rxa in unrouted_rxas)
            unrouted_rxas, route = [], ""
        if segment.name == "PID":
            patient, order, visit = segment, None, ""
        elif segment.name == "PV1":
            visit = read_visit_number(segment)
        elif segment.name == "ORC":
            order = segment
        elif segment.name == "RXR":
            route = segment.text(1)
        elif segment.name == "RXA":
            unrouted_rxas.append(segment)
    yield from ((patient, _DrugEntry(rxa, order, route, visit)) for rxa in unrouted_rxas)


def _read_administration(
    context: Context, patient_ids: tuple[PatientKey, ...], entry: _DrugEntry
) -> Iterator[Item]:
    rxa, path = entry.rxa, entry.path
    if rxa.text(20) in _NOT_GIVEN:
        return
    drug = _find_drug(context, rxa)
    status = _STATUS.get(rxa.text(21))
    start, end = context.read_time(rxa.text(3)), context.read_time(rxa.text(4))
    dose = None if status is Status.DELETED else _read_dose(context, rxa)
    if drug is None:
        code, name, system = (*rxa.components(5), "", "")[:3]
        detail = f"no drug for {code}^{name}^{system}: add it to drugs of this site in sites.yaml"
        yield ParkedItem(f"{path}.5", ParkReason.UNKNOWN_CODE, detail)
    elif status is None:
        detail = f"action {rxa.text(21)!r} is not in HL7 table 0323"
        yield ParkedItem(f"{path}.21", ParkReason.UNREADABLE_VALUE, detail)
    elif start is None:
        yield ParkedItem(f"{path}.3", ParkReason.UNREADABLE_TIME, "no readable time in RXA-3")
    elif isinstance(dose, str):
        detail = f"unit {dose!r} is not known: add it to units of this site in sites.yaml"
        yield ParkedItem(f"{path}.7", ParkReason.UNKNOWN_UNIT, detail)
    else:
        words = {word.casefold() for word in _split_notes(rxa)}
        filler = entry.order.field(3) if entry.order else ""
        for action, time in _find_actions(words, start, end):
            yield FactDraft(
                patient_ids,
                f"{path}/{action}",
                time.instant,
                context.sent_at,
                Administration(drug, action, dose, entry.route, _SCHEDULED_WORD in words),
                status,
                series=f"{context.sender}|{filler}|{drug}|{action}",
                sequence=context.sequence,
                notes=time.notes,
                visit=entry.visit,
            )


def _find_actions(
    words: set[str], start: Hl7Time, end: Hl7Time | None
) -> list[tuple[Action, Hl7Time]]:
    """Return the actions that RXA-9 names; without one, those that RXA-3 and RXA-4 imply."""
    named_actions = [action for word, action in _ACTIONS.items() if word in words]
    if named_actions:
        return [(named_actions[0], start)]
    if end is not None and end.instant - start.instant >= _AN_INFUSION:
        return [(Action.START, start), (Action.STOP, end)]
    return [(Action.DOSE, start)]


def _split_notes(rxa: Segment) -> list[str]:
    return [rxa.split_components(note)[0].strip() for note in rxa.repetitions(9)]


def _find_drug(context: Context, rxa: Segment) -> str | None:
    code, name, *_ = (*rxa.components(5), "")
    for spelling in (code.strip(), name.strip()):
        local = context.site.drugs.get(spelling) or context.tables.drugs.get(spelling.casefold())
        if local:
            return local
    return None


def _read_dose(context: Context, rxa: Segment) -> Quantity | str | None:
    """Return the dose, None when none was sent, or the text of a unit that is not known."""
    amount = parse_reported_number(rxa.text(6))
    unit_text = rxa.text(7).strip()
    if amount is None:
        return None
    if not unit_text:
        return None if rxa.text(6).strip() == _UNKNOWN_DOSE else Quantity(amount, "")
    unit = context.site.units.get(unit_text) or context.tables.units.get(unit_text)
    return unit_text if unit is None else Quantity(amount, unit)
