"""Judgements of clinicians, adjudicators and the DSMB: contents of facts."""

from datetime import datetime
from enum import StrEnum

from services.vocabulary.fact_body import FactBody
from services.vocabulary.grade import Symptoms


class Assessment(FactBody, frozen=True, tag="assessment"):
    """A clinician's own grade of a criterion, true from *observed_at* until the next; 0 ends it."""

    criterion: str
    grade: int
    by: str
    note: str = ""


class Finding(FactBody, frozen=True, tag="finding"):
    """A clinician's finding at *observed_at* about a criterion that is graded from numbers.

    It tells grades of one number apart, and is no reading itself. *infarction*: a troponin is at
    the level of infarction, as its manufacturer defines it. None: nothing is said.
    """

    criterion: str
    by: str
    symptoms: Symptoms | None = None
    infarction: bool | None = None
    note: str = ""


class Verdict(StrEnum):
    """The decision of an adjudicator about an episode."""

    CONFIRM = "confirm"
    REJECT = "reject"  # not an adverse event of this kind, or another cause
    REGRADE = "regrade"
    ATTRIBUTE = "attribute"


class Adjudication(FactBody, frozen=True, tag="adjudication"):
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


class Answer(StrEnum):
    """The decision of the DSMB about a stopping rule."""

    CONTINUE = "continue"
    AMEND = "amend"
    PAUSE = "pause"
    STOP = "stop"


class Determination(FactBody, frozen=True, tag="determination"):
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


class ProtocolActivation(FactBody, frozen=True, tag="protocol-activation"):
    """From now on the study runs by the protocol file of this hash; subject is the study."""

    version: str
    sha256: str
