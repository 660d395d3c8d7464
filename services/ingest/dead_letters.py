"""Messages of the site topic that can never be accepted: kept as they came, and parked."""

from hashlib import sha256

from services.ingest.domain.message_content import ParkedItem, ParkReason, Refusal
from services.ingest.ids import message_id
from services.ingest.intake import Intake, MessageFormat, Outcome, Submission
from services.ingest.parked_rows import build_parked_rows
from services.store import journal
from services.store.journal import Arrival, RawMessage

# The site follows. No sender of HL7 v2 has this name, so the same message counts as new when it is
# accepted later.
DEAD_LETTER_SENDER = "site-topic|"


_REASONS = {"MSH-3, MSH-4": ParkReason.NO_SITE, "MSH-4": ParkReason.WRONG_SITE}


def park_refusal(refusal: Refusal) -> ParkedItem:
    """Return the parked item of a message that was refused.

    >>> problem = "there is no message control id"
    >>> park_refusal(Refusal("MSH-10", problem, "give every message its own"))
    ParkedItem(path='MSH-10', reason=<ParkReason.REFUSED: 'refused'>, \
detail='MSH-10: there is no message control id; give every message its own', masked_detail='')
    """
    reason = _REASONS.get(refusal.location, ParkReason.REFUSED)
    masked_detail = refusal.masked_text if refusal.masked_problem else ""
    return ParkedItem(refusal.location, reason, str(refusal), masked_detail)


def store_dead_letter(
    intake: Intake, submission: Submission, site_key: str, item: ParkedItem
) -> None:
    """Store *submission* as it came, with *item* as the reason; storing it again changes nothing.

    Args:
        intake: The intake that did not accept it.
        submission: The message; its site is empty when the study has none of that name.
        site_key: The site that the sender named.
        item: The reason for which it is parked.

    Raises:
        sqlalchemy.exc.SQLAlchemyError: It could not be stored.
    """
    digest = sha256(submission.body).hexdigest()
    sender, control_id = f"{DEAD_LETTER_SENDER}{site_key}", digest[:32]
    message = RawMessage(
        id=message_id(sender, control_id, digest),
        received_at=intake.clock(),
        site=submission.site,
        sender=sender,
        control_id=control_id,
        sha256=digest,
        source=submission.source,
        clock="wall",
        body=submission.body,
    )
    with intake.db.write() as conn:
        if not journal.find_payload_hashes(conn, intake.keys, [(sender, control_id)]):
            rows = build_parked_rows(intake.keys, message, [item])
            journal.append_arrivals(conn, intake.keys, [Arrival(message, (), tuple(rows))])


def resubmit(intake: Intake, message: RawMessage) -> Outcome | None:
    """Submit a dead letter again; None when the study still has no site of that name.

    It is accepted as a new message of the sender that it names.
    """
    site = message.sender.removeprefix(DEAD_LETTER_SENDER)
    if site not in intake.sites.by_id:
        return None
    submission = Submission(message.body, "kafka", site, form=detect_form(message.body))
    return intake.accept([submission])[0]


def detect_form(body: bytes) -> MessageFormat:
    """Return the form of a record: facts when it begins as JSON, otherwise HL7 v2.

    >>> detect_form(b'{"subject": "P-001"}'), detect_form(b"MSH|^~")
    ('facts', 'hl7v2')
    """
    return "facts" if body.lstrip()[:1] == b"{" else "hl7v2"
