"""The content of one OBX: a number with its unit and limits, or a word.

Source: HL7 v2.5.1, 7.4.2.5 to 7.4.2.7 (OBX-5, OBX-6, OBX-7)
"""

from collections.abc import Sequence

from services.ingest.domain.hl7.context import NULL, Context
from services.ingest.domain.hl7.fasting_and_rest import read_at_rest
from services.ingest.domain.hl7.message import Segment
from services.ingest.domain.hl7.range_text import RangeText, is_range_given, split_range
from services.ingest.domain.hl7.temperature_site import is_peripheral
from services.ingest.domain.hl7.values import read_result
from services.ingest.domain.message_content import ParkedItem, ParkReason
from services.ingest.domain.quoted_text import UNKNOWN_UNIT, quote_in
from services.vocabulary.clinical_fact import Observation
from services.vocabulary.fact import Status
from services.vocabulary.quantity import Quantity

_WITHOUT_VALUE = frozenset(
    {Status.DELETED, Status.WRONG_PATIENT, Status.NO_RESULT, Status.PENDING, Status.PROMOTED}
)
_OXYGEN_SATURATION = "spo2"
_TEMPERATURE = "temperature"


def read_body(
    context: Context, measure: str, status: Status, obx: Segment, path: str
) -> Observation | ParkedItem:
    """Return the observation of *measure*, or the parked item of one that is not certain."""
    values = tuple(dict.fromkeys(obx.repetitions(5)))
    if len(values) > 1:
        detail = f"{measure} has several values in one result; send a result for each"
        return ParkedItem(f"{path}.5", ParkReason.UNREADABLE_VALUE, detail)
    components = obx.split_components(values[0] if values else "")
    is_empty = not any(components) or components[0] == NULL
    if is_empty and status in _WITHOUT_VALUE:
        return Observation(measure)
    if measure in context.tables.in_words:
        return _read_word(context, measure, components, path)
    unit = context.read_unit(obx, 6)
    if unit is None:
        texts = quote_in(UNKNOWN_UNIT, obx.full_text(6))
        return ParkedItem(f"{path}.6", ParkReason.UNKNOWN_UNIT, *texts)
    body = None if is_empty else _read_number(context, measure, obx, components, unit)
    if body is None:
        remedy = "ask the laboratory, or correct the result"
        if context.site.marks is None and "," in components[0]:
            remedy = "name decimal_mark and thousands_mark of this site in sites.yaml"
        detail = f"value of {measure} is no number that is certain; {remedy}"
        return ParkedItem(f"{path}.5", ParkReason.UNREADABLE_VALUE, detail)
    return body


def has_unread_range(obx: Segment, body: Observation) -> bool:
    """Return True when OBX-7 has a range that gave *body*, a number, no limit."""
    if body.value is None or body.lln is not None or body.uln is not None:
        return False
    return is_range_given(obx.full_text(7))


def _read_number(
    context: Context, measure: str, obx: Segment, components: Sequence[str], unit: str
) -> Observation | None:
    """Return the observation of a number in *unit*, None when it is not certain which."""
    range_text = _find_range(context, obx)
    result = read_result(obx.field(2), components, range_text, unit, context.site.marks)
    if result.value is None or _is_misread(context, measure, components, result.value):
        return None
    rests = read_at_rest(obx) if measure == _OXYGEN_SATURATION else None
    peripheral = is_peripheral(obx) if measure == _TEMPERATURE else None
    return Observation(
        measure,
        result.value,
        lln=result.lln,
        uln=result.uln,
        at_rest=rests,
        peripheral=peripheral or None,
    )


def _is_misread(context: Context, measure: str, components: Sequence[str], value: Quantity) -> bool:
    """Return True when a comma was taken for thousands, and makes a number that cannot be."""
    if context.site.marks is not None or "," not in "".join(components):
        return False
    plausible = context.tables.plausible.get((measure, value.unit))
    return plausible is not None and not plausible.contains(value.value)


def _find_range(context: Context, obx: Segment) -> RangeText | None:
    """Return the range of OBX-7 with the UCUM unit behind it; None when it cannot be read."""
    range_text = split_range(obx.full_text(7))
    if range_text is None or range_text.unit is None:
        return range_text
    unit = context.find_unit(range_text.unit)
    return None if unit is None else range_text._replace(unit=unit)


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
