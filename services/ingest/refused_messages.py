"""Messages that were refused (AR): each leaves a row, and is counted in the log of a service.

What a message holds is not kept, for nobody vouches for a sender that is not known: only its
place in the feed (sender, MSH-10) and what is wrong with it. The words of the sender in these are
kept for holders of the keys alone.
"""

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from uuid import uuid5

from services.ingest.domain.hl7.message import read_header
from services.ingest.domain.message_content import Refusal
from services.ingest.domain.site import Sites
from services.ingest.ids import NAMESPACE
from services.ingest.outcome import Submission
from services.runtime import log
from services.runtime.log_limit import LogLimit
from services.store.refusals import RefusalRow, add_refusals, hide_words
from services.store.session import Database, DatabaseError
from services.store.site_numbers import hash_control_id
from services.store.vault import Keys
from services.vocabulary.printable_text import escape_unprintable

_TEXT_LENGTH = 500  # characters of what a sender wrote
_ROWS_PER_HOUR = 1_000  # more come from a sender that is set up wrongly, or from a flood
_HOUR_S = 3600.0
_PRINTED = frozenset({"file", "person"})  # by the command that reads them
_RECORDED_ELSEWHERE = frozenset({"kafka", "person"})  # dead letters; the person is told

_log = log.make_logger("ingest")


@dataclass(frozen=True, slots=True)
class RefusedMessage:
    """A message, why it was refused, and its site; empty when that is not known."""

    submission: Submission
    refusal: Refusal
    site: str


def find_sending_site(sites: Sites, submission: Submission, refusal: Refusal) -> str:
    """Return the id of the site that sent a refused message, empty when it is not known.

    It is known by its key, else by MSH-3 and MSH-4.
    """
    site = sites.by_sender.get(refusal.sender or _read_field(submission.body, 3, 4))
    return submission.site or (site.id if site else "")


@dataclass(slots=True)
class RefusalRecorder:
    """Records refused messages in the database *db* and in the log."""

    db: Database
    keys: Keys
    _hour_ends_s: float = 0.0
    _rows_left: int = 0
    _lines: LogLimit = field(default_factory=LogLimit)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def record(self, messages: Sequence[RefusedMessage], instant: datetime) -> None:
        """Log *messages*, and store the rows of those that are new.

        A failure to store them is logged: the answer to the sender does not depend on it.
        """
        rows = []
        for message in messages:
            source = message.submission.source
            if source not in _PRINTED:
                self._log_refusal(message)
            if source not in _RECORDED_ELSEWHERE and self._has_room():
                rows.append(_build_row(self.keys, message, instant))
        if not rows:
            return
        try:
            with self.db.write() as conn:
                add_refusals(conn, rows)
        except DatabaseError as error:
            _log.error("refusals_not_stored", count=len(rows), exc_info=error)

    def _log_refusal(self, message: RefusedMessage) -> None:
        """Log a refusal, unless there was a line of its site, channel and place within a minute."""
        site, source = message.site or "unknown", message.submission.source
        key = f"{site}|{source}|{message.refusal.location}"
        with self._lock:
            count = self._lines.count_event(key, time.monotonic())
        if count:
            reason = message.refusal.location
            _log.warning("message_refused", site=site, source=source, reason=reason, count=count)

    def _has_room(self) -> bool:
        """Return True while fewer rows than the limit were stored within the hour."""
        now_s = time.monotonic()
        with self._lock:
            if now_s >= self._hour_ends_s:
                self._hour_ends_s, self._rows_left = now_s + _HOUR_S, _ROWS_PER_HOUR
            self._rows_left -= 1
            if self._rows_left == -1:
                _log.warning("refusals_too_many", count=_ROWS_PER_HOUR)
            return self._rows_left >= 0


def _build_row(keys: Keys, message: RefusedMessage, instant: datetime) -> RefusalRow:
    body, refusal = message.submission.body, message.refusal
    source = message.submission.source
    name = f"{source}|{message.site}|{sha256(body).hexdigest()}|{refusal.location}"
    sender = _make_printable(refusal.sender or _read_field(body, 3, 4))
    control_id = _make_printable(refusal.control_id or _read_field(body, 10))
    row = RefusalRow(
        str(uuid5(NAMESPACE, name)),
        instant,
        message.site,
        "",
        hash_control_id(keys, control_id),
        source,
        refusal.location,
        _make_printable(refusal.masked_text),
    )
    return hide_words(keys, row, (sender, control_id, _make_printable(str(refusal))))


def _read_field(body: bytes, *fields: int) -> str:
    """Return fields of MSH, parted by bars; empty when there is none that can be read."""
    header = read_header(body)
    if isinstance(header, Refusal):
        return ""
    return "|".join(header.text(position) for position in fields)


def _make_printable(text: str) -> str:
    r"""Return *text* as every database takes it: marks that are not printed are escaped.

    >>> print(_make_printable("LAB\x00|NORTH"))
    LAB\x00|NORTH
    """
    return escape_unprintable(text[:_TEXT_LENGTH])
