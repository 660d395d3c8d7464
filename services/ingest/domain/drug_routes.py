"""Routes of administration: the codes that HL7 publishes; any other text of a site is *other*.

Source: HL7 v2.5.1, table 0162
"""

OTHER = "other"  # it was said, in words that are none of ours
_CODES = frozenset(
    {"AP", "B", "DT", "EP", "ET", "GTT", "GU", "IMR", "IA", "IB", "IC", "ICV", "ID", "IH", "IHA"}
    | {"IM", "IN", "IO", "IP", "IS", "IT", "IU", "IV", "MTH", "MM", "NS", "NG", "NP", "NT", "OP"}
    | {"OT", "OTH", "PF", "PO", "PR", "RM", "SD", "SC", "SL", "TP", "TRA", "TD", "TL", "UR", "VG"}
    | {"VM", "WND"}
    | {"NEB", "SQ", "IVP", "IVPB"}  # in feeds, and in no table
)


def close_route(text: str) -> str:
    """Return the code in *text*, in capitals; empty where nothing is said.

    >>> close_route(" iv "), close_route("by the nurse of J. Doe"), close_route("")
    ('IV', 'other', '')
    """
    code = text.strip().upper()
    return code if code in _CODES or not code else OTHER
