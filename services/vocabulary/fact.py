"""Facts about participants: everything that grading reads is a fact."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final

from msgspec import Struct

from services.vocabulary.clinical_fact import (
    Administration,
    ChronicGvhd,
    Culture,
    Death,
    Enrolment,
    GvhdStage,
    Movement,
    Observation,
    Relapse,
    Transplant,
    Withdrawal,
)
from services.vocabulary.graft_fact import ChronicGvhdScores, GraftStatus, GvhdSigns
from services.vocabulary.identity_change import Merge, Move
from services.vocabulary.judgement import (
    Adjudication,
    Assessment,
    Determination,
    Finding,
    ProtocolActivation,
)


class Status(StrEnum):
    """The reliability of a result, as its sender reports it.

    Source: HL7 v2.5.1 and v2.9, table 0085
    """

    PRELIMINARY = "P"
    PENDING = "I"
    PARTIAL = "S"
    UNVERIFIED = "R"
    FINAL = "F"
    VERIFIED = "V"  # final, in later tables
    PROMOTED = "U"  # the stored preliminary is final, value unchanged
    CORRECTED = "C"
    AMENDED = "A"
    APPENDED = "B"
    DELETED = "D"
    WRONG_PATIENT = "W"
    NO_RESULT = "X"

    @property
    def is_final(self) -> bool:
        """True when the sender stands by the result: not preliminary, partial or withdrawn."""
        return self in _FINAL


_FINAL = frozenset(
    {
        *(Status.FINAL, Status.VERIFIED, Status.PROMOTED),
        *(Status.CORRECTED, Status.AMENDED, Status.APPENDED),
    }
)
RANGE_NOT_READ: Final = "reference range not read"  # a note of a fact: a data query asks about it


Body = (
    Observation
    | Administration
    | Movement
    | Enrolment
    | Transplant
    | Death
    | Relapse
    | Withdrawal
    | Culture
    | GvhdStage
    | GvhdSigns
    | ChronicGvhd
    | ChronicGvhdScores
    | GraftStatus
    | Assessment
    | Finding
    | Adjudication
    | Merge
    | Move
    | Determination
    | ProtocolActivation
)


class ResultKey(Struct, frozen=True, gc=False, omit_defaults=True):
    """The key of a result inside its series, as its sender wrote it.

    Args:
        code: The sender's own code (OBX-3).
        number: Of the result in its report (OBX-1).
        local_time: Of observation, to the second, without its offset; empty: not sent.
        report: A short hash of the message: results of one report are told apart by *number*.
    """

    code: str = ""
    number: str = ""
    local_time: str = ""
    report: str = ""


class Fact(Struct, frozen=True, gc=False, omit_defaults=True):
    """One fact, as sent.

    Args:
        id: uuid5 of where it came from (site, sender, message control id, payload hash, path).
        subject: Pseudonym of the participant whose identifier it carried, or the study's id.
        observed_at: Instant at which it was true, aware, in UTC; orders clinical facts.
        reported_at: Instant of the report (OBR-22, else MSH-7), aware, in UTC.
        body: The content.
        digest: sha256 of the clinical content; equal for the same content sent twice.
        site: The sending site's id, or empty for what a person entered.
        status: Reliability, as the sender reports it.
        series: Sender, filler order number and measure. Facts of one *series*, code and
            *observed_at* form a set, of which one stands for each result; empty: the fact stands
            alone.
        sequence: The sender's own count (MSH-13), 0 without one.
        notes: Irregularities in reading it, e.g. ``observed_at from OBR-7``.
        visit: The site's number of the visit that it belongs to, by a keyed hash; empty: not known.
        result_key: Of a laboratory result or a vital sign, and of the end of an infusion, whose
            local time is that of its beginning; None: a fact of another kind, or of an older
            release, which matches any.

    Raises:
        ValueError: A time is naive or not in UTC.
    """

    id: str
    subject: str
    observed_at: datetime
    reported_at: datetime
    body: Body
    digest: str
    site: str = ""
    status: Status = Status.FINAL
    series: str = ""
    sequence: int = 0
    notes: tuple[str, ...] = ()
    visit: str = ""
    result_key: ResultKey | None = None

    def __post_init__(self) -> None:
        if self.observed_at.tzinfo is UTC is self.reported_at.tzinfo:
            return  # nearly always, and sooner than to ask for an offset
        for name, instant in (("observed_at", self.observed_at), ("reported_at", self.reported_at)):
            if instant.utcoffset() != timedelta(0):
                raise ValueError(f"{name} is not in UTC: {instant.isoformat()}")


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """A fact in the journal, with its message, its time of knowledge and its place.

    *seq* counts without gaps per subject; *received_at* never decreases with it.
    """

    seq: int
    received_at: datetime
    message: str
    fact: Fact
