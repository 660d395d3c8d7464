"""Fasting and rest: the state of the participant that a message reports beside a result.

Source: HL7 v2.7.1, table 0916 (OBR-13); LOINC 49541-6, "Fasting status - Reported", and 59417-6,
"Oxygen saturation in Arterial blood by Pulse oximetry --resting"
"""

from collections.abc import Iterable, Iterator, Sequence

from msgspec.structs import replace

from services.ingest.domain.hl7.context import Item
from services.ingest.domain.hl7.message import Segment
from services.ingest.domain.message_content import FactDraft
from services.vocabulary.clinical_fact import Observation

_CODES = {"F": True, "NF": False}  # NG, FNA: nobody asked
_WORDS = {"fasting": True, "non-fasting": False, "nonfasting": False, "not fasting": False}
_SYSTEMS = ("", "HL70916")
_YES_OR_NO = {"yes": True, "no": False}
_OF_FASTING = frozenset({"glucose", "triglycerides"})  # whose results fasting changes
_AT_REST = frozenset({"59417-6"})
_CONTRADICTION = "whether the participant was fasting is said in two ways"


def add_fasting(order: Segment | None, items: Sequence[Item]) -> Iterator[Item]:
    """Yield *items*, the results of one order, with the fasting state of the participant.

    The state is reported in OBR-13 or as a result of the order; when these contradict each other,
    it is unknown, and a note says so.
    """
    statements = {*_in_order(order), *_in_results(items)}
    if not statements:
        yield from items
        return
    is_fasting = statements.pop() if len(statements) == 1 else None
    for item in items:
        match item:
            case FactDraft(body=Observation(measure=measure) as body) if measure in _OF_FASTING:
                note = () if is_fasting is not None else (_CONTRADICTION,)
                updated_body = replace(body, fasting=is_fasting)
                yield replace(item, body=updated_body, notes=(*item.notes, *note))
            case _:
                yield item


def read_at_rest(obx: Segment) -> bool | None:
    """Return True when a code of OBX-3 means "at rest", otherwise None."""
    return True if not _AT_REST.isdisjoint(obx.components(3)) else None


def _in_order(order: Segment | None) -> Iterator[bool]:
    if order is None:
        return
    for repetition in order.repetitions(13):
        code, text, system = (*order.split_components(repetition), "", "")[:3]
        code_says = _CODES.get(code.strip()) if system in _SYSTEMS else None
        for says in (code_says, *(_WORDS.get(one.strip().casefold()) for one in (code, text))):
            if says is not None:
                yield says


def _in_results(items: Iterable[Item]) -> Iterator[bool]:
    for item in items:
        match item:
            case FactDraft(body=Observation(measure="fasting-status", text=text)) if (
                text in _YES_OR_NO
            ):
                yield _YES_OR_NO[text]
