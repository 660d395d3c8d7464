"""Enrolment of participants, with their identifiers, from the rows of a file."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import chain, count
from zoneinfo import ZoneInfo

from services.ingest.ids import fact_id, message_id
from services.ingest.intake import Intake
from services.ingest.participant_rows import ParticipantRow, WrongRow, read_rows
from services.runtime import wire
from services.store import journal, participants
from services.store.journal import Arrival, RawMessage
from services.store.participants import Participant
from services.store.session import Connection
from services.store.vault import hash_identifier
from services.vocabulary.clinical_fact import Enrolment, Transplant
from services.vocabulary.fact import Body, Fact, Status

_SENDER = "participants|import"
_FUTURE = timedelta(minutes=10)  # a clock may be this wrong


@dataclass(frozen=True, slots=True)
class ImportResult:
    """The result of an import: counts of new and changed participants, and the lines left out."""

    added_count: int
    changed_count: int
    wrong: tuple[WrongRow, ...]


def import_participants(intake: Intake, content: bytes, actor: str) -> ImportResult:
    """Enrol the participants in *content* (a CSV file); another import corrects them.

    Each line is a message of its own: a wrong one does not keep the others out. The last line
    about a participant stands, even when an earlier import corrected the same line.
    """
    rows, wrong = read_rows(content, intake.sites)
    known_at = _find_known_at(intake, [row for _, row, _ in rows])
    last = {row.participant: line for line, row, _ in rows}
    added_count = changed_count = 0
    for line, row, raw in rows:
        imported_line = _ImportedLine(raw, actor, known_at, is_last=last[row.participant] == line)
        with intake.db.write() as conn:
            try:
                is_new, facts = _enter(conn, intake, row, imported_line)
            except ValueError as error:
                conn.rollback()
                wrong.append(WrongRow(line, str(error)))
                continue
        added_count += is_new
        changed_count += bool(facts) and not is_new
    return ImportResult(added_count, changed_count, tuple(sorted(wrong, key=lambda w: w.line)))


@dataclass(frozen=True, slots=True)
class _ImportedLine:
    """A line as it was read, its importer, and the instant from which it is known.

    *is_last* is True when no later line of the file is about the same participant.
    """

    raw: bytes
    actor: str
    known_at: datetime
    is_last: bool


def _find_known_at(intake: Intake, rows: Sequence[ParticipantRow]) -> datetime:
    """Return the instant from which an import is known: now.

    By the clock of messages it is the time of the last message, and before the first message the
    earliest enrolment of the file.
    """
    if not (intake.by_message and rows):
        return intake.clock()
    with intake.db.read() as conn:
        last = participants.find_last_received(conn, intake.study)
    zones = {site.id: ZoneInfo(site.timezone) for site in intake.sites.by_id.values()}
    return last or min(_utc(row.enrolled_at, zones[row.site]) for row in rows)


def _enter(
    conn: Connection, intake: Intake, row: ParticipantRow, imported_line: _ImportedLine
) -> tuple[bool, list[Fact]]:
    imported_at, raw, actor = intake.clock(), imported_line.raw, imported_line.actor
    zone = ZoneInfo(intake.sites.by_id[row.site].timezone)
    _require_past(row, zone, imported_at)
    participant = Participant(row.participant, intake.study, row.site)
    is_new = bool(participants.add_participants(conn, [participant], imported_at, actor=actor))
    identifier_hash = hash_identifier(
        intake.keys, row.authority, row.identifier_type, row.identifier
    )
    participants.link_identifier(
        conn,
        identifier_hash,
        row.participant,
        row.site,
        key_id=intake.keys.active,
        instant=imported_at,
        actor=actor,
    )
    digest = sha256(raw).hexdigest()
    control_id = _choose_control_id(conn, digest)
    is_repeated = control_id != digest
    message = RawMessage(
        id=message_id(_SENDER, control_id, digest),
        received_at=imported_line.known_at,
        site=row.site,
        sender=_SENDER,
        control_id=control_id,
        sha256=digest,
        source="participants",
        clock="message" if intake.by_message else "wall",
        body=raw,
    )
    if is_repeated and not imported_line.is_last:
        return is_new, []
    facts = list(_changed_facts(conn, message, row, zone))
    if facts or not is_repeated:
        journal.append_arrivals(conn, intake.keys, [Arrival(message, tuple(facts), ())])
    return is_new, facts


def _require_past(row: ParticipantRow, zone: ZoneInfo, imported_at: datetime) -> None:
    for name, local_time in (
        ("transplant_at", row.transplant_at),
        ("enrolled_at", row.enrolled_at),
    ):
        if local_time is not None and _utc(local_time, zone) > imported_at + _FUTURE:
            raise ValueError(f"{name}: {local_time.isoformat()} lies in the future")


def _choose_control_id(conn: Connection, digest: str) -> str:
    """Return the hash of a line; repeated, with a number: it may correct an import in between."""
    control_ids = chain([digest], (f"{digest}|{number}" for number in count(2)))
    return next(
        one for one in control_ids if not journal.find_payload_hashes(conn, [(_SENDER, one)])
    )


def _changed_facts(
    conn: Connection, message: RawMessage, row: ParticipantRow, zone: ZoneInfo
) -> Iterator[Fact]:
    """Yield the facts of a line that are new or differ from the last ones (as corrections).

    An empty transplant_at takes back the transplant of an earlier import; a file without that
    column leaves it as it is.
    """
    enrolment = Enrolment(row.site, row.sex, row.birth_year, row.weight_kg)
    parts: list[tuple[Body, datetime | None]] = [(enrolment, row.enrolled_at)]
    if "transplant_at" in row.model_fields_set:
        parts.append((Transplant(row.donor), row.transplant_at))
    for body, local_time in parts:
        series = f"{_SENDER}|{row.participant}|{body.kind}"
        last = _find_last_fact(conn, series, body.kind, row.participant)
        known_at = journal.compute_known_at(last.reported_at if last else None, message.received_at)
        if local_time is not None:
            fact = Fact(
                id=fact_id(message, body.kind),
                subject=row.participant,
                observed_at=_utc(local_time, zone),
                reported_at=known_at,
                body=body,
                digest="",
                site=row.site,
                status=Status.CORRECTED if last else Status.FINAL,
                series=series,
            )
            if last is None or _says_otherwise(last, fact):
                yield replace(fact, digest=wire.digest_clinical(fact))
        elif last is not None and last.status is not Status.DELETED:
            fact = replace(last, id=fact_id(message, body.kind), reported_at=known_at)
            taken_back = replace(fact, status=Status.DELETED)
            yield replace(taken_back, digest=wire.digest_clinical(taken_back))


def _find_last_fact(conn: Connection, series: str, kind: str, subject: str) -> Fact | None:
    """Return the last fact of *series* that was imported about *subject*."""
    known_facts = [entry.fact for entry in journal.load_facts_of_kind(conn, kind, subject)]
    imported_facts = [fact for fact in known_facts if fact.series == series]
    return max(imported_facts, key=_report_order, default=None)


def _says_otherwise(last: Fact, fact: Fact) -> bool:
    """Return True when *fact* does not repeat *last*."""
    is_taken_back = last.status is Status.DELETED
    return is_taken_back or (last.body, last.observed_at) != (fact.body, fact.observed_at)


def _report_order(fact: Fact) -> tuple[datetime, bool, str]:
    """Return the sort key of facts of imports, as grading orders them: the last one stands."""
    return fact.reported_at, fact.status is not Status.FINAL, fact.digest


def _utc(instant: datetime, zone: ZoneInfo) -> datetime:
    return (instant if instant.tzinfo else instant.replace(tzinfo=zone)).astimezone(UTC)
