"""The kind of a result: all of an OBX but its value and its times.

A laboratory sends few kinds, each many times: the fields of each are read once.

Source: HL7 v2.5.1, 7.4.2 (OBX-2, OBX-3, OBX-6, OBX-7, OBX-11, OBX-17), HL7 v2.7.1 (OBX-20)
"""

from dataclasses import dataclass
from weakref import WeakKeyDictionary

from services.ingest.domain.hl7.context import Context
from services.ingest.domain.hl7.fasting_and_rest import read_at_rest
from services.ingest.domain.hl7.measure_codes import find_code, find_measure
from services.ingest.domain.hl7.message import Segment, Separators
from services.ingest.domain.hl7.range_text import RangeText, is_range_given, split_range
from services.ingest.domain.hl7.temperature_site import is_peripheral
from services.ingest.domain.hl7.values import Limits, read_fixed_limits
from services.ingest.domain.site import CodeTables, SiteMap
from services.vocabulary.fact import Status

_OXYGEN_SATURATION = "spo2"
_TEMPERATURE = "temperature"
_STATUS = {one.value: one for one in Status}
_LAST_FIELD = 20
_PADDING = ("",) * (_LAST_FIELD + 1)
# Ever new or endless texts fill no memory.
_MOST_KINDS = 4096  # of one site
_LONGEST_REMEMBERED = 1000  # characters of an OBX


@dataclass(frozen=True, slots=True)
class ResultKind:
    """All that OBX says beside value and times.

    Args:
        code: The sender's own code, or else its text; empty without either.
        measure: None when nobody knows the code.
        status: None when it says of no result how far it can be relied upon.
        value_type: OBX-2, in capitals.
        unit: UCUM; empty when none was sent, None when it is not known.
        range_text: The texts of the limits; None when there are none that can be read.
        has_range: True unless OBX-7 says that there is none.
        limits: Those of every value that is written without a comma; None: they depend on it.
        rests: True when a code means "at rest"; None otherwise, and of other measures.
        peripheral: True when a temperature was taken at the skin; None otherwise.
    """

    code: str
    measure: str | None
    status: Status | None
    value_type: str
    unit: str | None
    range_text: RangeText | None
    has_range: bool
    limits: Limits | None
    rests: bool | None
    peripheral: bool | None


class ResultKinds:
    """The kinds of the results of one site, by the text of their fields."""

    def __init__(self, tables: CodeTables) -> None:
        """Know none yet; *tables* are those that every site may use."""
        self.tables = tables
        self._by_text: dict[tuple[object, ...], ResultKind] = {}

    def __len__(self) -> int:
        """Return the number of those remembered."""
        return len(self._by_text)

    def find(self, context: Context, obx: Segment) -> ResultKind:
        """Return the kind of *obx*, a result of the site of *context*."""
        text = _list_texts(obx.parts, obx.separators)
        kind = self._by_text.get(text)
        if kind is None:
            kind = _read_kind(context, obx)
            if len(self._by_text) >= _MOST_KINDS:
                self._by_text.clear()
            if sum(map(len, obx.parts)) <= _LONGEST_REMEMBERED:
                self._by_text[text] = kind
        return kind


_KINDS: WeakKeyDictionary[SiteMap, ResultKinds] = WeakKeyDictionary()


def find_result_kinds(context: Context) -> ResultKinds:
    """Return the kinds of the results of the site of *context*, as it maps them now."""
    kinds = _KINDS.get(context.site)
    if kinds is None or kinds.tables is not context.tables:
        kinds = _KINDS[context.site] = ResultKinds(context.tables)
    return kinds


def _list_texts(parts: list[str], separators: Separators) -> tuple[object, ...]:
    """Return the fields that `_read_kind` reads, with the marks that part them."""
    if len(parts) <= _LAST_FIELD:
        parts = [*parts, *_PADDING]
    return (parts[2], parts[3], parts[6], parts[7], parts[11], parts[17], parts[20], separators)


def _read_kind(context: Context, obx: Segment) -> ResultKind:
    measure = find_measure(context, obx)
    unit = context.read_unit(obx, 6)
    range_field = obx.full_text(7)
    range_text = _read_range(context, range_field)
    return ResultKind(
        code=find_code(obx),
        measure=measure,
        status=_STATUS.get(obx.text(11) or "F"),
        value_type=obx.field(2).strip().upper(),
        unit=unit,
        range_text=range_text,
        has_range=is_range_given(range_field),
        limits=None if unit is None else read_fixed_limits(range_text, unit, context.site.marks),
        rests=read_at_rest(obx) if measure == _OXYGEN_SATURATION else None,
        peripheral=(is_peripheral(obx) or None) if measure == _TEMPERATURE else None,
    )


def _read_range(context: Context, text: str) -> RangeText | None:
    """Return the range of OBX-7 with the UCUM unit behind it; None when it cannot be read."""
    range_text = split_range(text)
    if range_text is None or range_text.unit is None:
        return range_text
    unit = context.find_unit(range_text.unit)
    return None if unit is None else range_text._replace(unit=unit)
