"""Acts of persons: one row each of the trail that says who did what, when and why."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from services.vocabulary.person import Actor, Role, SignedBy


class ActKind(StrEnum):
    """The kind of an act; the rights of a role are a set of these."""

    # records, rules
    READ_RECORD = "read"  # a first verdict where two readers have to agree
    ADJUDICATE = "adjudicate"
    SETTLE = "settle"  # the verdict of the chair where two readers differ
    DETERMINE = "determine"
    SIGN_PROTOCOL = "sign-protocol"
    # alerts, clocks
    ACKNOWLEDGE = "acknowledge"
    ASSIGN = "assign"  # an alert or a record to whoever looks after it
    SNOOZE = "snooze"
    ESCALATE = "escalate"
    REVOKE_LINK = "revoke-link"
    SET_SERIOUSNESS = "set-seriousness"
    START_CLOCK = "start-clock"
    CLOSE_CLOCK = "close-clock"
    # facts, messages
    ENTER_FACT = "enter-fact"
    IMPORT_PARTICIPANTS = "import-participants"
    IMPORT_MESSAGES = "import-messages"
    ANSWER_QUERY = "answer-query"
    LOOK_AT_MESSAGE = "look-at-message"
    RETRY_PARKED = "retry-parked"
    MAP_CODE = "map-code"
    IGNORE_CODE = "ignore-code"
    DISCARD_PARKED = "discard-parked"
    # the study, the machine
    ACTIVATE_STUDY = "activate-study"
    REFOLD = "refold"
    RETRY_PARTICIPANT = "retry-participant"
    ADD_KEY = "add-key"
    REVOKE_KEY = "revoke-key"
    # persons
    ADD_PERSON = "add-person"
    CHANGE_PERSON = "change-person"
    RESET_PERSON = "reset-person"
    END_PERSON = "end-person"


class Meaning(StrEnum):
    """The meaning of an act for what it is about, as it stands beside a signature."""

    REVIEW = "reviewed"
    APPROVAL = "approved"
    AUTHORSHIP = "authored"
    RESPONSIBILITY = "responsible"


@dataclass(frozen=True, slots=True)
class Act:
    """One act of one person, or of a machine that acts as itself.

    Args:
        id: A uuid.
        acted_at: Aware.
        actor: Who, in which role, and by which proof.
        kind: Of the act.
        target: Id of the record, rule, alert, person, code, ... or the study.
        participant: Pseudonym; empty: it is about none, or many.
        seen_hash: sha256 of the content that was seen when it was decided; empty: nothing was.
        meaning: For what it is about.
        old_value: The value before, in words; empty: none.
        new_value: The value after, in words.
        reason: Never blank.
    """

    id: str
    acted_at: datetime
    actor: Actor
    kind: ActKind
    target: str
    reason: str
    participant: str = ""
    seen_hash: str = ""
    meaning: Meaning = Meaning.AUTHORSHIP
    old_value: str = ""
    new_value: str = ""

    @property
    def is_signed(self) -> bool:
        """True if the person proved their identity again for this act."""
        return self.actor.signed_by is not SignedBy.NOTHING

    @property
    def role(self) -> Role | None:
        """In which the person acted; None: a machine."""
        return self.actor.role
