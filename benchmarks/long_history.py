"""The cost of one more fact for a participant who has many already.

The history is the longest course of the synthetic trial, followed by its reports of laboratory
values, vital signs and scores again and again, each time later by the length of the course.

Measured: milliseconds of one core for

- a fact in order after 1,000 others, 10,000 and so on up to ``--longest`` (1,000,000; ten times as
  many take 6 GB), as the record history receives it: the next 250 facts or so, by which it grows by
  as many with every round. The floor: the same facts decoded from their JSON. Beside it the same
  after 1,000 others: 1 is a cost that does not grow;
- a fact that was observed in the first quarter of a history of 10,000 and comes after all of it, as
  a message of its own: recorded in SQLite, with the participant in the cache (median of 10), and
  with an empty cache (one), so that all is folded again. The floors: a fact in order, and the
  journal of the participant read from SQLite and decoded.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import timedelta
from functools import cached_property, partial
from itertools import chain, count, takewhile
from statistics import median
from uuid import NAMESPACE_OID, uuid5

from msgspec import structs

from benchmarks.late_fact import is_report
from benchmarks.material import Material, Members, open_data, open_enrolled
from benchmarks.measuring import Measure
from services.acts.study_context import StudyContext
from services.runtime import wire
from services.safety_rules.application.cache import Cache
from services.safety_rules.application.fold_participants import FoldRequest, fold
from services.safety_rules.domain.ctcae.rule_book import Rules
from services.safety_rules.domain.participant.linked_participants import LinkedParticipants
from services.safety_rules.domain.participant.received_message import (
    ReceivedMessage,
    group_by_message,
)
from services.safety_rules.domain.participant.record_history import RecordHistory
from services.store import journal
from services.store.journal import Arrival, RawMessage
from services.store.participant_order import compute_known_at
from services.vocabulary.fact import Fact

_SMALLEST = 1_000
_NEXT, _STORED_FACTS, _ONE_BY_ONE = 250, 10_000, 10


def measures(material: Material) -> list[Measure]:
    """Return the costs of a fact in order as the history grows, and of a late one."""
    rules = material.context.study.rules
    alone = {m: known for m, known in material.journals.items() if len(m) == 1}
    members = max(alone, key=lambda m: len(alone[m]))
    course = group_by_message(alone[members])
    sizes = takewhile(lambda size: size <= material.longest, (_SMALLEST * 10**n for n in count()))
    history = {size: _GrowingHistory(rules, members, course, size) for size in sizes}
    smallest = history[_SMALLEST]
    in_order = [
        Measure(
            f"a fact in order after {size:,}",
            "ms/fact",
            one.next_ms,
            {"floor: decoded from JSON": one.decode_ms}
            | ({} if one is smallest else {f"after {_SMALLEST:,}": smallest.next_ms}),
        )
        for size, one in history.items()
    ]
    journal = _StoredHistory(material, members, course)
    late = [
        Measure(
            f"a late fact among {_STORED_FACTS:,}, recorded",
            "ms",
            partial(journal.warm_ms, late=True),
            {"floor: a fact in order": partial(journal.warm_ms, late=False)},
        ),
        Measure(
            f"a late fact among {_STORED_FACTS:,}, from the journal",
            "ms",
            journal.cold_ms,
            {"floor: read and decoded": journal.read_ms},
        ),
    ]
    return [*in_order, *late]


def history(course: list[ReceivedMessage]) -> Iterator[ReceivedMessage]:
    """Yield *course*, and then its reports for ever, each time later by its length."""
    span = max(one.received_at for one in course) - course[0].received_at + timedelta(hours=1)
    reports = [one for one in course if is_report(one)]
    yield from course
    yield from chain.from_iterable(
        (_later(one, span * times, times) for one in reports) for times in count(1)
    )


def _later(message: ReceivedMessage, delay: timedelta, times: int) -> ReceivedMessage:
    facts = tuple(
        structs.replace(
            fact,
            id=_id(f"{fact.id}/{times}"),
            observed_at=fact.observed_at + delay,
            reported_at=fact.reported_at + delay,
        )
        for fact in message.facts
    )
    return replace(message, received_at=message.received_at + delay, facts=facts)


def _take_readings(messages: Iterator[ReceivedMessage], facts: int) -> list[ReceivedMessage]:
    """Return the next of *messages*: those that bring so many *facts*, or a few more."""
    readings: list[ReceivedMessage] = []
    while facts > 0:
        readings.append(next(messages))
        facts -= len(readings[-1].facts)
    return readings


def _id(name: str) -> str:
    return str(uuid5(NAMESPACE_OID, name))


class _GrowingHistory:
    """A record history after a long course, made on first use."""

    def __init__(
        self, rules: Rules, members: Members, course: list[ReceivedMessage], size: int
    ) -> None:
        self._rules, self._members = rules, members
        self._messages, self._size = history(course), size

    @cached_property
    def _record_history(self) -> RecordHistory:
        record_history = RecordHistory(LinkedParticipants(self._members, self._rules), self._rules)
        for message in _take_readings(self._messages, self._size):
            record_history.receive(message)
        return record_history

    def next_ms(self) -> float:
        """Hear what comes next; return what a fact of it cost."""
        record_history, batch = self._record_history, _take_readings(self._messages, _NEXT)

        def hear() -> None:
            for message in batch:
                record_history.receive(message)

        return _spent_ms(hear) / sum(len(one.facts) for one in batch)

    def decode_ms(self) -> float:
        """Return the milliseconds to decode one of the next facts."""
        facts = [fact for one in _take_readings(self._messages, _NEXT) for fact in one.facts]
        records = [wire.write_fact(fact) for fact in facts]

        def decode() -> None:
            for record in records:
                wire.read_fact(record)

        return _spent_ms(decode) / len(records)


class _StoredHistory:
    """An installation that has folded a long history, made when it is first asked for."""

    def __init__(self, material: Material, members: Members, course: list[ReceivedMessage]) -> None:
        self._material, (self._subject,) = material, members
        reports = [one for one in course[: len(course) // 4] if is_report(one)]
        self._late = (
            _copy_encoded(fact, n) for n in count() for one in reports for fact in one.facts
        )
        self._messages = history(course)
        self._cache = Cache()

    @cached_property
    def _open_installation(self) -> StudyContext:
        folder = self._material.folder / "long"
        open_enrolled(folder, self._material.people)
        installation = open_data(folder)
        with installation.db.write() as conn:
            facts = journal.load_facts_between(conn, self._subject, 0)
            self._ids, self._position = {one.fact.id for one in facts}, facts[-1].received_at
        self._send(installation, _take_readings(self._messages, _STORED_FACTS))
        self._fold(installation, self._cache)
        return installation

    def warm_ms(self, *, late: bool) -> float:
        """Return the milliseconds to record one fact with a warm cache."""
        installation = self._open_installation
        return median(
            self._one_ms(installation, self._cache, late=late) for _ in range(_ONE_BY_ONE)
        )

    def cold_ms(self) -> float:
        """Return the milliseconds to record one late fact with an empty cache."""
        installation, cache = self._open_installation, Cache()
        spent_ms = self._one_ms(installation, cache, late=True)
        self._cache = cache
        return spent_ms

    def read_ms(self) -> float:
        """Return the milliseconds to read the whole journal of the participant."""
        installation = self._open_installation
        with installation.db.read() as conn:
            return _spent_ms(lambda: journal.load_facts_between(conn, self._subject, 0))

    def _one_ms(self, installation: StudyContext, cache: Cache, *, late: bool) -> float:
        fact = next(self._late) if late else next(self._messages).facts[0]
        self._send(installation, [ReceivedMessage(self._position, self._subject, 0, (fact,))])
        return _spent_ms(lambda: self._fold(installation, cache))

    def _send(self, installation: StudyContext, messages: Iterable[ReceivedMessage]) -> None:
        """Let the journal hold *messages*, known since they were received or later."""
        with installation.db.write() as conn:
            for message in messages:
                fact = tuple(fact for fact in message.facts if fact.id not in self._ids)
                self._position = compute_known_at(self._position, message.received_at)
                name = _id(f"{self._position}")
                raw = RawMessage(
                    name,
                    self._position,
                    fact[0].site if fact else "",
                    "",
                    name,
                    name,
                    "file",
                    "message",
                    b"",
                )
                journal.append_arrivals(conn, installation.keys, [Arrival(raw, fact)])

    def _fold(self, installation: StudyContext, cache: Cache) -> None:
        result = fold(
            installation.db,
            installation.study.rules,
            cache,
            [self._subject],
            FoldRequest(self._position),
        )
        if not result.facts:
            raise RuntimeError("nothing was folded")


def _copy_encoded(fact: Fact, number: int) -> Fact:
    """Return another reading, a little later than *fact*."""
    later = timedelta(minutes=number + 1)
    copied_facts = _id(f"{fact.id}/anew/{number}")
    return structs.replace(fact, id=copied_facts, observed_at=fact.observed_at + later, series="")


def _spent_ms(work: Callable[[], object]) -> float:
    started_s = time.process_time()
    work()
    return (time.process_time() - started_s) * 1000
