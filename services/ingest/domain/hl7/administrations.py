"""RAS^O17: drugs given, started, changed and stopped.

Source: HL7 v2.5.1, 4.14.7 (RXA); tables 0322 (completion) and 0323 (action)
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta

from services.ingest.domain.drug_routes import close_route
from services.ingest.domain.hl7.context import (
    NULL,
    Context,
    Item,
    park_no_participant,
    read_patient_keys,
    read_visit_number,
)
from services.ingest.domain.hl7.drugs import find_drug
from services.ingest.domain.hl7.message import Message, Segment
from services.ingest.domain.hl7.times import Hl7Time, read_local_time
from services.ingest.domain.hl7.values import read_hl7_number
from services.ingest.domain.message_content import FactDraft, ParkedItem, ParkReason, PatientKey
from services.ingest.domain.quoted_text import UNKNOWN_UNIT, quote_in
from services.vocabulary.clinical_fact import Action, Administration
from services.vocabulary.fact import ResultKey, Status
from services.vocabulary.quantity import Quantity

_ACTIONS = {"start": Action.START, "rate": Action.RATE, "stop": Action.STOP, "given": Action.DOSE}
_SCHEDULED_WORD = "premedication"
_IS_GIVEN = {"": None, "CP": True, "PA": True, "RE": False, "NA": False}  # RXA-20; None: not said
# RXA-21; X: nothing has changed, so the entry is the one that was added
_STATUS = {
    "": Status.FINAL,
    "A": Status.FINAL,
    "X": Status.FINAL,
    "U": Status.CORRECTED,
    "D": Status.DELETED,
}
_CHANGING_STATUSES = frozenset({Status.CORRECTED, Status.DELETED, Status.NO_RESULT})
_RETRACTING_STATUSES = frozenset({Status.DELETED, Status.NO_RESULT})
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
    """Yield the facts of one RXA; of a dose that was not given, facts that take it back."""
    rxa, path = entry.rxa, entry.path
    drug, status = find_drug(context, rxa.components(5)), _find_status(rxa)
    start, end = context.read_time(rxa.text(3)), context.read_time(rxa.text(4))
    dose = None if status in _RETRACTING_STATUSES else _read_dose(context, rxa)
    if drug is None:
        code, name, system = (*rxa.components(5), "", "")[:3]
        texts = quote_in(
            "no drug for {}: add it to drugs of this site in sites.yaml",
            f"{code}^{name}^{system}",
        )
        yield ParkedItem(f"{path}.5", ParkReason.UNKNOWN_CODE, *texts)
    elif isinstance(status, ParkedItem):
        yield replace(status, path=f"{path}.{status.path}")
    elif start is None:
        yield ParkedItem(f"{path}.3", ParkReason.UNREADABLE_TIME, "no readable time in RXA-3")
    elif isinstance(dose, str):
        yield ParkedItem(f"{path}.7", ParkReason.UNKNOWN_UNIT, *quote_in(UNKNOWN_UNIT, dose))
    else:
        words = {word.casefold() for word in _split_notes(rxa)}
        filler = entry.order.field(3) if entry.order else ""
        for action, time, action_status in _find_actions(words, start, end, status):
            yield FactDraft(
                patient_ids,
                f"{path}/{action}",
                time.instant,
                context.sent_at,
                Administration(
                    drug, action, dose, close_route(entry.route), _SCHEDULED_WORD in words
                ),
                action_status,
                series=f"{context.sender}|{filler}|{drug}|{action}",
                sequence=context.sequence,
                notes=(*time.notes, *_note_unread_dose(rxa, dose)),
                visit=entry.visit,
                result_key=_make_key(rxa) if action is Action.STOP else None,
            )


def _find_status(rxa: Segment) -> Status | ParkedItem:
    """Return the status of an entry; a parked item, with the field alone, when it is not clear.

    A dose that was not given (RXA-20, or a reason of refusal in RXA-18) is no result of its time:
    what was said of the same dose before is taken back, as by a deletion when it is an update.
    """
    status = _STATUS.get(_read_coded(rxa, 21))
    if status is None:
        texts = quote_in("action '{}' is not in HL7 table 0323", rxa.text(21))
        return ParkedItem("21", ParkReason.UNREADABLE_VALUE, *texts)
    if status is Status.DELETED:
        return status
    completion = _read_coded(rxa, 20)
    if completion not in _IS_GIVEN:
        template = "completion '{}' is not in HL7 table 0322: was it given?"
        return ParkedItem("20", ParkReason.UNREADABLE_VALUE, *quote_in(template, rxa.text(20)))
    is_given, is_refused = (
        _IS_GIVEN[completion],
        bool(_read_coded(rxa, 18) or _read_coded(rxa, 18, 1)),
    )
    if is_given and is_refused:
        detail = "RXA-20 says that it was given, RXA-18 why it was refused: correct one of them"
        return ParkedItem("20", ParkReason.UNREADABLE_VALUE, detail)
    if is_given or (is_given is None and not is_refused):
        return status
    return Status.DELETED if status is Status.CORRECTED else Status.NO_RESULT


def _read_coded(rxa: Segment, field: int, component: int = 0) -> str:
    """Return a code of *field* in capitals, empty when there is none."""
    code = (*rxa.components(field), "")[component].strip().upper()
    return "" if code == NULL else code


def _find_actions(
    words: set[str], start: Hl7Time, end: Hl7Time | None, status: Status
) -> list[tuple[Action, Hl7Time, Status]]:
    """Return the actions that RXA-9 names, or else RXA-3 and RXA-4 imply, with their statuses.

    Without a word an update may turn a dose into an infusion, and a deletion may leave out RXA-4:
    the action that is not implied any longer takes back what it was. The end of an infusion is that
    of the entry's beginning (RXA-3), by which it is taken back when RXA-4 is left out.
    """
    named_actions = [action for word, action in _ACTIONS.items() if word in words]
    if named_actions:
        return [(named_actions[0], start, status)]
    is_infusion = end is not None and end.instant - start.instant >= _AN_INFUSION
    actions = [(Action.START if is_infusion else Action.DOSE, start, status)]
    if end is not None and is_infusion:
        actions.append((Action.STOP, end, status))
    if status in _CHANGING_STATUSES:
        other_actions = (Action.DOSE,) if is_infusion else (Action.START, Action.STOP)
        actions += [(action, start, Status.NO_RESULT) for action in other_actions]
    return actions


def _make_key(rxa: Segment) -> ResultKey:
    """Return the key of the end of an infusion: when its entry begins, as it is written."""
    return ResultKey(local_time=read_local_time(rxa.text(3)))


def _split_notes(rxa: Segment) -> list[str]:
    return [rxa.split_components(note)[0].strip() for note in rxa.repetitions(9)]


def _note_unread_dose(rxa: Segment, dose: Quantity | None) -> tuple[str, ...]:
    """Return a note when RXA-6 has a text that is no dose: then the dose is not known."""
    is_given = rxa.text(6).strip() not in ("", _UNKNOWN_DOSE, NULL)
    return ("dose not read",) if dose is None and is_given else ()


def _read_dose(context: Context, rxa: Segment) -> Quantity | str | None:
    """Return the dose, None when none was sent, or the text of a unit that is not known."""
    amount = read_hl7_number(rxa.text(6), context.site.marks)
    unit = context.read_unit(rxa, 7)
    if amount is None:
        return None
    if not unit and rxa.text(6).strip() == _UNKNOWN_DOSE:
        return None
    return rxa.full_text(7) if unit is None else Quantity(amount, unit)
