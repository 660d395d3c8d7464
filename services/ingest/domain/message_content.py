"""The content of one message: drafts of facts, before their participant is looked up."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from services.vocabulary.fact import Body, ResultKey, Status


class ParkReason(StrEnum):
    """The reason for which an item is parked: a closed set, and a label of metrics."""

    UNKNOWN_CODE = "unknown-code"
    UNKNOWN_MEASURE = "unknown-measure"
    UNKNOWN_CRITERION = "unknown-criterion"
    UNKNOWN_UNIT = "unknown-unit"
    UNREADABLE_VALUE = "unreadable-value"
    UNREADABLE_TIME = "unreadable-time"
    FUTURE_DATED = "future-dated"
    NO_PARTICIPANT = "no-participant"
    UNKNOWN_PARTICIPANT = "unknown-participant"
    AMBIGUOUS_PARTICIPANT = "ambiguous-participant"
    UNSUPPORTED_MESSAGE = "unsupported-message"
    UNREADABLE_LINE = "unreadable-line"
    # a whole message that has more content than is read, or that failed for what it is
    TOO_MANY_ITEMS = "too-many-items"
    NOT_STORED = "not-stored"
    # reasons of dead letters: whole messages of the site topic, whose sender waits for no answer
    NO_SITE = "no-site"
    WRONG_SITE = "wrong-site"
    TOO_LONG = "too-long"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class PatientKey:
    """One identifier of a participant, as its assigning authority knows it."""

    authority: str
    type: str
    identifier: str


class FactDraft(Struct, frozen=True, gc=False):
    """A fact without its participant; see `vocabulary.fact.Fact` for the rest.

    Args:
        patient_ids: Every identifier that the message gives for its participant.
        path: Its place in the message, e.g. ``OBX[3]``.
        visit: The site's own number of the visit (PV1-19), empty without one.
        is_of_visit: True when the same series at the same time in another visit is another fact.
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
    result_key: ResultKey | None = None


@dataclass(frozen=True, slots=True)
class MergeDraft:
    """A merge of two participants who are one person, or its reversal."""

    merged_ids: tuple[PatientKey, ...]
    survivor: tuple[PatientKey, ...]
    path: str
    observed_at: datetime
    reported_at: datetime
    is_reversal: bool = False

    @property
    def ends(self) -> tuple[tuple[PatientKey, ...], tuple[PatientKey, ...]]:
        """The identifiers that are merged away, and those that remain."""
        return self.merged_ids, self.survivor

    @property
    def fields(self) -> tuple[str, str]:
        """The fields of the two ends."""
        return ("the second PID-3", "the first PID-3") if self.is_reversal else ("MRG-1", "PID-3")


@dataclass(frozen=True, slots=True)
class MoveDraft:
    """A move of a visit to another participant; of a whole identifier when *visit* is empty.

    *visit* and *new_visit* are the site's own numbers of the visit.
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
        """The identifiers that it moves from, and those that it moves to."""
        return self.source, self.target

    @property
    def fields(self) -> tuple[str, str]:
        """The fields of the two ends."""
        return "MRG-1", "PID-3"


@dataclass(frozen=True, slots=True)
class ParkedItem:
    """An item that waits for a mapping or a person.

    *masked_detail* is *detail* without the words of the sender, who may write anything: that alone
    is stored in plain text. Empty: there are no such words in it.
    """

    path: str
    reason: ParkReason
    detail: str
    masked_detail: str = ""


@dataclass(frozen=True, slots=True)
class MessageContent:
    """The whole content of one message.

    *patients* are the identifiers in each PID segment, in order; empty when the site knows none.
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
        """The drafts that name two participants."""
        return *self.merges, *self.moves


@dataclass(frozen=True, slots=True)
class Refusal:
    """The refusal of a message that can never be accepted: location, problem and remedy.

    *control_id* and *sender* are empty when they could not be read. *masked_problem* is *problem*
    without the words of the sender; empty: there are none in it.
    """

    location: str
    problem: str
    remedy: str
    control_id: str = ""
    sender: str = ""
    masked_problem: str = ""

    def __str__(self) -> str:
        """Return one sentence, for the sender and for holders of the keys."""
        return f"{self.location}: {self.problem}; {self.remedy}"

    @property
    def masked_text(self) -> str:
        """The same without the words of the sender."""
        return f"{self.location}: {self.masked_problem or self.problem}; {self.remedy}"
