"""Memory of the rules for 1,000 participants, each followed to transplant day 103.

Measured: by how much a process grows that has read the journal of everybody in a synthetic trial
and holds what the worker's cache holds of them (`CachedHistory`), taken to 1,000 participants. Each
time it is a process of its own, and what it had after the first family was read and let go is not
counted: code, criteria, the database library.

The floor: the same of a process that holds only the decoded facts. The rules keep the facts that
stand, because a late one may ask for any of them.
"""

import gc
import resource
from collections.abc import Callable, Sequence
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path

from benchmarks.material import Material, journals_in, open_data
from benchmarks.measuring import Measure
from services.safety_rules.domain.ctcae.rule_book import Rules
from services.safety_rules.domain.participant.linked_participants import LinkedParticipants
from services.safety_rules.domain.participant.received_message import group_by_message
from services.safety_rules.domain.participant.record_history import RecordHistory
from services.vocabulary.fact import JournalEntry

_TAKEN_TO, _MIB = 1000, 1024 * 1024
_STATM = Path("/proc/self/statm")

Retention = Callable[[Rules, Sequence[str], Sequence[JournalEntry]], object]


def measures(material: Material) -> list[Measure]:
    """Return the one measure."""
    people, facts = len(material.trial.people), sum(map(len, material.journals.values()))
    return [
        Measure(
            f"memory per 1,000 participants ({facts // people:,} facts each)",
            "MiB",
            lambda: _measure_growth(material.feed_installation, people, _record_history),
            {
                "floor: their decoded facts only": lambda: _measure_growth(
                    material.feed_installation, people, _facts
                )
            },
        )
    ]


def _record_history(rules: Rules, members: Sequence[str], facts: Sequence[JournalEntry]) -> object:
    record_history = RecordHistory(LinkedParticipants(members, rules), rules)
    for message in group_by_message(facts):
        record_history.receive(message)
    record_history.take_changes()
    return record_history


def _facts(_rules: Rules, _members: Sequence[str], facts: Sequence[JournalEntry]) -> object:
    return [one.fact for one in facts]


def _measure_growth(folder: Path, people: int, retention: Retention) -> float:
    """Return by how many MiB a fresh process grows that holds so many *people*, for 1,000."""
    context = get_context("spawn")
    parent_end, child_end = context.Pipe()
    process = context.Process(target=_hold, args=(folder, retention, child_end))
    process.start()
    child_end.close()
    growth_mb: int = parent_end.recv()
    process.join()
    return growth_mb / people * _TAKEN_TO / _MIB


def _hold(folder: Path, retention: Retention, pipe: Connection) -> None:
    context = open_data(folder)
    rules = context.study.rules
    retention(rules, *next(journals_in(context)))
    gc.collect()
    mb_before = resident()
    held_objects = [retention(rules, members, known) for members, known in journals_in(context)]
    gc.collect()
    pipe.send(resident() - mb_before if held_objects else 0)


def resident() -> int:
    """Return this process's bytes of memory; without /proc, the most that it ever had."""
    if _STATM.exists():
        return int(_STATM.read_text().split()[1]) * resource.getpagesize()
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
