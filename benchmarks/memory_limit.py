"""Memory of one rules worker while far more facts pass than its cache may hold.

The participants of a synthetic trial come again and again under new names, each followed to
transplant day 103: their facts are decoded, heard message by message, and what is remembered goes
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
from services.safety_rules.application.cache import DEFAULT_BYTES, Cache, Remembered
from services.safety_rules.domain.ctcae.rule_book import Rules
from services.safety_rules.domain.participant.linked_participants import LinkedParticipants
from services.safety_rules.domain.participant.record_history import RecordHistory, group_by_message
from services.store.states import StateRow
from services.vocabulary.fact import Fact, JournalEntry

_AT = (100_000, 250_000, 500_000, 1_000_000)
_FULL = 250_000  # facts by which the cache is full
_MIB = 1024 * 1024

Stored = tuple[JournalEntry, str]  # and its fact as JSON


def measures(material: Material) -> list[Measure]:
    """Return how large the worker is after so many facts."""
    passing = _Passing(material)
    return [
        Measure(
            f"worker's memory after {size:,} facts",
            "MiB",
            partial(passing.grown_mib, size),
            {"limit of its cache": lambda: DEFAULT_BYTES / _MIB}
            | ({f"after {_FULL:,}": partial(passing.grown_mib, _FULL)} if size > _FULL else {}),
        )
        for size in _AT
        if size <= material.passed
    ]


class _Passing:
    """A process through which facts pass, run when it is first asked for."""

    def __init__(self, material: Material) -> None:
        self._material = material

    def grown_mib(self, facts: int) -> float:
        """Return by how many MiB it had grown after so many *facts*."""
        return self._grown[facts] / _MIB

    @cached_property
    def _grown(self) -> dict[int, int]:
        spawning = get_context("spawn")
        here, there = spawning.Pipe()
        told = (self._material.heard, self._material.passed, there)
        process = spawning.Process(target=_pass, args=told)
        process.start()
        there.close()
        grown: dict[int, int] = here.recv()
        process.join()
        return grown


def _pass(folder: Path, most: int, told: Connection) -> None:
    opened = open_data(folder)
    rules = opened.study.rules
    courses = [
        [(one, wire.write_fact(one.fact).decode()) for one in known]
        for members, known in journals_in(opened)
        if len(members) == 1
    ]
    _remembered(rules, "P-0", courses[0])
    gc.collect()
    before, cache = resident(), Cache()
    chance = Random(SEED)  # noqa: S311 - the same draws each time are wanted
    grown: dict[int, int] = {}
    for passed, name, number in _comers(courses, most):
        cache.put(_remembered(rules, name, courses[number % len(courses)]))
        again = chance.randrange(number + 1)
        if cache.get((StateRow(f"P-{again}"),)) is None:
            cache.put(_remembered(rules, f"P-{again}", courses[again % len(courses)]))
        grown |= {at: resident() - before for at in _AT if at <= passed and at not in grown}
    told.send(grown)


def _comers(courses: list[list[Stored]], most: int) -> Iterator[tuple[int, str, int]]:
    """Yield how many facts have passed, whom the last were of, and that one's number."""
    passed = number = 0
    while passed < most:
        passed += len(courses[number % len(courses)])
        yield passed, f"P-{number}", number
        number += 1


def _remembered(rules: Rules, name: str, course: list[Stored]) -> Remembered:
    chronicle = RecordHistory(LinkedParticipants((name,), rules), rules)
    for message in group_by_message(_named(one, line, name) for one, line in course):
        chronicle.receive(message)
    chronicle.take_changes()
    return Remembered(chronicle, (StateRow(name),), len(course))


def _named(one: JournalEntry, line: str, name: str) -> JournalEntry:
    """Return what a journal would hold had it been *name*: nothing is shared with *one*."""
    fact = wire.read_fact(line.replace(f'"subject":"{one.fact.subject}"', f'"subject":"{name}"'))
    if not isinstance(fact, Fact) or fact.subject != name:
        raise TypeError(line)
    return JournalEntry(one.seq, one.received_at, one.message, fact)
