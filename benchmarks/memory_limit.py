"""Memory of one rules worker while far more facts pass than its cache may hold.

The participants of a synthetic trial come again and again under new names, each followed to
transplant day 103: their facts are decoded, received message by message, and their histories go
into the worker's cache. After each, one of those before is looked for, drawn at random: whoever the
cache has dropped is folded again from all its facts, as a late fact would have it.

Measured: by how much a process has grown after so many facts, since the first participant was let
go. It is one run in a process of its own, for every round the same; facts that are folded again do
not count. Beside it stands the limit of the cache, an estimate, and the growth where the cache
was full for the first time: 1 is a memory that does not grow.
"""

import gc
from collections.abc import Iterator
from functools import cached_property, partial
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from random import Random

from benchmarks.material import SEED, Material, journals_in, open_data
from benchmarks.measuring import Measure
from benchmarks.memory import resident
from services.runtime import wire
from services.safety_rules.application.cache import DEFAULT_BYTES, Cache, CachedHistory
from services.safety_rules.domain.ctcae.rule_book import Rules
from services.safety_rules.domain.participant.linked_participants import LinkedParticipants
from services.safety_rules.domain.participant.received_message import group_by_message
from services.safety_rules.domain.participant.record_history import RecordHistory
from services.store.states import StateRow
from services.vocabulary.fact import Fact, JournalEntry

_SAMPLED_AT = (100_000, 250_000, 500_000, 1_000_000)
_FULL = 250_000  # facts by which the cache is full
_MIB = 1024 * 1024

StoredFact = tuple[JournalEntry, str]  # and its fact as JSON


def measures(material: Material) -> list[Measure]:
    """Return the size of the worker after each number of facts."""
    worker = _MeasuredWorker(material)
    return [
        Measure(
            f"worker's memory after {size:,} facts",
            "MiB",
            partial(worker.grown_mib, size),
            {"limit of its cache": lambda: DEFAULT_BYTES / _MIB}
            | ({f"after {_FULL:,}": partial(worker.grown_mib, _FULL)} if size > _FULL else {}),
        )
        for size in _SAMPLED_AT
        if size <= material.passing_facts
    ]


class _MeasuredWorker:
    """A process through which facts pass, run when it is first asked for."""

    def __init__(self, material: Material) -> None:
        self._material = material

    def grown_mib(self, facts: int) -> float:
        """Return by how many MiB it had grown after so many *facts*."""
        return self._measure_growth[facts] / _MIB

    @cached_property
    def _measure_growth(self) -> dict[int, int]:
        context = get_context("spawn")
        parent_end, child_end = context.Pipe()
        samples = (self._material.feed_installation, self._material.passing_facts, child_end)
        process = context.Process(target=_pass, args=samples)
        process.start()
        child_end.close()
        growth_mb: dict[int, int] = parent_end.recv()
        process.join()
        return growth_mb


def _pass(folder: Path, limit: int, pipe: Connection) -> None:
    context = open_data(folder)
    rules = context.study.rules
    courses = [
        [(one, wire.write_fact(one.fact).decode()) for one in known]
        for members, known in journals_in(context)
        if len(members) == 1
    ]
    _retained_mb(rules, "P-0", courses[0])
    gc.collect()
    mb_before, cache = resident(), Cache()
    chance = Random(SEED)  # noqa: S311 - the same draws each time are wanted
    growth_mb: dict[int, int] = {}
    for count, name, number in _comers(courses, limit):
        cache.put(_retained_mb(rules, name, courses[number % len(courses)]))
        copies = chance.randrange(number + 1)
        if cache.get((StateRow(f"P-{copies}"),)) is None:
            cache.put(_retained_mb(rules, f"P-{copies}", courses[copies % len(courses)]))
        growth_mb |= {
            at: resident() - mb_before for at in _SAMPLED_AT if at <= count and at not in growth_mb
        }
    pipe.send(growth_mb)


def _comers(courses: list[list[StoredFact]], limit: int) -> Iterator[tuple[int, str, int]]:
    """Yield the count of facts so far, the participant of the last ones, and their number."""
    count = number = 0
    while count < limit:
        count += len(courses[number % len(courses)])
        yield count, f"P-{number}", number
        number += 1


def _retained_mb(rules: Rules, name: str, course: list[StoredFact]) -> CachedHistory:
    record_history = RecordHistory(LinkedParticipants((name,), rules), rules)
    for message in group_by_message(_copy_journal(one, line, name) for one, line in course):
        record_history.receive(message)
    record_history.take_changes()
    return CachedHistory(record_history, (StateRow(name),), len(course))


def _copy_journal(journal: JournalEntry, line: str, name: str) -> JournalEntry:
    """Return a copy of *journal* under *name* that shares no object with it."""
    fact = wire.read_fact(
        line.replace(f'"subject":"{journal.fact.subject}"', f'"subject":"{name}"')
    )
    if not isinstance(fact, Fact) or fact.subject != name:
        raise TypeError(line)
    return JournalEntry(journal.seq, journal.received_at, journal.message, fact)
