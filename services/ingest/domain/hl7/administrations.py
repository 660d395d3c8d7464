"""RAS^O17: drugs given, started, changed and stopped.

Source: HL7 v2.5.1, 4.14.7 (RXA)
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from services.ingest.domain.hl7.context import (
    Context,
    Item,
    nobody,
    patient_keys,
    visit_number,
)
from services.ingest.domain.hl7.message import Message, Segment
from services.ingest.domain.hl7.times import Time
from services.ingest.domain.hl7.values import read_number
from services.ingest.domain.message_content import Draft, ParkedItem, ParkReason, PatientKey
from services.vocabulary.fact import Action, Administration, Status
from services.vocabulary.quantity import Quantity

_ACTIONS = {"start": Action.START, "rate": Action.RATE, "stop": Action.STOP, "given": Action.GIVEN}
_SCHEDULED = "premedication"
_NOT_GIVEN = frozenset({"RE", "NA"})  # RXA-20: refused, not administered
_STATUS = {"": Status.FINAL, "A": Status.FINAL, "U": Status.CORRECTED, "D": Status.DELETED}
_UNKNOWN_DOSE = "999"  # in RXA-6, without a unit
_AN_INFUSION = timedelta(minutes=30)  # RXA-3 and RXA-4 this far apart are a start and a stop


@dataclass(frozen=True, slots=True)
class _Given:
    """One RXA with the order, the route and the visit that it stands under."""

    rxa: Segment
    order: Segment | None
    route: str
    visit: str

    @property
    def path(self) -> str:
        return f"RXA[{self.rxa.number}]"


def administrations(context: Context) -> Iterator[Item]:
    """Yield what each RXA says, in order."""
    for patient, given in _each(context.message):
        who = patient_keys(patient, 3, context)
        if who:
            yield from _administration(context, who, given)
        else:
            yield nobody(patient, given.path)


def _each(message: Message) -> Iterator[tuple[Segment | None, _Given]]:
    """Yield each RXA; its route (RXR) comes after it, its order (ORC) and patient before."""
    patient: Segment | None = None
    order: Segment | None = None
    waiting: list[Segment] = []
    route = visit = ""
    for segment in message.segments:
        if segment.name in ("PID", "ORC"):
            yield from ((patient, _Given(rxa, order, route, visit)) for rxa in waiting)
            waiting, route = [], ""
        if segment.name == "PID":
            patient, order, visit = segment, None, ""
        elif segment.name == "PV1":
            visit = visit_number(segment)
        elif segment.name == "ORC":
            order = segment
        elif segment.name == "RXR":
            route = segment.text(1)
        elif segment.name == "RXA":
            waiting.append(segment)
    yield from ((patient, _Given(rxa, order, route, visit)) for rxa in waiting)


def _administration(context: Context, who: tuple[PatientKey, ...], given: _Given) -> Iterator[Item]:
    rxa, path = given.rxa, given.path
    if rxa.text(20) in _NOT_GIVEN:
        return
    drug = _drug(context, rxa)
    status = _STATUS.get(rxa.text(21))
    began, ended = context.time(rxa.text(3)), context.time(rxa.text(4))
    dose = None if status is Status.DELETED else _dose(context, rxa)
    if drug is None:
        code, name, system = (*rxa.components(5), "", "")[:3]
        detail = f"no drug for {code}^{name}^{system}: add it to drugs of this site in sites.yaml"
        yield ParkedItem(f"{path}.5", ParkReason.UNKNOWN_CODE, detail)
    elif status is None:
        detail = f"action {rxa.text(21)!r} is not in HL7 table 0323"
        yield ParkedItem(f"{path}.21", ParkReason.UNREADABLE_VALUE, detail)
    elif began is None:
        yield ParkedItem(f"{path}.3", ParkReason.UNREADABLE_TIME, "no readable time in RXA-3")
    elif isinstance(dose, str):
        detail = f"unit {dose!r} is not known: add it to units of this site in sites.yaml"
        yield ParkedItem(f"{path}.7", ParkReason.UNKNOWN_UNIT, detail)
    else:
        words = {word.casefold() for word in _notes(rxa)}
        filler = given.order.field(3) if given.order else ""
        for action, time in _actions(words, began, ended):
            yield Draft(
                who,
                f"{path}/{action}",
                time.at,
                context.sent_at,
                Administration(drug, action, dose, given.route, _SCHEDULED in words),
                status,
                series=f"{context.sender}|{filler}|{drug}|{action}",
                sequence=context.sequence,
                notes=time.notes,
                visit=given.visit,
            )


def _actions(words: set[str], began: Time, ended: Time | None) -> list[tuple[Action, Time]]:
    """Return what RXA-9 says was done; without a word, what its two times say."""
    said = [action for word, action in _ACTIONS.items() if word in words]
    if said:
        return [(said[0], began)]
    if ended is not None and ended.at - began.at >= _AN_INFUSION:
        return [(Action.START, began), (Action.STOP, ended)]
    return [(Action.GIVEN, began)]


def _notes(rxa: Segment) -> list[str]:
    return [rxa.split(note)[0].strip() for note in rxa.repetitions(9)]


def _drug(context: Context, rxa: Segment) -> str | None:
    code, name, *_ = (*rxa.components(5), "")
    for written in (code.strip(), name.strip()):
        local = context.site.drugs.get(written) or context.tables.drugs.get(written.casefold())
        if local:
            return local
    return None


def _dose(context: Context, rxa: Segment) -> Quantity | str | None:
    """Return the dose; None when none was sent, a text when its unit is not known."""
    amount = read_number(rxa.text(6))
    written = rxa.text(7).strip()
    if amount is None:
        return None
    if not written:
        return None if rxa.text(6).strip() == _UNKNOWN_DOSE else Quantity(amount, "")
    unit = context.site.units.get(written) or context.tables.units.get(written)
    return written if unit is None else Quantity(amount, unit)
