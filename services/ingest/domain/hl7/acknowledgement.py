"""The acknowledgement (ACK) that the sender of a message receives.

Source: HL7 v2.5.1, 2.9.2 (original mode) and 2.9.3 (enhanced mode)
"""

from datetime import datetime
from enum import StrEnum

from services.ingest.domain.hl7.message import Segment, Separators, read_header
from services.ingest.domain.message_content import Refusal


class AckCode(StrEnum):
    """The acknowledgment code, MSA-1: accepted (on disk), error (send it again), reject (never)."""

    ACCEPT = "A"
    ERROR = "E"
    REJECT = "R"


# Table 0357, message error condition codes, by the place of what is wrong.
_INTERNAL = ("207", "Application internal error")
_CONDITIONS = {
    "MSH": ("100", "Segment sequence error"),
    "MSH-10": ("101", "Required field missing"),
    "MSH-7": ("102", "Data type error"),
    "MSH-11": ("202", "Unsupported processing id"),
}
_OTHER_CONDITION = ("103", "Table value not found")
_DEFAULT = Segment("MSH", 1, ["MSH", "|", "^~\\&"], Separators())
_ACCEPT_WANTED = frozenset({"AL", "ER", "SU"})  # MSH-15, table 0155


def acknowledge(
    raw: bytes, answer: AckCode, answered_at: datetime, refusal: Refusal | None = None
) -> bytes:
    """Return the ACK of the message *raw*, in the mode that it asks for and with its separators.

    Args:
        raw: The message as received, or its beginning; one that cannot be read is answered too.
        answer: Whether it was accepted.
        answered_at: The time of the acknowledgement, aware.
        refusal: The reason when it was not accepted.
    """
    header_or_refusal = read_header(raw)
    header = _DEFAULT if isinstance(header_or_refusal, Refusal) else header_or_refusal
    marks = header.separators
    event = header.field(9).split(marks.repetition)[0].split(marks.component)[1:2]  # as sent
    kind = marks.component.join(("ACK", *event, "ACK") if event else ("ACK",))
    mode = "C" if header.text(15) in _ACCEPT_WANTED else "A"
    segments = [
        (
            *("MSH", header.field(2), "AEGIS", "AEGIS", header.field(3), header.field(4)),
            *(f"{answered_at:%Y%m%d%H%M%S}+0000", "", kind, f"A{header.field(10)}", "P"),
            *(header.field(12) or "2.5.1", *[""] * 5, header.field(18)),
        ),
        ("MSA", f"{mode}{answer}", header.field(10)),
    ]
    if refusal is not None:
        segments.append(_error(answer, refusal, marks))
    lines = (marks.field.join(segment).rstrip(marks.field) for segment in segments)
    return "".join(f"{line}\r" for line in lines).encode("latin-1")


def _error(answer: AckCode, refusal: Refusal, marks: Separators) -> tuple[str, ...]:
    """Return ERR: location (segment, sequence, field), condition, severity, and a sentence."""
    condition = _CONDITIONS.get(refusal.location, _OTHER_CONDITION)
    if answer is AckCode.ERROR:
        condition = _INTERNAL
    segment, _, field = refusal.location.split(",")[0].partition("-")
    location = (segment, "1", field) if field else (segment, "1")
    code, name = condition
    return (
        *("ERR", "", marks.component.join(location)),
        marks.component.join((code, name, "HL70357")),
        *("E", "", "", "", _escape(str(refusal).encode("ascii", "replace").decode(), marks)),
    )


def _escape(text: str, marks: Separators) -> str:
    names = {
        marks.escape: "E",
        marks.field: "F",
        marks.component: "S",
        marks.subcomponent: "T",
        marks.repetition: "R",
    }
    return text.translate(
        {ord(mark): f"{marks.escape}{name}{marks.escape}" for mark, name in names.items()}
    )
