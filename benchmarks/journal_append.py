"""Measures how many facts per second the journal takes on SQLite, and how fast they are read.

Run: ``python benchmarks/journal_append.py [FOLDER]``; the database goes to FOLDER (a real disk).
"""

import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from services.runtime import wire
from services.store import schema
from services.store.journal import Arrival, RawMessage, append, facts_between
from services.store.participants import Participant, add_participants
from services.store.session import Database
from services.store.vault import Keys
from services.vocabulary.fact import Fact, Observation
from services.vocabulary.quantity import Quantity

MESSAGES, FACTS, BATCHES, PARTICIPANTS = 250, 10, 20, 60
START = datetime(2026, 3, 1, 8, tzinfo=UTC)


def arrival(number: int) -> Arrival:
    """Return a message of `FACTS` laboratory values."""
    at = START + timedelta(minutes=number)
    body = b"OBX|1|NM|751-8^Neutrophils^LN||0.49|10*9/L|1.8-7.7|L|||F\r" * FACTS
    message = RawMessage(
        f"m{number}", at, "S1", "LAB|S1", f"c{number}", "0" * 64, "mllp", "wall", body
    )
    limit = Quantity(Decimal("1.8"), "10*9/L")
    facts = tuple(
        Fact(
            f"{number}-{index}",
            f"P-{number % PARTICIPANTS:03d}",
            at,
            at,
            Observation("neutrophils", Quantity(Decimal("0.490"), "10*9/L"), lln=limit),
            "0" * 64,
            "S1",
            series=f"LAB|{number}|neutrophils",
        )
        for index in range(FACTS)
    )
    return Arrival(message, facts)


def per_second(count: int, started: float) -> str:
    """Return the rate since *started*, readable."""
    return f"{count / (time.perf_counter() - started):>12,.0f}/s"


def main(folder: Path) -> None:
    """Print the rates."""
    keys = Keys.load_or_create(folder / "keys")
    db = Database.open(f"sqlite:///{folder}/journal.db")
    schema.upgrade(db)
    with db.write() as conn:
        someone = [Participant(f"P-{n:03d}", "T", "S1") for n in range(PARTICIPANTS)]
        add_participants(conn, someone, START)
    batches = [[arrival(batch * MESSAGES + n) for n in range(MESSAGES)] for batch in range(BATCHES)]
    started = time.perf_counter()
    for batch in batches:
        with db.write() as conn:
            append(conn, keys, batch)
    print("facts appended  ", per_second(MESSAGES * FACTS * BATCHES, started))
    started, count = time.perf_counter(), 0
    with db.read() as conn:
        for one in someone:
            count += len(facts_between(conn, one.subject, 0))
    print("facts read back ", per_second(count, started))
    fact = batches[0][0].facts[0]
    record = wire.write_fact(fact)
    for name, step in (
        ("facts from JSON ", lambda: wire.read_fact(record)),
        ("facts to JSON   ", lambda: wire.write_fact(fact)),
        ("canonical       ", lambda: wire.canonical(fact)),
    ):
        started = time.perf_counter()
        for _ in range(20_000):
            step()
        print(name, per_second(20_000, started))


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(dir=sys.argv[1] if len(sys.argv) > 1 else None) as made:
        main(Path(made))
