"""Facts as the journal stores them: each is built once, after its id, digest and hashed numbers."""

from msgspec import structs

from services.ingest.domain.message_content import FactDraft
from services.ingest.ids import fact_id
from services.runtime.wire import digest_clinical
from services.store.journal import RawMessage
from services.store.site_numbers import hash_result_key, hash_series
from services.store.vault import Keys, hash_identifier
from services.vocabulary.clinical_fact import Enrolment
from services.vocabulary.fact import Body, Fact
from services.vocabulary.identity_change import Move

_VISIT, _VISIT_DIGITS = "VN", 32  # HL7 table 0203; 128 bits tell all visits of a trial apart
_REPORT_DIGITS = 8  # 32 bits tell the reports of one order apart


def hash_visit(keys: Keys, site: str, number: str) -> str:
    """Return the keyed hash of a visit number, which only a holder of the key can repeat."""
    return hash_identifier(keys, site, _VISIT, number)[:_VISIT_DIGITS] if number else ""


def build_drafted_fact(
    keys: Keys, message: RawMessage, site: str, draft: FactDraft, subject: str
) -> Fact:
    """Return the fact of *draft*, which *message* of *site* reports of *subject*."""
    visit = hash_visit(keys, site, draft.visit)
    series = hash_series(
        keys, f"{draft.series}|{visit}" if draft.is_of_visit else draft.series, subject, draft.body
    )
    return Fact(
        id=fact_id(message, draft.path),
        subject=subject,
        observed_at=draft.observed_at,
        reported_at=draft.reported_at,
        body=draft.body,
        digest=digest_clinical(subject, draft.observed_at, draft.body, draft.status, series),
        site=site,
        status=draft.status,
        series=series,
        sequence=draft.sequence,
        notes=draft.notes,
        visit=visit,
        result_key=draft.result_key
        and hash_result_key(keys, draft.result_key, message.id[:_REPORT_DIGITS]),
    )


def build_sent_fact(keys: Keys, fact: Fact, new_id: str, sender: str, site: str) -> Fact:
    """Return *fact*, which was sent in our own form, as it is stored under *new_id*.

    Args:
        keys: Keys for the numbers of sites.
        fact: As it was sent.
        new_id: Its id in the journal.
        sender: The site that sent it; empty for a person.
        site: That of the participant.
    """
    body = _complete_body(keys, fact.body, site)
    series = hash_series(keys, fact.series, fact.subject, body)
    return Fact(
        id=new_id,
        subject=fact.subject,
        observed_at=fact.observed_at,
        reported_at=fact.reported_at,
        body=body,
        digest=digest_clinical(fact.subject, fact.observed_at, body, fact.status, series),
        site=sender,
        status=fact.status,
        series=series,
        sequence=fact.sequence,
        notes=fact.notes,
        visit=hash_visit(keys, site, fact.visit),
        result_key=fact.result_key
        and hash_result_key(keys, fact.result_key, fact.result_key.report),
    )


def _complete_body(keys: Keys, body: Body, site: str) -> Body:
    """Return *body*: an enrolment is at *site*, whatever it calls it; a move has hashed visits."""
    match body:
        case Enrolment():
            return structs.replace(body, site=site)
        case Move():
            visit, new_visit = (
                hash_visit(keys, site, number) for number in (body.visit, body.new_visit)
            )
            return structs.replace(body, visit=visit, new_visit=new_visit)
    return body
