"""Participants from a CSV file: who takes part, by which identifiers they are known."""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from hashlib import sha256
from itertools import chain, count
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from services.ingest.application import Intake
from services.ingest.domain.hl7.times import EARLIEST_YEAR
from services.ingest.domain.site import Sites
from services.ingest.ids import fact_id, message_id
from services.runtime import wire
from services.store import journal, participants
from services.store.journal import Arrival, RawMessage
from services.store.participants import Participant
from services.store.session import Connection
from services.store.vault import identity_hash
from services.vocabulary.fact import Body, Enrolment, Fact, Status, Transplant

_SENDER = "participants|import"
_PREFIX = "Value error, "  # of the library, before our own words

Text = Annotated[str, Field(min_length=1)]


def _none_if_empty(value: object) -> object:
    return None if value == "" else value


def _as_time(value: object) -> datetime:
    """Return the time in a cell: a number of days or of seconds is none."""
    try:
        at = datetime.fromisoformat(str(value))
    except ValueError:
        at = None
    if at is None or at.year < EARLIEST_YEAR:
        raise ValueError("write it as 2026-03-01T08:00, with an offset or in local time")
    return at


Time = Annotated[datetime, BeforeValidator(_as_time)]


class _Row(BaseModel):
    """One line; times are ISO 8601, in the site's calendar when they say no offset."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)

    participant: Text
    site: Text
    authority: Text
    identifier_type: Text = "MR"
    identifier: Text
    transplant_at: Time
    donor: Literal["haploidentical", "matched-related", "matched-unrelated", "cord", ""] = ""
    sex: Literal["female", "male", "other", ""] = ""
    birth_year: Annotated[int | None, BeforeValidator(_none_if_empty), Field(ge=1900, le=2100)] = (
        None
    )
    weight_kg: Annotated[Decimal | None, BeforeValidator(_none_if_empty), Field(gt=0, lt=500)] = (
        None
    )
    enrolled_at: Time


COLUMNS = tuple(_Row.model_fields)
_NAMES = ", ".join(COLUMNS)


@dataclass(frozen=True, slots=True)
class WrongRow:
    """A line that cannot be imported: its number, and what is wrong with it."""

    line: int
    problem: str

    def __str__(self) -> str:
        """One sentence."""
        return f"line {self.line}: {self.problem}"


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did: participants that are new, that changed, and lines left out."""

    new: int
    changed: int
    wrong: tuple[WrongRow, ...]


def import_participants(intake: Intake, content: bytes, actor: str) -> Imported:
    """Let everybody in *content* (CSV with `COLUMNS`) take part; again with changes corrects.

    Each line is a message of its own: a wrong one does not keep the others out. What the last line
    about somebody says stands, also when it was said and corrected before.
    """
    rows, wrong = _rows(content, intake.sites)
    known_at = _known_at(intake, [row for _, row, _ in rows])
    last = {row.participant: line for line, row, _ in rows}
    new = changed = 0
    for line, row, raw in rows:
        given = _Import(raw, actor, known_at, is_last=last[row.participant] == line)
        with intake.db.write() as conn:
            try:
                is_new, facts = _enter(conn, intake, row, given)
            except ValueError as error:
                conn.rollback()
                wrong.append(WrongRow(line, str(error)))
                continue
        new += is_new
        changed += bool(facts) and not is_new
    return Imported(new, changed, tuple(sorted(wrong, key=lambda w: w.line)))


def _rows(content: bytes, sites: Sites) -> tuple[list[tuple[int, _Row, bytes]], list[WrongRow]]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        return [], [WrongRow(1, f"byte {error.start} of the file is not UTF-8")]
    reader = csv.DictReader(io.StringIO(text))
    missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
    required = [name for name in missing if _Row.model_fields[name].is_required()]
    if required:
        problem = f"the header has no column {', '.join(required)}; columns are parted by commas"
        return [], [WrongRow(1, problem)]
    strange = [name for name in reader.fieldnames or () if name not in COLUMNS]
    if strange:
        problem = f"nothing is called {', '.join(map(repr, strange))}: there are only {_NAMES}"
        return [], [WrongRow(1, problem)]
    rows, wrong = [], []
    for given in reader:
        raw = ",".join(str(value) for value in given.values()).encode()
        found = _row(given, sites)
        if isinstance(found, str):
            wrong.append(WrongRow(reader.line_num, found))
        else:
            rows.append((reader.line_num, found, raw))
    return rows, wrong


def _row(given: Mapping[str, object], sites: Sites) -> _Row | str:
    if None in given:
        return "has more cells than the header"
    try:
        row = _Row.model_validate({k: v for k, v in given.items() if v is not None})
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        return f"{'.'.join(map(str, first['loc']))}: {first['msg'].removeprefix(_PREFIX)}"
    site = sites.by_id.get(row.site)
    if site is None:
        return f"site: {row.site!r} is not in sites.yaml, which has {', '.join(sites.by_id)}"
    if site.authorities.get(row.authority) != row.identifier_type:
        known = ", ".join(f"{name} ({kind})" for name, kind in site.authorities.items())
        return f"authority, identifier_type: sites.yaml has only {known} for {row.site}"
    return row


@dataclass(frozen=True, slots=True)
class _Import:
    """A line as it was read, who imports it, and since when it is known.

    *is_last*: no later line of the file is about the same participant.
    """

    raw: bytes
    actor: str
    known_at: datetime
    is_last: bool


def _known_at(intake: Intake, rows: Sequence[_Row]) -> datetime:
    """Return when an import becomes known: now.

    By the clock of messages that is when the last one was sent; before the first, the earliest
    enrolment of the file.
    """
    if not (intake.by_message and rows):
        return intake.clock()
    with intake.db.read() as conn:
        last = participants.last_received(conn, intake.study)
    zones = {site.id: ZoneInfo(site.timezone) for site in intake.sites.by_id.values()}
    return last or min(_utc(row.enrolled_at, zones[row.site]) for row in rows)


def _enter(conn: Connection, intake: Intake, row: _Row, given: _Import) -> tuple[bool, list[Fact]]:
    at, raw, actor = intake.clock(), given.raw, given.actor
    who = Participant(row.participant, intake.study, row.site)
    is_new = bool(participants.add_participants(conn, [who], at, actor=actor))
    hashed = identity_hash(intake.keys, row.authority, row.identifier_type, row.identifier)
    participants.link(
        conn, hashed, row.participant, row.site, key_id=intake.keys.active, at=at, actor=actor
    )
    zone = ZoneInfo(intake.sites.by_id[row.site].timezone)
    digest = sha256(raw).hexdigest()
    control_id = _control_id(conn, digest)
    is_repeated = control_id != digest
    message = RawMessage(
        id=message_id(_SENDER, control_id, digest),
        received_at=given.known_at,
        site=row.site,
        sender=_SENDER,
        control_id=control_id,
        sha256=digest,
        source="participants",
        clock="message" if intake.by_message else "wall",
        body=raw,
    )
    if is_repeated and not given.is_last:
        return is_new, []
    facts = list(_facts(conn, message, row, zone))
    if facts or not is_repeated:
        journal.append(conn, intake.keys, [Arrival(message, tuple(facts), ())])
    return is_new, facts


def _control_id(conn: Connection, digest: str) -> str:
    """Return the hash of a line; said before, with its number: it may correct what came since."""
    numbered = chain([digest], (f"{digest}|{number}" for number in count(2)))
    return next(one for one in numbered if not journal.find_messages(conn, [(_SENDER, one)]))


def _facts(conn: Connection, message: RawMessage, row: _Row, zone: ZoneInfo) -> Iterator[Fact]:
    """Yield what is not known yet; what stands otherwise is corrected, also by a clock set back."""
    enrolment = Enrolment(row.site, row.sex, row.birth_year, row.weight_kg)
    parts: tuple[tuple[Body, datetime], ...] = (
        (enrolment, row.enrolled_at),
        (Transplant(row.donor), row.transplant_at),
    )
    for body, at in parts:
        series = f"{_SENDER}|{row.participant}|{body.kind}"
        known = [k.fact for k in journal.facts_of_kind(conn, body.kind, row.participant)]
        earlier = [fact for fact in known if fact.series == series]
        last = max(earlier, key=_order, default=None)
        said_at = last.reported_at if last else None
        fact = Fact(
            id=fact_id(message, body.kind),
            subject=row.participant,
            observed_at=_utc(at, zone),
            reported_at=journal.known_after(said_at, message.received_at),
            body=body,
            digest="",
            site=row.site,
            series=series,
        )
        if last is not None:
            if (last.body, last.observed_at) == (body, fact.observed_at):
                continue
            fact = replace(fact, status=Status.CORRECTED)
        yield replace(fact, digest=wire.clinical_digest(fact))


def _order(fact: Fact) -> tuple[datetime, bool, str]:
    """Order what imports have said as grading does: the last one stands."""
    return fact.reported_at, fact.status is Status.CORRECTED, fact.digest


def _utc(at: datetime, zone: ZoneInfo) -> datetime:
    return (at if at.tzinfo else at.replace(tzinfo=zone)).astimezone(UTC)
