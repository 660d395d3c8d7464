"""The cost of many results of one instant: a monitor whose clock stands still.

Measured: milliseconds of one core for each of 800 temperatures of different values, each in a
message and an order of its own, all of one instant; after each the records are worked out.

The floor: the same temperatures, a minute apart.
"""

import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial

from benchmarks.material import Material
from benchmarks.measuring import Measure
from services.safety_rules.domain.ctcae.rule_book import Rules
from services.safety_rules.domain.participant.fold import Fold
from services.vocabulary.clinical_fact import Observation
from services.vocabulary.fact import Fact
from services.vocabulary.quantity import Quantity

_COUNT = 800
_START = datetime(2026, 3, 1, tzinfo=UTC)
_VALUES = 300  # different ones, from 38 degrees up


def measures(material: Material) -> list[Measure]:
    """Return the temperatures."""
    rules = material.context.study.rules
    return [
        Measure(
            f"one of {_COUNT} results of one instant",
            "ms/fact",
            partial(_cost_ms, rules, timedelta(0)),
            {"floor: a minute apart": partial(_cost_ms, rules, timedelta(minutes=1))},
        )
    ]


def _cost_ms(rules: Rules, gap: timedelta) -> float:
    facts = [_make_fact(number, _START + number * gap) for number in range(_COUNT)]
    fold = Fold("P-001", rules)
    started_s = time.process_time()
    for fact in facts:
        fold.apply([fact])
        fold.take_changed_criteria()
    return (time.process_time() - started_s) * 1000 / _COUNT


def _make_fact(number: int, instant: datetime) -> Fact:
    value = Quantity(38 + Decimal(number % _VALUES) / 100, "Cel")
    return Fact(
        id=f"f{number}",
        subject="P-001",
        observed_at=instant,
        reported_at=instant,
        body=Observation("temperature", value),
        digest=f"d{number}",
        series=f"monitor|{number}|temperature|",
    )
