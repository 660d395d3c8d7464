"""The content of one OBX: a number with its unit and limits, or a word.

Source: HL7 v2.5.1, 7.4.2.5 to 7.4.2.7 (OBX-5, OBX-6, OBX-7)
"""

from collections.abc import Sequence

from services.ingest.domain.hl7.context import NULL, Context
from services.ingest.domain.hl7.message import Segment
from services.ingest.domain.hl7.result_kinds import ResultKind
from services.ingest.domain.hl7.values import read_result, read_value
from services.ingest.domain.message_content import ParkedItem, ParkReason
from services.ingest.domain.quoted_text import UNKNOWN_UNIT, quote_in
from services.vocabulary.clinical_fact import Observation
from services.vocabulary.fact import Status
from services.vocabulary.quantity import Quantity

_WITHOUT_VALUE = frozenset(
    {Status.DELETED, Status.WRONG_PATIENT, Status.NO_RESULT, Status.PENDING, Status.PROMOTED}
)


def read_body(
    context: Context, kind: ResultKind, measure: str, obx: Segment, path: str
) -> Observation | ParkedItem:
    """Return the observation of *measure*, or the parked item of one that is not certain."""
    values = obx.repetitions(5)
    if len(values) > 1 and len(set(values)) > 1:
        detail = f"{measure} has several values in one result; send a result for each"
        return ParkedItem(f"{path}.5", ParkReason.UNREADABLE_VALUE, detail)
    components = obx.split_components(values[0] if values else "")
    is_empty = not any(components) or components[0] == NULL
    if is_empty and kind.status in _WITHOUT_VALUE:
        return Observation(measure)
    if measure in context.tables.in_words:
        return _read_word(context, measure, components, path)
    if kind.unit is None:
        texts = quote_in(UNKNOWN_UNIT, obx.full_text(6))
        return ParkedItem(f"{path}.6", ParkReason.UNKNOWN_UNIT, *texts)
    body = None if is_empty else _read_number(context, kind, measure, components, kind.unit)
    if body is None:
        remedy = "ask the laboratory, or correct the result"
        if context.site.marks is None and "," in components[0]:
            remedy = "name decimal_mark and thousands_mark of this site in sites.yaml"
        detail = f"value of {measure} is no number that is certain; {remedy}"
        return ParkedItem(f"{path}.5", ParkReason.UNREADABLE_VALUE, detail)
    return body


def has_unread_range(kind: ResultKind, body: Observation) -> bool:
    """Return True when OBX-7 has a range that gave *body*, a number, no limit."""
    has_limit = body.lln is not None or body.uln is not None
    return kind.has_range and body.value is not None and not has_limit


def _read_number(
    context: Context, kind: ResultKind, measure: str, components: Sequence[str], unit: str
) -> Observation | None:
    """Return the observation of a number in *unit*, None when it is not certain which."""
    marks = context.site.marks
    value: Quantity | None
    if kind.limits is not None and (marks is not None or not _has_comma(components)):
        value = read_value(kind.value_type, components, unit, marks)
        lln, uln = kind.limits
    else:
        result = read_result(kind.value_type, components, kind.range_text, unit, marks)
        value, lln, uln = result.value, result.lln, result.uln
    if value is None or _is_misread(context, measure, components, value):
        return None
    return Observation(
        measure, value, lln=lln, uln=uln, at_rest=kind.rests, peripheral=kind.peripheral
    )


def _has_comma(components: Sequence[str]) -> bool:
    return any("," in part for part in components)


def _is_misread(context: Context, measure: str, components: Sequence[str], value: Quantity) -> bool:
    """Return True when a comma was taken for thousands, and makes a number that cannot be."""
    if context.site.marks is not None or not _has_comma(components):
        return False
    plausible = context.tables.plausible.get((measure, value.unit))
    return plausible is not None and not plausible.contains(value.value)


def _read_word(
    context: Context, measure: str, components: Sequence[str], path: str
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
