"""The context in which every segment of a message is read: site, code tables, header times."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from services.ingest.domain.hl7.message import Message, Segment
from services.ingest.domain.hl7.times import Hl7Time, find_offset, is_site_clock, read_time
from services.ingest.domain.message_content import (
    FactDraft,
    MergeDraft,
    MoveDraft,
    ParkedItem,
    ParkReason,
    PatientKey,
)
from services.ingest.domain.site import CodeTables, SiteMap
from services.vocabulary.number_text import parse_whole_number

NULL = '""'  # a field that is empty on purpose


@dataclass(frozen=True, slots=True)
class Context:
    """The values that hold for the whole message; *offset* is that of MSH-7.

    *by_site_clock* is True when that offset is the one of the site's zone as it was sent.
    """

    message: Message
    site: SiteMap
    tables: CodeTables
    sent_at: datetime
    offset: str
    sequence: int
    by_site_clock: bool = False

    @property
    def sender(self) -> str:
        """``APPLICATION|FACILITY``."""
        return self.message.sender

    def read_time(self, text: str) -> Hl7Time | None:
        """Return the instant in *text*, in the time zone of the message or the site."""
        if not text:
            return None
        return read_time(text, self.site.timezone, self.offset, by_site_clock=self.by_site_clock)

    def read_unit(self, segment: Segment, position: int) -> str | None:
        """Return the UCUM unit in a field; empty when none was sent, None when it is not known.

        Some senders do not escape the hat of ``x10^3/uL``: the field is looked up whole as well.
        """
        text = segment.field(position).strip()
        if text in ("", NULL):
            return ""
        if segment.separators.component not in text and segment.separators.escape not in text:
            return self.find_unit(text)
        parts = [part.strip() for part in (*segment.components(position), "", "", "", "")]
        spellings = [one for one in (*parts[:2], *parts[3:5]) if one not in ("", NULL)]
        if not spellings:
            return ""
        return self.find_unit(segment.full_text(position).strip(), *spellings)

    def find_unit(self, *spellings: str) -> str | None:
        """Return the UCUM unit of the first of *spellings* that the site, or everybody, knows."""
        for spelling in spellings:
            unit = self.site.units.get(spelling) or self.tables.units.find(spelling)
            if unit:
                return unit
        return None

    def first_time(self, segment: Segment | None, *fields: int) -> tuple[Hl7Time | None, int]:
        """Return the time in the first of *fields* that is not empty, and that position, or 0."""
        for position in fields:
            text = segment.text(position) if segment else ""
            if text:
                return self.read_time(text), position
        return None, 0


Item = FactDraft | MergeDraft | MoveDraft | ParkedItem


def build_context(
    message: Message, site: SiteMap, tables: CodeTables, sent_at: datetime
) -> Context:
    """Return the context of *message*."""
    header = message.header
    offset = find_offset(header.text(7))
    return Context(
        message,
        site,
        tables,
        sent_at,
        offset,
        parse_whole_number(header.text(13)) or 0,
        is_site_clock(sent_at, site.timezone, offset),
    )


def read_patient_keys(
    segment: Segment | None, field: int, context: Context
) -> tuple[PatientKey, ...]:
    """Return the identifiers in *field* whose authority the site has named."""
    if segment is None:
        return ()
    keys = []
    for identifier, authority, kind in identifiers(segment, field):
        expected = context.site.authorities.get(authority)
        if expected is not None and kind in ("", expected):
            keys.append(PatientKey(authority, expected, identifier))
    return tuple(dict.fromkeys(keys))


def identifiers(segment: Segment, field: int) -> Iterator[tuple[str, str, str]]:
    """Yield identifier, assigning authority and type of each repetition of *field* that has one.

    Source: HL7 v2.5.1, 2.A.14 (CX)
    """
    for repetition in segment.repetitions(field):
        identifier, _, _, authority, kind = (*segment.split_components(repetition), "", "", "", "")[
            :5
        ]
        if identifier.strip():
            yield identifier.strip(), authority.split(segment.separators.subcomponent)[0], kind


def read_visit_number(segment: Segment | None, field: int = 19) -> str:
    """Return the number of the visit in *field* of PV1 (or of MRG), empty without one."""
    number = segment.text(field).strip() if segment else ""
    return "" if number == NULL else number


def park_no_participant(segment: Segment | None, path: str) -> ParkedItem:
    """Return the parked item of a segment whose patient has no identifier of the site."""
    if segment is None:
        detail = "there is no PID segment: send one with an identifier in PID-3"
    else:
        detail = "PID-3 has no identifier of an authority that sites.yaml names for this site"
    return ParkedItem(path, ParkReason.NO_PARTICIPANT, detail)
