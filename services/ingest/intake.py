"""Acceptance of messages: they are read, matched to participants and stored in one transaction."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256

from msgspec.structs import replace

from services.ingest.domain.hl7.acknowledgement import AckCode
from services.ingest.domain.hl7.read import OTHER_KIND, read_message
from services.ingest.domain.message_content import MessageContent, ParkedItem, ParkReason, Refusal
from services.ingest.domain.message_size import MOST_ITEMS
from services.ingest.domain.site import CodeTables, Sites
from services.ingest.fact_names import FactNames
from services.ingest.facts import FACTS_SENDER, FactsContent, read_facts
from services.ingest.failing_lines import park_failing_lines
from services.ingest.ids import bound_control_id, message_id
from services.ingest.line_places import list_places
from services.ingest.message_outcomes import (
    ReadMessage,
    build_accepted_outcome,
    load_open_items,
    not_stored_outcome,
)
from services.ingest.outcome import ENTERED, MessageFormat, Outcome, Source, Submission
from services.ingest.parked_rows import build_parked_rows
from services.ingest.patient_matching import PatientMatcher
from services.ingest.refused_messages import (
    RefusalRecorder,
    RefusedMessage,
    find_sending_site,
)
from services.ingest.unread_messages import build_unread_arrival, may_pass, park_unread
from services.runtime import log
from services.runtime.clock import Clock
from services.runtime.failpoints import pass_failpoint
from services.store import journal
from services.store.journal import Arrival, RawMessage
from services.store.session import Connection, Database
from services.store.vault import Keys
from services.vocabulary.fact import Fact

__all__ = ["Intake", "MessageFormat", "Outcome", "Source", "Submission", "not_stored_outcome"]

_log = log.make_logger("ingest")

_CREDENTIALS = {"http": "key", "kafka": "topic or key", "mllp": "connection"}


@dataclass(slots=True)
class Intake:
    """The entry of messages into the study: those that are given together share one transaction.

    Args:
        db: The database, migrated.
        keys: Keys for the raw messages and the identifiers.
        study: Id of the study.
        sites: Sites of the study.
        tables: Codes, units, drugs and words that every site may use.
        names: Of measures and terms, for facts in our own form.
        clock: The machine's clock.
        by_message: True when ``received_at`` is the time of the message (MSH-7), not the machine's.
        on_outcome: Called with each outcome.
        most_items: Lines of a message that are read; one of more is parked whole.
        matcher: Finds the participants that messages are about.
    """

    db: Database
    keys: Keys
    study: str
    sites: Sites
    tables: CodeTables
    names: FactNames
    clock: Clock
    by_message: bool = False
    on_outcome: Callable[[Outcome], None] = lambda _outcome: None
    most_items: int = MOST_ITEMS
    matcher: PatientMatcher = field(init=False)
    refusals: RefusalRecorder = field(init=False)

    def __post_init__(self) -> None:
        self.matcher = PatientMatcher(self.keys, self.study)
        self.refusals = RefusalRecorder(self.db, self.keys)

    def accept(self, submissions: Sequence[Submission]) -> list[Outcome]:
        """Return the outcome of each submission once the accepted ones are on disk.

        When the transaction fails, each is tried alone, so that one failing message does not cost
        the others. One that fails alone is to be sent again if the cause may pass; otherwise it is
        kept unread and parked; of facts, the lines that fail.
        """
        try:
            outcomes = self._accept(submissions)
        except Exception as error:  # noqa: BLE001 - the sender is told, and sends again
            if len(submissions) > 1:
                return [outcome for one in submissions for outcome in self.accept([one])]
            outcomes = [self._accept_failed(submissions[0], error)]
        self.refusals.record(
            [
                RefusedMessage(submission, outcome.refusal, outcome.site)
                for submission, outcome in zip(submissions, outcomes, strict=True)
                if outcome.answer is AckCode.REJECT and outcome.refusal is not None
            ],
            self.clock(),
        )
        for outcome in outcomes:
            self.on_outcome(outcome)
        return outcomes

    def accept_within(self, conn: Connection, submission: Submission) -> Outcome:
        """Return the outcome of *submission*, stored in the caller's transaction: all or nothing.

        No other attempt is made, and no refusal is recorded: the caller decides, and rolls back.
        """
        message = self._read_message(submission, ())
        if isinstance(message, Refusal):
            return self._reject(submission, message)
        return self._store(conn, [message])[0]

    def read_stored_facts(
        self, message: RawMessage, failed_lines: Collection[ParkedItem] = ()
    ) -> FactsContent | Refusal:
        """Return the content of a stored message of facts, read with the present names.

        *failed_lines* are not read.
        """
        return read_facts(
            message.body,
            message.site,
            message.sender.removeprefix(FACTS_SENDER),
            self.names,
            self.most_items,
            is_entered=message.source == ENTERED,
            failed_lines=failed_lines,
        )

    def _accept_failed(self, submission: Submission, error: Exception) -> Outcome:
        """Return the outcome of a message that failed by *error*.

        It is tried once more, for another process may have stored it meanwhile; then without the
        lines that fail, if it has lines; then kept unread.
        """
        attempts: list[Callable[[Submission], Outcome]] = [self._accept_alone]
        if submission.form == "facts":
            attempts.append(self._accept_good_lines)
        attempts.append(partial(self._keep_unread, error=error))
        for attempt in attempts:
            _log.error("not_stored", exc_info=error)
            if may_pass(error):
                break
            try:
                return attempt(submission)
            except Exception as next_error:  # noqa: BLE001 - the sender is told, and sends again
                error = next_error
        return not_stored_outcome(error)

    def _accept_alone(self, submission: Submission) -> Outcome:
        return self._accept([submission])[0]

    def _accept_good_lines(self, submission: Submission) -> Outcome:
        """Return the outcome of facts of which the lines that fail are parked."""
        places = list_places(submission.body)

        def try_lines(tried_places: Sequence[str]) -> Exception | None:
            other_places = set(places).difference(tried_places)
            failed_lines = [ParkedItem(place, ParkReason.NOT_STORED, "") for place in other_places]
            error = self._find_error(submission, failed_lines)
            if error is not None and len(tried_places) == 1:
                _log.error("not_stored", exc_info=error)
            return error

        return self._accept([submission], park_failing_lines(places, try_lines))[0]

    def _find_error(
        self, submission: Submission, failed_lines: Collection[ParkedItem]
    ) -> Exception | None:
        """Store *submission* without *failed_lines*, take that back, and return what went wrong.

        Raises:
            Exception: It may pass, and says nothing about the message.
        """
        try:
            message = self._read_message(submission, failed_lines)
            if isinstance(message, ReadMessage):
                with self.db.write() as conn:
                    self._store(conn, [message.without_failed_lines()])
                    conn.rollback()
        except Exception as error:
            if may_pass(error):
                raise
            return error
        return None

    def _keep_unread(self, submission: Submission, error: Exception) -> Outcome:
        """Return the outcome of a message once it is stored as it came, parked by *error*."""
        item = park_unread(error)
        arrival = build_unread_arrival(self.keys, submission, self.sites, self.clock(), item)
        message = arrival.message
        key = message.sender, message.control_id
        with self.db.write() as conn:
            hashes = journal.find_payload_hashes(conn, self.keys, [key]).get(key, set())
            is_duplicate = message.sha256 in hashes
            if not is_duplicate:
                journal.append_arrivals(conn, self.keys, [arrival])
        return Outcome(
            AckCode.ACCEPT,
            site=message.site,
            kind=OTHER_KIND,
            parked=() if is_duplicate else (item,),
            duplicate=is_duplicate,
            received_at=message.received_at,
        )

    def _reject(self, submission: Submission, refusal: Refusal) -> Outcome:
        return Outcome(
            AckCode.REJECT, refusal, site=find_sending_site(self.sites, submission, refusal)
        )

    def _accept(
        self, submissions: Sequence[Submission], failed_lines: Collection[ParkedItem] = ()
    ) -> list[Outcome]:
        readable_or_refused = [self._read_message(one, failed_lines) for one in submissions]
        messages = [one for one in readable_or_refused if isinstance(one, ReadMessage)]
        outcomes: Iterator[Outcome] = iter(())
        if messages:
            with self.db.write() as conn:
                stored_outcomes = self._store(conn, messages)
                pass_failpoint("ingest.before_commit")
            pass_failpoint("ingest.after_commit")
            outcomes = iter(stored_outcomes)
        return [
            self._reject(submission, one) if isinstance(one, Refusal) else next(outcomes)
            for submission, one in zip(submissions, readable_or_refused, strict=True)
        ]

    def _read_message(
        self, submission: Submission, failed_lines: Collection[ParkedItem]
    ) -> ReadMessage | Refusal:
        if submission.refusal is not None:
            return submission.refusal
        body = submission.body
        content: MessageContent | FactsContent | Refusal
        if submission.form == "facts":
            content = read_facts(
                body,
                submission.site,
                submission.actor,
                self.names,
                self.most_items,
                is_entered=submission.source == ENTERED,
                failed_lines=failed_lines,
            )
        else:
            content = read_message(body, self.sites, self.tables, self.most_items)
        if isinstance(content, Refusal):
            return content
        if refusal := self._find_foreign_site(submission, content):
            return refusal
        digest = sha256(body).hexdigest()
        message = RawMessage(
            id=message_id(content.sender, content.control_id, digest),
            received_at=(content.sent_at if self.by_message else None) or self.clock(),
            site=content.site,
            sender=content.sender,
            control_id=bound_control_id(content.control_id),
            sha256=digest,
            source=submission.source,
            clock="message" if self.by_message else "wall",
            body=body,
        )
        return ReadMessage(submission, content, message)

    def _find_foreign_site(
        self, submission: Submission, content: MessageContent | FactsContent
    ) -> Refusal | None:
        """Return the refusal of a message of a site for which its sender may not speak."""
        if submission.site and content.site != submission.site:
            credential = _CREDENTIALS.get(submission.source, "sender")
            problem = f"this {credential} may send for {submission.site} only"
            remedy = f"use the {credential} of the sending site"
        elif (
            submission.source == "mllp"
            and not submission.site
            and self.sites.by_id[content.site].is_bound
        ):
            problem = f"{content.site} sends from its own addresses, or with its certificate"
            remedy = "name this one under addresses or certificates in sites.yaml"
        else:
            return None
        return Refusal("MSH-4", problem, remedy, content.control_id, content.sender)

    def _store(self, conn: Connection, messages: Sequence[ReadMessage]) -> list[Outcome]:
        names = [(one.message.sender, one.message.control_id) for one in messages]
        known_hashes = journal.find_payload_hashes(conn, self.keys, names)
        subjects = self.matcher.find_subjects(conn, [one.content for one in messages])
        outcomes: list[Outcome] = []
        arrivals: list[Arrival] = []
        for message in messages:
            key = (message.message.sender, message.message.control_id)
            hashes = known_hashes.get(key, set())
            if message.message.sha256 in hashes:
                open_items = load_open_items(conn, message, arrivals)
                outcomes.append(build_accepted_outcome(message, (), open_items, duplicate=True))
                continue
            facts, parked = self.matcher.build_facts(
                conn, message.message, message.content, subjects
            )
            if hashes:
                facts = [_with_note(fact, "MSH-10 was used before") for fact in facts]
            known_hashes = {**known_hashes, key: {*hashes, message.message.sha256}}
            rows = build_parked_rows(self.keys, message.message, parked)
            arrivals.append(Arrival(message.message, tuple(facts), tuple(rows)))
            outcomes.append(build_accepted_outcome(message, facts, parked))
        journal.append_arrivals(conn, self.keys, arrivals)
        return outcomes


def _with_note(fact: Fact, note: str) -> Fact:
    return replace(fact, notes=(*fact.notes, note))
