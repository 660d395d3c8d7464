"""Memory of the rules for 1,000 participants, each followed to transplant day 103.

Measured: by how much a process grows that has read the journal of everybody in a synthetic trial
and holds what the worker's cache holds of them (`Chronicle`), taken to 1,000 participants. Each
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
from services.safety_rules.domain.participant.record_history import RecordHistory, group_by_message
from services.vocabulary.fact import JournalEntry

_TAKEN_TO, _MIB = 1000, 1024 * 1024
_STATM = Path("/proc/self/statm")

Holding = Callable[[Rules, Sequence[str], Sequence[JournalEntry]], object]


def measures(material: Material) -> list[Measure]:
    """Return the one measure."""
    people, facts = len(material.trial.people), sum(map(len, material.journals.values()))
    return [
        Measure(
            f"memory per 1,000 participants ({facts // people:,} facts each)",
            "MiB",
            lambda: _grown(material.heard, people, _chronicle),
            {"floor: their decoded facts only": lambda: _grown(material.heard, people, _facts)},
        )
    ]


def _chronicle(rules: Rules, members: Sequence[str], known: Sequence[JournalEntry]) -> object:
    chronicle = RecordHistory(LinkedParticipants(members, rules), rules)
    for message in group_by_message(known):
        chronicle.receive(message)
    chronicle.take_changes()
    return chronicle


def _facts(_rules: Rules, _members: Sequence[str], known: Sequence[JournalEntry]) -> object:
    return [one.fact for one in known]


def _grown(folder: Path, people: int, holding: Holding) -> float:
    """Return by how many MiB a fresh process grows that holds so many *people*, for 1,000."""
    spawning = get_context("spawn")
    here, there = spawning.Pipe()
    process = spawning.Process(target=_hold, args=(folder, holding, there))
    process.start()
    there.close()
    grown: int = here.recv()
    process.join()
    return grown / people * _TAKEN_TO / _MIB


def _hold(folder: Path, holding: Holding, told: Connection) -> None:
    opened = open_data(folder)
    rules = opened.study.rules
    holding(rules, *next(journals_in(opened)))
    gc.collect()
    before = resident()
    held = [holding(rules, members, known) for members, known in journals_in(opened)]
    gc.collect()
    told.send(resident() - before if held else 0)


def resident() -> int:
    """Return this process's bytes of memory; without /proc, the most that it ever had."""
    if _STATM.exists():
        return int(_STATM.read_text().split()[1]) * resource.getpagesize()
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
