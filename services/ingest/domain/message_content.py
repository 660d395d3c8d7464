"""What reading one message gives: facts whose participant is not looked up yet, and what is odd."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from services.vocabulary.fact import Body, Status


class ParkReason(StrEnum):
    """Why something was accepted and cannot be used yet: a closed set, and a metric label."""

    UNKNOWN_CODE = "unknown-code"
    UNKNOWN_UNIT = "unknown-unit"
    UNREADABLE_VALUE = "unreadable-value"
    UNREADABLE_TIME = "unreadable-time"
    FUTURE_DATED = "future-dated"
    NO_PARTICIPANT = "no-participant"
    UNKNOWN_PARTICIPANT = "unknown-participant"
    AMBIGUOUS_PARTICIPANT = "ambiguous-participant"
    UNSUPPORTED_MESSAGE = "unsupported-message"
    UNREADABLE_LINE = "unreadable-line"
    # of a message that could not be answered, because nobody waits for an answer
    NO_SITE = "no-site"
    WRONG_SITE = "wrong-site"
    TOO_LONG = "too-long"
    REFUSED = "refused"
    NOT_STORED = "not-stored"


@dataclass(frozen=True, slots=True)
class PatientKey:
    """One identifier of a participant, as its assigning authority knows it."""

    authority: str
    type: str
    identifier: str


@dataclass(frozen=True, slots=True)
class FactDraft:
    """A fact without its participant; see `vocabulary.fact.Fact` for the rest.

    Args:
        patient_ids: Every identifier that the message gives for its participant.
        path: Where in the message it stands, e.g. ``OBX[3]``.
        visit: The site's own number of the visit (PV1-19), empty when it is not said.
        is_of_visit: Another visit of the same series and time is another fact.
    """

    patient_ids: tuple[PatientKey, ...]
    path: str
    observed_at: datetime
    reported_at: datetime
    body: Body
    status: Status = Status.FINAL
    series: str = ""
    sequence: int = 0
    notes: tuple[str, ...] = ()
    visit: str = ""
    is_of_visit: bool = False


@dataclass(frozen=True, slots=True)
class MergeDraft:
    """Two participants are one person, or are no longer taken for one."""

    merged_ids: tuple[PatientKey, ...]
    survivor: tuple[PatientKey, ...]
    path: str
    observed_at: datetime
    reported_at: datetime
    is_reversal: bool = False

    @property
    def ends(self) -> tuple[tuple[PatientKey, ...], tuple[PatientKey, ...]]:
        """Whose identifier is gone, and whose stays."""
        return self.merged_ids, self.survivor


@dataclass(frozen=True, slots=True)
class MoveDraft:
    """A visit, or with an empty *visit* an identifier, belongs to another participant.

    *visit* and *new_visit* are the site's own numbers of it.
    """

    source: tuple[PatientKey, ...]
    target: tuple[PatientKey, ...]
    path: str
    observed_at: datetime
    reported_at: datetime
    visit: str = ""
    new_visit: str = ""

    @property
    def ends(self) -> tuple[tuple[PatientKey, ...], tuple[PatientKey, ...]]:
        """From whom, and to whom."""
        return self.source, self.target


@dataclass(frozen=True, slots=True)
class ParkedItem:
    """Something that waits for a mapping or a person; *detail* has no identifier in it."""

    path: str
    reason: ParkReason
    detail: str


@dataclass(frozen=True, slots=True)
class MessageContent:
    """All that one message says.

    *patients* are the identifiers in each PID segment, in order; none that the site knows: empty.
    """

    site: str
    sender: str
    control_id: str
    kind: str
    sent_at: datetime
    drafts: tuple[FactDraft, ...] = ()
    merges: tuple[MergeDraft, ...] = ()
    moves: tuple[MoveDraft, ...] = ()
    parked: tuple[ParkedItem, ...] = ()
    patients: tuple[tuple[PatientKey, ...], ...] = ()

    def find_segment(self, patient_ids: tuple[PatientKey, ...]) -> str:
        """Return the segment that names *patient_ids* first, e.g. ``PID[2]``."""
        return f"PID[{self.patients.index(patient_ids) + 1}]"

    @property
    def merges_and_moves(self) -> tuple[MergeDraft | MoveDraft, ...]:
        """What names two participants."""
        return *self.merges, *self.moves


@dataclass(frozen=True, slots=True)
class Refusal:
    """A message that can never be accepted: where, what is wrong, and what to do about it.

    *control_id* and *sender* are empty when they could not be read.
    """

    location: str
    problem: str
    remedy: str
    control_id: str = ""
    sender: str = ""

    def __str__(self) -> str:
        """One sentence without identifiers."""
        return f"{self.location}: {self.problem}; {self.remedy}"
