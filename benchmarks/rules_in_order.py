"""Facts per second through the rules, in the order in which they came, on one core.

Measured: `services.safety_rules.application.recompute.recompute_family` of every family of a
synthetic trial: the facts of each message received as a whole, records reconciled and standings
computed after every message, timers applied. Facts are decoded, nothing is written.

The floor: the same facts decoded from the JSON that the journal stores, and nothing more. Whoever
folds a journal has to read it.
"""

from benchmarks.material import Material
from benchmarks.measuring import Measure, per_core_second
from services.runtime import wire
from services.safety_rules.application.recompute import recompute_family


def measures(material: Material) -> list[Measure]:
    """Return the one measure."""
    rules = material.context.study.rules
    journals = material.journals
    stored_facts = [wire.write_fact(one.fact) for known in journals.values() for one in known]

    def fold() -> None:
        for members, facts in journals.items():
            recompute_family(rules, members, facts, max(one.received_at for one in facts))

    def decode() -> None:
        for record in stored_facts:
            wire.read_fact(record)

    return [
        Measure(
            "rules, facts in order",
            "facts/s",
            lambda: per_core_second(len(stored_facts), fold),
            {"floor: decoded from stored JSON": lambda: per_core_second(len(stored_facts), decode)},
        )
    ]
