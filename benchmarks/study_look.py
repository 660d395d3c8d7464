"""The cost of a look at a large study: ten rules over 5,000 participants, after a fact of one.

Measured, in milliseconds of one core: the whole study step of a worker that has looked before, its
reads of the database with it (aim: 5). Each time the fact is of somebody else; of the first forty,
who count, one in a hundred.

Compared to: the same step of a worker that knows nothing yet. The floor: the sums read from which
it is seen that nobody has moved.
"""

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count

from sqlalchemy import insert, update

from benchmarks.material import Material, open_data
from benchmarks.measuring import Measure, interpreter_of_a_service
from services.runtime.canonical_json import write_canonical
from services.safety_rules.application.decide_study import Decide, run_study_step
from services.safety_rules.application.study_watch import StudyWatch
from services.safety_rules.domain.ctcae.rule_book import Rules
from services.store.decisions import LastDecisions
from services.store.positions import PositionTracker
from services.store.session import Database
from services.store.tables import fact, participant, participant_state, standing
from services.vocabulary.standing import CountedEvent, Standing

_PARTICIPANTS, _RULES = 5_000, 10
_REPEATS = 5
_START = datetime(2026, 1, 1, tzinfo=UTC)
_OBSERVED_AT = _START + timedelta(days=300)
_EVENT_OF = 7  # one in so many, of those whom a rule counts


def measures(material: Material) -> list[Measure]:
    """Return the look."""
    context = open_data(material.folder / "look")
    rules = _make_rules(context.study.rules)
    db, moves = context.db, count(1)
    watch, last_decisions, tracker = StudyWatch(), LastDecisions(), PositionTracker()
    _fill(db, rules)

    def look(decide: Decide, known_decisions: LastDecisions) -> float:
        started_s = time.process_time()
        run_study_step(db, rules, _START, decide, known_decisions)
        return (time.process_time() - started_s) * 1000

    def look_again() -> float:
        return cost_ms(lambda: look(watch.decide, last_decisions))

    def look_first() -> float:
        return cost_ms(lambda: look(StudyWatch().decide, LastDecisions()))

    def cost_ms(do_look: Callable[[], float]) -> float:
        """Return the cost of a look, each after another participant has moved."""
        costs = []
        with interpreter_of_a_service():
            for _ in range(_REPEATS):
                _move(db, next(moves))
                costs.append(do_look())
        return sum(costs) / _REPEATS

    def find_nobody() -> float:
        with db.read() as conn:
            tracker.find_moved(conn, rules.protocol.study)
            started_s = time.process_time()
            tracker.find_moved(conn, rules.protocol.study)
        return (time.process_time() - started_s) * 1000

    look(watch.decide, last_decisions)
    return [
        Measure(
            f"look.{_PARTICIPANTS}: {_RULES} rules",
            "ms",
            look_again,
            {
                "a first look": look_first,
                "floor: nobody has moved": find_nobody,
            },
        )
    ]


def _make_rules(rules: Rules) -> Rules:
    protocol = rules.protocol
    sources = [protocol.rules[number % len(protocol.rules)] for number in range(_RULES)]
    named_rules = [replace(rule, id=f"{rule.id}-{number}") for number, rule in enumerate(sources)]
    return replace(rules, protocol=replace(protocol, rules=tuple(named_rules)))


def _fill(db: Database, rules: Rules) -> None:
    """Store participants who enter one an hour, each with a fact and a standing under each rule."""
    people = [(f"P-{number:05}", number) for number in range(_PARTICIPANTS)]
    with db.write() as conn:
        conn.execute(
            insert(participant),
            [
                {"subject": pseudonym, "study": rules.protocol.study, "site": "west",
                 "added_at": _START, "last_seq": 1, "last_received_at": _OBSERVED_AT}
                for pseudonym, _ in people
            ],
        )  # fmt: skip
        conn.execute(
            insert(participant_state),
            [
                {"subject": pseudonym, "folded_through": 1, "version": 1,
                 "rules_version": rules.version, "digest": "d",
                 "quarantined_seq": None, "error": ""}
                for pseudonym, _ in people
            ],
        )  # fmt: skip
        conn.execute(insert(fact), [_make_fact(pseudonym, 1) for pseudonym, _ in people])
        conn.execute(
            insert(standing),
            [
                {"subject": pseudonym, "rule": rule.id, "version": 1, "known_at": _OBSERVED_AT,
                 "seq": 1,
                 "payload": write_canonical(_make_standing(pseudonym, number, rule.id))}
                for pseudonym, number in people
                for rule in rules.protocol.rules
            ],
        )  # fmt: skip


def _make_standing(pseudonym: str, number: int, rule: str) -> Standing:
    entered_at = _START + timedelta(hours=number)
    event = (
        CountedEvent(entered_at + timedelta(days=3), "event", 3, confirmed=True)
        if number % _EVENT_OF == 0
        else None
    )
    ends_at = entered_at + timedelta(days=400)
    return Standing(pseudonym, rule, entered_at, ends_at, event=event, confirmed=event, upper=event)


def _make_fact(pseudonym: str, seq: int) -> dict[str, object]:
    observed_at = _find_instant(seq)
    return {
        "subject": pseudonym, "seq": seq, "id": f"{pseudonym}-{seq}", "message": "m",
        "kind": "observation", "received_at": observed_at, "observed_at": observed_at,
        "payload": "{}",
    }  # fmt: skip


def _find_instant(seq: int) -> datetime:
    return _OBSERVED_AT + timedelta(minutes=seq - 1)


def _move(db: Database, number: int) -> None:
    """Store and fold a fact of one participant."""
    pseudonym = f"P-{number * 97 % _PARTICIPANTS:05}"
    with db.write() as conn:
        conn.execute(insert(fact).values(_make_fact(pseudonym, number + 1)))
        conn.execute(
            update(participant)
            .where(participant.c.subject == pseudonym)
            .values(last_seq=participant.c.last_seq + 1, last_received_at=_find_instant(number + 1))
        )
        conn.execute(
            update(participant_state)
            .where(participant_state.c.subject == pseudonym)
            .values(version=participant_state.c.version + 1)
        )
