"""The measure that OBX-3 names: by LOINC, ISO/IEEE 11073, a code of ours, or one of the site's own.

Source: HL7 v2.5.1, 7.4.2.3 (OBX-3), table 0396
"""

from services.ingest.domain.hl7.context import Context
from services.ingest.domain.hl7.message import Segment

_LOINC = frozenset({"LN", "LOINC"})
_DEVICE_NAMES = "MDC"
_OWN_SYSTEM, _OWN_PREFIX = "AEGIS", "AEGIS-"
_CODE_PARTS = (0, 1, 3, 4)  # code and text, then those of the alternate code


def find_measure(context: Context, obx: Segment) -> str | None:
    """Return the measure: that of the first of OBX-3's two codes that is known."""
    parts = (*(part.strip() for part in obx.components(3)), "", "", "", "", "", "")
    for code, text, system in (parts[:3], parts[3:6]):
        measure = _find_coded_measure(context, code, text, system)
        if measure:
            return measure
    return None


def _find_coded_measure(context: Context, code: str, text: str, system: str) -> str | None:
    """Return the measure of one code; what *system* does not tell, the site may have mapped."""
    tables, measure = context.tables, None
    if system in _LOINC:
        measure = tables.loinc.get(code)
    elif system == _DEVICE_NAMES:
        measure = tables.mdc.get(code) or tables.mdc.get(text)
    elif system == _OWN_SYSTEM:
        own_name = code.removeprefix(_OWN_PREFIX).lower()
        measure = own_name if own_name != code and own_name in tables.measures else None
    return measure or context.site.codes.get(code)


def find_code(obx: Segment) -> str:
    """Return the sender's own code of OBX-3, or else its text; empty without either."""
    parts = obx.components(3)
    return next((code for n in _CODE_PARTS if (code := "".join(parts[n : n + 1]).strip())), "")


def format_code(obx: Segment) -> str:
    """Return code and system of OBX-3, for a person who maps it."""
    code, _, system = (*obx.components(3), "", "")[:3]
    return f"{code}^{system}"
