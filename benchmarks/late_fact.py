"""The cost of a late fact: it comes after others that were observed after it.

Measured: milliseconds of one core for a fact of a message that is received late, in the course of
the participant with the longest history. Every tenth report of laboratory values, vital signs or
scores from the first quarter of the course is held back: for a day, as a correction or a slow
laboratory is late, or until the whole course is known, which is the worst that can be. Versions of
records and standings are worked out as after any message.

The floor: the same facts of the same messages, received at their place. They have to be graded once
in any case; what is above 1 is the price of going back.
"""

import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial

from benchmarks.material import Material
from benchmarks.measuring import Measure
from services.safety_rules.domain.ctcae.rule_book import Rules
from services.safety_rules.domain.participant.linked_participants import LinkedParticipants
from services.safety_rules.domain.participant.received_message import (
    ReceivedMessage,
    group_by_message,
)
from services.safety_rules.domain.participant.record_history import RecordHistory
from services.vocabulary.clinical_fact import Observation

_EVERY = 10


def measures(material: Material) -> list[Measure]:
    """Return facts that are a day late, and facts that come after the whole course."""
    rules = material.context.study.rules
    alone = {m: known for m, known in material.journals.items() if len(m) == 1}
    members = max(alone, key=lambda m: len(alone[m]))
    course = group_by_message(alone[members])
    reports = [one for one in course[: len(course) // 4] if is_report(one)][::_EVERY]
    held_back = {one.seq for one in reports}
    span = course[-1].received_at - course[0].received_at
    facts = sum(len(one.facts) for one in course)

    def cost_ms(late_by: timedelta) -> float:
        return _cost_ms(rules, members, _delay_messages(course, held_back, late_by), held_back)

    return [
        Measure(
            f"a late fact among {facts:,}, {name}",
            "ms/fact",
            partial(cost_ms, late_by),
            {"floor: the same facts in order": partial(cost_ms, timedelta(0))},
        )
        for name, late_by in (("by a day", timedelta(days=1)), ("by the whole course", span))
    ]


def is_report(message: ReceivedMessage) -> bool:
    """Return True when *message* brings values alone: of a laboratory, vital signs, scores."""
    return all(isinstance(fact.body, Observation) for fact in message.facts)


def _delay_messages(
    course: Sequence[ReceivedMessage], held_back: set[int], late_by: timedelta
) -> list[ReceivedMessage]:
    """Return *course* in the order of receipt when *held_back* comes late."""
    end = course[-1].received_at
    received = [
        replace(one, received_at=min(one.received_at + late_by, end))
        if one.seq in held_back
        else one
        for one in course
    ]
    return sorted(received, key=lambda message: message.received_at)


def _cost_ms(
    rules: Rules, members: Sequence[str], course: Sequence[ReceivedMessage], measured_seqs: set[int]
) -> float:
    """Hear *course*; return what a fact of the *measured_seqs* messages in it cost."""
    record_history = RecordHistory(LinkedParticipants(members, rules), rules)
    spent_s, facts = 0.0, 0
    for message in course:
        started_s = time.process_time()
        record_history.receive(message)
        took_s = time.process_time() - started_s
        if message.seq in measured_seqs:
            spent_s += took_s
            facts += len(message.facts)
    return spent_s * 1000 / facts
