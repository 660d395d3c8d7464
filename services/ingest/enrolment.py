"""Enrolment of participants, with their identifiers, from the rows of a file."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from services.ingest.ids import fact_id, message_id
from services.ingest.intake import Intake
from services.ingest.known_enrolments import (
    SENDER,
    KnownEnrolments,
    load_known_enrolments,
    name_series,
)
from services.ingest.participant_rows import ParticipantRow, WrongRow, read_rows
from services.runtime.wire import digest_clinical
from services.store import journal, participants
from services.store.journal import Arrival, RawMessage
from services.store.key_files import make_key_id
from services.store.participants import Identifier, Participant
from services.store.session import Connection
from services.store.vault import Purpose, hash_identifier
from services.vocabulary.clinical_fact import Enrolment, Transplant
from services.vocabulary.fact import Body, Fact, Status

_FUTURE = timedelta(minutes=10)  # a clock may be this wrong
_LINES_AT_ONCE = 100  # of one transaction: other writers wait for it


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
    lines = [
        _ImportedLine(line, row, raw, known_at, is_last=last[row.participant] == line)
        for line, row, raw in rows
    ]
    added_count = changed_count = 0
    for start in range(0, len(lines), _LINES_AT_ONCE):
        with intake.db.write() as conn:
            batch = _enter_lines(conn, intake, lines[start : start + _LINES_AT_ONCE], actor)
        added_count += len(batch.newcomers)
        changed_count += batch.changed_count
        wrong.extend(batch.wrong)
    return ImportResult(added_count, changed_count, tuple(sorted(wrong, key=lambda w: w.line)))


@dataclass(frozen=True, slots=True)
class _ImportedLine:
    """A line as it was read, and the instant from which it is known.

    *is_last* is True when no later line of the file is about the same participant.
    """

    number: int
    row: ParticipantRow
    raw: bytes
    known_at: datetime
    is_last: bool

    @property
    def digest(self) -> str:
        """Return the sha256 of the line."""
        return sha256(self.raw).hexdigest()


@dataclass(slots=True)
class _EnrolmentBatch:
    """Additions to the store by the lines of one transaction, and the lines that add nothing."""

    newcomers: list[Participant] = field(default_factory=list)
    identifiers: list[Identifier] = field(default_factory=list)
    arrivals: list[Arrival] = field(default_factory=list)
    changed_count: int = 0
    wrong: list[WrongRow] = field(default_factory=list)


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


def _enter_lines(
    conn: Connection, intake: Intake, lines: Sequence[_ImportedLine], actor: str
) -> _EnrolmentBatch:
    imported_at = intake.clock()
    hashes = [_hash_identifier(intake, one.row) for one in lines]
    subjects, digests = [one.row.participant for one in lines], [one.digest for one in lines]
    known_enrolments = load_known_enrolments(conn, intake.keys, subjects, hashes, digests)
    batch = _EnrolmentBatch()
    for line, identifier_hash in zip(lines, hashes, strict=True):
        candidate = Participant(line.row.participant, intake.study, line.row.site)
        problem = _find_future_time(
            intake, line.row, imported_at
        ) or known_enrolments.find_conflict(candidate, identifier_hash)
        if problem:
            batch.wrong.append(WrongRow(line.number, problem))
            continue
        is_new = candidate.subject not in known_enrolments.participants
        if is_new and (problem := intake.sites.pseudonyms.find_problem(candidate.subject)):
            batch.wrong.append(WrongRow(line.number, problem))
            continue
        if is_new:
            known_enrolments.participants[candidate.subject] = candidate
            batch.newcomers.append(candidate)
        if identifier_hash not in known_enrolments.subjects:
            known_enrolments.subjects[identifier_hash] = candidate.subject
            batch.identifiers.append(Identifier(identifier_hash, candidate.subject, candidate.site))
        arrival = _find_arrival(intake, known_enrolments, line)
        if arrival is not None:
            known_enrolments.control_ids.add(arrival.message.control_id)
            known_enrolments.remember_facts(arrival.facts)
            batch.arrivals.append(arrival)
            batch.changed_count += bool(arrival.facts) and not is_new
    participants.add_participants(conn, batch.newcomers, imported_at, actor=actor)
    key_id = make_key_id(intake.keys.get_key(Purpose.IDENTITY))
    participants.link_identifiers(
        conn, batch.identifiers, key_id=key_id, instant=imported_at, actor=actor
    )
    journal.append_arrivals(conn, intake.keys, batch.arrivals)
    return batch


def _hash_identifier(intake: Intake, row: ParticipantRow) -> str:
    return hash_identifier(intake.keys, row.authority, row.identifier_type, row.identifier)


def _find_future_time(intake: Intake, row: ParticipantRow, imported_at: datetime) -> str:
    """Return the sentence about a time of *row* that lies in the future; empty without one."""
    zone = ZoneInfo(intake.sites.by_id[row.site].timezone)
    for name, local_time in (
        ("transplant_at", row.transplant_at),
        ("enrolled_at", row.enrolled_at),
    ):
        if local_time is not None and _utc(local_time, zone) > imported_at + _FUTURE:
            return f"{name}: {local_time.isoformat()} lies in the future"
    return ""


def _find_arrival(
    intake: Intake, known_enrolments: KnownEnrolments, line: _ImportedLine
) -> Arrival | None:
    """Return the message of *line* with its facts; None when it repeats what is known."""
    control_id = known_enrolments.choose_control_id(line.digest)
    is_repeated = control_id != line.digest
    if is_repeated and not line.is_last:
        return None
    message = RawMessage(
        id=message_id(SENDER, control_id, line.digest),
        received_at=line.known_at,
        site=line.row.site,
        sender=SENDER,
        control_id=control_id,
        sha256=line.digest,
        source="participants",
        clock="message" if intake.by_message else "wall",
        body=line.raw,
    )
    zone = ZoneInfo(intake.sites.by_id[line.row.site].timezone)
    facts = tuple(_make_changed_facts(known_enrolments, message, line.row, zone))
    return Arrival(message, facts) if facts or not is_repeated else None


def _make_changed_facts(
    known_enrolments: KnownEnrolments, message: RawMessage, row: ParticipantRow, zone: ZoneInfo
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
        series = name_series(row.participant, body.kind)
        last = known_enrolments.last_facts.get(series)
        known_at = journal.compute_known_at(last.reported_at if last else None, message.received_at)
        if local_time is not None:
            observed_at = _utc(local_time, zone)
            if last is None or _says_otherwise(last, body, observed_at):
                status = Status.CORRECTED if last else Status.FINAL
                yield Fact(
                    id=fact_id(message, body.kind),
                    subject=row.participant,
                    observed_at=observed_at,
                    reported_at=known_at,
                    body=body,
                    digest=digest_clinical(row.participant, observed_at, body, status, series),
                    site=row.site,
                    status=status,
                    series=series,
                )
        elif last is not None and last.status is not Status.DELETED:
            yield replace(
                last,
                id=fact_id(message, body.kind),
                reported_at=known_at,
                status=Status.DELETED,
                digest=digest_clinical(
                    last.subject, last.observed_at, last.body, Status.DELETED, last.series
                ),
            )


def _says_otherwise(last: Fact, body: Body, observed_at: datetime) -> bool:
    """Return True when *body* at *observed_at* does not repeat *last*."""
    is_taken_back = last.status is Status.DELETED
    return is_taken_back or (last.body, last.observed_at) != (body, observed_at)


def _utc(instant: datetime, zone: ZoneInfo) -> datetime:
    return (instant if instant.tzinfo else instant.replace(tzinfo=zone)).astimezone(UTC)
