"""The place at which a temperature was taken: armpit and forehead lie below the core.

Source: LOINC 8328-7, "Axillary temperature"; ISO/IEEE 11073-10101, MDC_TEMP_AXILLA; HL7 v2.7.1,
7.4.2.17 (OBX-17, observation method), 7.4.2.20 (OBX-20, observation site)
"""

import re

from services.ingest.domain.hl7.message import Segment

_METHOD, _PLACE = 17, 20
_CODES = frozenset({"8328-7", "188452", "MDC_TEMP_AXILLA"})
# As laboratories and wards write it: axillary, axillär, axilar; forehead, Stirn; temporal artery
_WORDS = re.compile(r"axil|ascell|armpit|achsel|forehead|stirn|temporal|skin", re.IGNORECASE)


def is_peripheral(obx: Segment) -> bool:
    """Return True when code, method or place of the result says that it was taken at the skin."""
    parts = (part.strip() for field in (3, _METHOD, _PLACE) for part in obx.components(field))
    return any(part in _CODES or _WORDS.search(part) for part in parts)
