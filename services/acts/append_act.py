"""The row of an act, checked and written in the transaction of its effect."""

from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from services.acts.refusal import ActRefusedError
from services.runtime.failpoints import pass_failpoint
from services.store import acts
from services.store.session import Connection
from services.vocabulary.act import Act, ActKind, Meaning
from services.vocabulary.person import Actor, SignedBy
from services.vocabulary.reason import trim_reason

# Acts by which a person answers for what they decided: the proof of identity is given again.
SIGNED_KINDS = frozenset(
    {
        ActKind.READ_RECORD,
        ActKind.ADJUDICATE,
        ActKind.SETTLE,
        ActKind.DETERMINE,
        ActKind.SIGN_PROTOCOL,
    }
)


@dataclass(frozen=True, slots=True)
class Subject:
    """The thing that an act is about: its id, its participant, and the hash of what was seen."""

    target: str
    participant: str = ""
    seen_hash: str = ""


@dataclass(frozen=True, slots=True)
class Values:
    """The value before an act and after it, in words; empty: none."""

    old_value: str = ""
    new_value: str = ""


def append_act(
    conn: Connection,
    actor: Actor,
    kind: ActKind,
    subject: Subject,
    values: Values,
    *,
    reason: str,
    acted_at: datetime,
    meaning: Meaning = Meaning.AUTHORSHIP,
) -> Act:
    """Append the act of *actor* at *acted_at* (aware) in the transaction of *conn*; return it.

    Raises:
        ActRefusedError: The reason says nothing, or an act that is signed comes without a proof.
    """
    if kind in SIGNED_KINDS and actor.signed_by is SignedBy.NOTHING:
        raise ActRefusedError("this act is signed: give the password again; nothing is stored")
    row = Act(
        str(uuid4()),
        acted_at,
        actor,
        kind,
        subject.target,
        require_reason(reason),
        subject.participant,
        subject.seen_hash,
        meaning,
        values.old_value,
        values.new_value,
    )
    acts.append_act(conn, row)
    pass_failpoint("act.before_commit")
    return row


def require_reason(reason: str) -> str:
    """Return *reason* without blanks around it, once it says something.

    >>> require_reason(" seen in the chart ")
    'seen in the chart'
    >>> require_reason("  ")
    Traceback (most recent call last):
        ...
    services.acts.refusal.ActRefusedError: say why: the reason is kept

    Raises:
        ActRefusedError: It has neither a letter nor a digit.
    """
    if trimmed_reason := trim_reason(reason):
        return trimmed_reason
    raise ActRefusedError("say why: the reason is kept")
