"""Enrolment of participants, with their identifiers, from a CSV file."""

import csv
import io
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from itertools import chain, count
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from services.ingest.domain.hl7.times import EARLIEST_YEAR
from services.ingest.domain.site import Sites
from services.ingest.ids import fact_id, message_id
from services.ingest.intake import Intake
from services.runtime import wire
from services.store import journal, participants
from services.store.journal import Arrival, RawMessage
from services.store.participants import Participant
from services.store.session import Connection
from services.store.vault import hash_identifier
from services.vocabulary.clinical_fact import Enrolment, Transplant
from services.vocabulary.fact import Body, Fact, Status

_SENDER = "participants|import"
_PREFIX = "Value error, "  # of the library, before our own words

_FUTURE = timedelta(minutes=10)  # a clock may be this wrong


def _require_printable(value: str) -> str:
    if not value.isprintable():
        raise ValueError("has a character that cannot be printed")
    return value


Text = Annotated[str, Field(min_length=1, max_length=250), AfterValidator(_require_printable)]
_Pseudonym = Annotated[str, Field(min_length=1, max_length=64), AfterValidator(_require_printable)]


def _none_if_empty(value: object) -> object:
    return None if value == "" else value


def _as_time(value: object) -> datetime:
    """Return the time in a cell; a number of days or of seconds is refused."""
    try:
        instant = datetime.fromisoformat(str(value))
    except ValueError:
        instant = None
    if instant is None or instant.year < EARLIEST_YEAR:
        raise ValueError("write it as 2026-03-01T08:00, with an offset or in local time")
    return instant


Time = Annotated[datetime, BeforeValidator(_as_time)]
_BirthYear = Annotated[int, Field(ge=1900, le=2100)]  # the bounds are those of a cell with a number
_Kilograms = Annotated[Decimal, Field(gt=0, lt=500)]
_EMPTY_IS_NONE = BeforeValidator(_none_if_empty)


class _Row(BaseModel):
    """One line; times are ISO 8601, in the site's calendar when they have no offset."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)

    participant: _Pseudonym
    site: Text
    authority: Text
    identifier_type: str = ""  # empty: that of the authority in sites.yaml
    identifier: Text
    transplant_at: Annotated[Time | None, _EMPTY_IS_NONE] = None
    donor: Literal["haploidentical", "matched-related", "matched-unrelated", "cord", ""] = ""
    sex: Literal["female", "male", "other", ""] = ""
    birth_year: Annotated[_BirthYear | None, _EMPTY_IS_NONE] = None
    weight_kg: Annotated[_Kilograms | None, _EMPTY_IS_NONE] = None
    enrolled_at: Time


COLUMNS = tuple(_Row.model_fields)
_NAMES = ", ".join(COLUMNS)


@dataclass(frozen=True, slots=True)
class WrongRow:
    """A line that cannot be imported: its number and the problem."""

    line: int
    problem: str

    def __str__(self) -> str:
        """Return one sentence."""
        return f"line {self.line}: {self.problem}"


@dataclass(frozen=True, slots=True)
class ImportResult:
    """The result of an import: counts of new and changed participants, and the lines left out."""

    added_count: int
    changed_count: int
    wrong: tuple[WrongRow, ...]


def import_participants(intake: Intake, content: bytes, actor: str) -> ImportResult:
    """Enrol the participants in *content* (CSV with `COLUMNS`); another import corrects them.

    Each line is a message of its own: a wrong one does not keep the others out. The last line
    about a participant stands, even when an earlier import corrected the same line.
    """
    rows, wrong = _read_rows(content, intake.sites)
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


def _read_rows(
    content: bytes, sites: Sites
) -> tuple[list[tuple[int, _Row, bytes]], list[WrongRow]]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        return [], [WrongRow(1, f"byte {error.start} of the file is not UTF-8")]
    reader = csv.DictReader(io.StringIO(text))
    columns = Counter(reader.fieldnames or ())
    missing = [name for name in COLUMNS if name not in columns]
    missing_required = [name for name in missing if _Row.model_fields[name].is_required()]
    if missing_required:
        problem = (
            f"the header has no column {', '.join(missing_required)}; columns are parted by commas"
        )
        return [], [WrongRow(1, problem)]
    if repeated := sorted(name for name, number in columns.items() if number > 1):
        return [], [WrongRow(1, f"the header has {', '.join(repeated)} more than once")]
    unknown_columns = [name for name in columns if name not in COLUMNS]
    if unknown_columns:
        problem = (
            f"nothing is called {', '.join(map(repr, unknown_columns))}: there are only {_NAMES}"
        )
        return [], [WrongRow(1, problem)]
    rows, wrong = [], []
    for cells in reader:
        raw = ",".join(str(value) for value in cells.values()).encode()
        row = _read_row(cells, sites)
        if isinstance(row, str):
            wrong.append(WrongRow(reader.line_num, row))
        else:
            rows.append((reader.line_num, row, raw))
    return rows, wrong


def _read_row(cells: Mapping[str, object], sites: Sites) -> _Row | str:
    if None in cells:
        return "has more cells than the header"
    try:
        row = _Row.model_validate({k: str(v).strip() for k, v in cells.items() if v is not None})
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        return f"{'.'.join(map(str, first['loc']))}: {first['msg'].removeprefix(_PREFIX)}"
    site = sites.by_id.get(row.site)
    if site is None:
        return f"site: {row.site!r} is not in sites.yaml, which has {', '.join(sites.by_id)}"
    expected_type = site.authorities.get(row.authority)
    if expected_type is None or row.identifier_type not in ("", expected_type):
        authorities = ", ".join(f"{name} ({kind})" for name, kind in site.authorities.items())
        return f"authority, identifier_type: sites.yaml has only {authorities} for {row.site}"
    return row.model_copy(update={"identifier_type": expected_type})


@dataclass(frozen=True, slots=True)
class _ImportedLine:
    """A line as it was read, its importer, and the instant from which it is known.

    *is_last* is True when no later line of the file is about the same participant.
    """

    raw: bytes
    actor: str
    known_at: datetime
    is_last: bool


def _find_known_at(intake: Intake, rows: Sequence[_Row]) -> datetime:
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
    conn: Connection, intake: Intake, row: _Row, imported_line: _ImportedLine
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


def _require_past(row: _Row, zone: ZoneInfo, imported_at: datetime) -> None:
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
    conn: Connection, message: RawMessage, row: _Row, zone: ZoneInfo
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
