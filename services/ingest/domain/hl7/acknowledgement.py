"""What the sender is answered.

Source: HL7 v2.5.1, 2.9.2 (original mode) and 2.9.3 (enhanced mode)
"""

from datetime import datetime
from enum import StrEnum

from services.ingest.domain.hl7.message import Message, parse
from services.ingest.domain.reading import Refused


class Answer(StrEnum):
    """On disk; send it again; can never be accepted."""

    ACCEPT = "A"
    ERROR = "E"
    REJECT = "R"


# Table 0357, message error condition codes, by the place of what is wrong.
_INTERNAL = "207^Application internal error"
_CONDITIONS = {
    "MSH": "100^Segment sequence error",
    "MSH-10": "101^Required field missing",
    "MSH-7": "102^Data type error",
    "MSH-11": "202^Unsupported processing id",
}
_OTHERWISE = "103^Table value not found"
_ESCAPES = str.maketrans({"\\": "\\E\\", "|": "\\F\\", "^": "\\S\\", "&": "\\T\\", "~": "\\R\\"})


def acknowledge(raw: bytes, answer: Answer, at: datetime, refused: Refused | None = None) -> bytes:
    """Return the ACK of the message *raw*, in the mode that it asks for.

    Args:
        raw: As received; even when it cannot be read, something is answered.
        answer: What happened to it.
        at: Aware.
        refused: Why, when it was not accepted.
    """
    message = parse(raw)
    if isinstance(message, Message):
        header = message.header
        application, facility = header.field(3), header.field(4)
        control_id, version = header.text(10), header.text(12) or "2.5.1"
        event = message.kind[1]
        enhanced = bool(header.field(15) or header.field(16))
    else:
        application = facility = control_id = event = ""
        version, enhanced = "2.5.1", False
    when = f"{at:%Y%m%d%H%M%S}+0000"
    kind = f"ACK^{event}^ACK" if event else "ACK"
    segments = [
        f"MSH|^~\\&|AEGIS|AEGIS|{application}|{facility}|{when}||{kind}|A{control_id}|P|{version}",
        f"MSA|{'C' if enhanced else 'A'}{answer}|{control_id}",
    ]
    if refused is not None:
        text = str(refused).translate(_ESCAPES)
        where = _CONDITIONS.get(refused.where, _OTHERWISE)
        condition = _INTERNAL if answer is Answer.ERROR else where
        segments.append(f"ERR||{_location(refused)}|{condition}^HL70357|E||||{text}")
    return "".join(f"{segment}\r" for segment in segments).encode()


def _location(refused: Refused) -> str:
    """Return ERR-2: segment, sequence and field, of a place such as ``MSH-10``."""
    segment, _, field = refused.where.split(",")[0].partition("-")
    return f"{segment}^1^{field}" if field else f"{segment}^1"
