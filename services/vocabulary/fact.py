"""Facts about participants: everything that grading reads is a fact."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Literal

from services.vocabulary.grade import Symptoms
from services.vocabulary.quantity import Quantity


class Status(StrEnum):
    """The reliability of a result, as its sender reports it. Source: HL7 v2.5.1, table 0085."""

    PRELIMINARY = "P"
    PENDING = "I"
    PARTIAL = "S"
    UNVERIFIED = "R"
    FINAL = "F"
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
    {Status.FINAL, Status.PROMOTED, Status.CORRECTED, Status.AMENDED, Status.APPENDED}
)


@dataclass(frozen=True, slots=True)
class Observation:
    """A measured or scored value; *text* when it is a word (a device, ``HEMOLYZED``).

    *measure* is one of the names in ``measures.csv``, e.g. ``neutrophils``.
    Limits of normal are those that the laboratory reported with the value. *fasting* and *at_rest*
    say what the participant was, None: it is not said.
    """

    measure: str
    value: Quantity | None = None
    text: str = ""
    lln: Quantity | None = None
    uln: Quantity | None = None
    fasting: bool | None = None
    at_rest: bool | None = None
    kind: Literal["observation"] = "observation"


class Action(StrEnum):
    """An act of administering a drug."""

    START = "start"  # of an infusion, or of a repeated oral drug
    RATE = "rate"  # a running infusion goes on at another rate
    STOP = "stop"
    DOSE = "given"  # one dose


@dataclass(frozen=True, slots=True)
class Administration:
    """A drug was given, started, changed or stopped.

    *dose* is an amount (``20 mg``) or a rate (``8 ug/d``). *scheduled* says that the protocol asks
    for it at this time (premedication), whatever the participant's state.
    """

    drug: str
    action: Action
    dose: Quantity | None = None
    route: str = ""
    scheduled: bool = False
    kind: Literal["administration"] = "administration"


@dataclass(frozen=True, slots=True)
class Movement:
    """The participant moved within or between hospitals, or an earlier movement was undone."""

    to: Literal["admission", "ward", "icu", "outpatient", "discharge"]
    cancelled: bool = False
    kind: Literal["movement"] = "movement"


@dataclass(frozen=True, slots=True)
class Enrolment:
    """The participant belongs to the study, at *site*; *observed_at* of the fact is when."""

    site: str
    sex: Literal["female", "male", "other", ""] = ""
    birth_year: int | None = None
    weight_kg: Decimal | None = None
    kind: Literal["enrolment"] = "enrolment"


@dataclass(frozen=True, slots=True)
class Transplant:
    """The graft was infused at *observed_at* of the fact: transplant day 0 at the site.

    *number* is 1 for the trial's own transplant, 2 for a second one.
    """

    donor: Literal["haploidentical", "matched-related", "matched-unrelated", "cord", ""] = ""
    number: int = 1
    kind: Literal["transplant"] = "transplant"


@dataclass(frozen=True, slots=True)
class Death:
    """The participant died; *cause* is a criterion id, ``relapse``, ``infection``, or unknown."""

    cause: str = ""
    kind: Literal["death"] = "death"


@dataclass(frozen=True, slots=True)
class Relapse:
    """The malignancy came back."""

    detail: str = ""
    kind: Literal["relapse"] = "relapse"


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """The participant left the study: follow-up ends."""

    reason: str = ""
    kind: Literal["withdrawal"] = "withdrawal"


@dataclass(frozen=True, slots=True)
class Culture:
    """A microbiological culture, dated by its specimen."""

    positive: bool
    organism: str = ""
    kind: Literal["culture"] = "culture"


OrganStage = Literal[0, 1, 2, 3, 4]


@dataclass(frozen=True, slots=True)
class GvhdStage:
    """Organ stages of acute GVHD; None: not assessed.

    Source: Harris et al. 2016, Biol Blood Marrow Transplant 22:4-10
    """

    skin: OrganStage | None = None
    liver: OrganStage | None = None
    upper_gi: Literal[0, 1] | None = None
    lower_gi: OrganStage | None = None
    kind: Literal["gvhd-stage"] = "gvhd-stage"


ChronicSeverity = Literal["none", "mild", "moderate", "severe"]


@dataclass(frozen=True, slots=True)
class ChronicGvhd:
    """Global severity of chronic GVHD, true from *observed_at* until the next; ``none`` ends it.

    Source: Jagasia et al. 2015, Biol Blood Marrow Transplant 21:389-401
    """

    severity: ChronicSeverity
    kind: Literal["chronic-gvhd"] = "chronic-gvhd"


@dataclass(frozen=True, slots=True)
class Assessment:
    """A clinician's own grade of a criterion, true from *observed_at* until the next; 0 ends it."""

    criterion: str
    grade: int
    by: str
    note: str = ""
    kind: Literal["assessment"] = "assessment"


@dataclass(frozen=True, slots=True)
class Finding:
    """A clinician's finding at *observed_at* about a criterion that is graded from numbers.

    It tells grades of one number apart, and is no reading itself. *infarction*: a troponin is at
    the level of infarction, as its manufacturer defines it. None: nothing is said.
    """

    criterion: str
    by: str
    symptoms: Symptoms | None = None
    infarction: bool | None = None
    note: str = ""
    kind: Literal["finding"] = "finding"


class Verdict(StrEnum):
    """The decision of an adjudicator about an episode."""

    CONFIRM = "confirm"
    REJECT = "reject"  # not an adverse event of this kind, or another cause
    REGRADE = "regrade"
    ATTRIBUTE = "attribute"


@dataclass(frozen=True, slots=True)
class Adjudication:
    """A human decision about the episode of *criterion* that contains *observed_at* of the fact.

    *grade* is the worst grade after ``regrade``; *cause* the attribution after ``attribute``.
    """

    criterion: str
    verdict: Verdict
    by: str
    reason: str
    signed_at: datetime
    grade: int | None = None
    cause: str = ""
    kind: Literal["adjudication"] = "adjudication"


@dataclass(frozen=True, slots=True)
class Merge:
    """Participants *gone* and *survivor* are one person; stands in the journals of both.

    *undone* takes an earlier merge of the two back. Source: HL7 v2.5.1, 3.3.40 (A40).
    """

    gone: str
    survivor: str
    undone: bool = False
    kind: Literal["merge"] = "merge"


@dataclass(frozen=True, slots=True)
class Move:
    """The facts sent about *source* belong to *target*; stands in the journals of both.

    The scope is the visit *visit*, known as *new_visit* from then on (empty: as before); an empty
    *visit* moves all that feeds sent under the identifier. *undone* takes earlier moves of the same
    between the two back. Source: HL7 v2.5.1, 3.3.43 (A43), 3.3.45 (A45).
    """

    source: str
    target: str
    visit: str = ""
    new_visit: str = ""
    undone: bool = False
    kind: Literal["move"] = "move"


class Answer(StrEnum):
    """The decision of the DSMB about a stopping rule."""

    CONTINUE = "continue"
    AMEND = "amend"
    PAUSE = "pause"
    STOP = "stop"


@dataclass(frozen=True, slots=True)
class Determination:
    """The DSMB's answer to decision *decision* of *rule*; the fact's subject is the study.

    *events* counted then, in *participants* (empty: it was not recorded who): the rule speaks again
    when an event counts that is not among them.
    """

    rule: str
    decision: str
    answer: Answer
    by: str
    reason: str
    events: int
    participants: tuple[str, ...] = ()
    kind: Literal["determination"] = "determination"


@dataclass(frozen=True, slots=True)
class ProtocolActivation:
    """From now on the study runs by the protocol file of this hash; subject is the study."""

    version: str
    sha256: str
    kind: Literal["protocol-activation"] = "protocol-activation"


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
    | ChronicGvhd
    | Assessment
    | Finding
    | Adjudication
    | Merge
    | Move
    | Determination
    | ProtocolActivation
)


@dataclass(frozen=True, slots=True)
class Fact:
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
        series: Sender, filler order number and code. Facts of one *series* and one *observed_at*
            form a set, of which one stands; empty: the fact stands alone.
        sequence: The sender's own count (MSH-13), 0 without one.
        notes: Irregularities in reading it, e.g. ``observed_at from OBR-7``.
        visit: The site's number of the visit that it belongs to, by a keyed hash; empty: not known.

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

    def __post_init__(self) -> None:
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
