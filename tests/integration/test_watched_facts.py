"""The facts that stand in the watch views are those that stand in the rules."""

from collections import Counter
from random import Random

import psycopg
import pytest
from msgspec.structs import replace
from sqlalchemy import text

from services.safety_rules.domain.facts.current_facts import select_current_facts
from services.safety_rules.domain.facts.ownership import Ownership
from services.safety_rules.workers.journal_worker import JournalWorker
from services.store import journal
from services.store.journal import Arrival
from services.store.participants import Participant, add_participants
from services.store.session import Database
from services.vocabulary.clinical_fact import Movement
from services.vocabulary.identity_change import Merge, Move
from tests.helpers.fact_notes import HOUR_ZERO, fact, hours, lab
from tests.helpers.random_trials import PEOPLE, RULES, trial
from tests.helpers.store import message, registered_keys
from tests.unit.test_current_facts import KEYED, TABLE, read_keyed_row
from tests.unit.test_denied_deaths import TABLE as DEATHS
from tests.unit.test_denied_deaths import read_row as read_death_row

pytestmark = [pytest.mark.server, pytest.mark.slow]


def facts_by_participant(db):
    """Return every fact, under the name of whom merges and moves make it one of."""
    with db.read() as conn:
        subjects = conn.scalars(text("SELECT subject FROM participant")).all()
        facts = [one.fact for s in subjects for one in journal.load_facts_between(conn, s, 0)]
    ownership = Ownership(subjects)
    ownership.add_facts(facts)
    entries = {}
    for item in facts:
        entries.setdefault(ownership.find_owner(item), []).append(item)
    return entries


def assert_same_facts_stand(url):
    """The view and the rules leave the same; of facts with one content either may stand.

    Movements are not compared: the view leaves them out, as nothing that is shown reads them.
    """
    expected, content = Counter(), {}
    db = Database.open(url)
    facts_of = facts_by_participant(db)
    db.close()
    for participant, facts in facts_of.items():
        content |= {one.id: (one.digest, one.series) for one in facts}
        expected.update(
            (participant, one.observed_at, one.body.kind, content[one.id], one.status not in "IPRS")
            for one in select_current_facts(facts)
            if not isinstance(one.body, Movement)
        )
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        rows = connection.execute(
            "SELECT participant, observed_at, kind, id, is_final FROM watch.standing_fact"
        ).fetchall()
    assert expected == Counter(
        (who, at, kind, content[of], final) for who, at, kind, of, final in rows
    )


def test_the_facts_that_stand_are_those_of_the_rules(watched_trial):
    assert_same_facts_stand(watched_trial.url)


def with_nobody(facts):
    """Return facts that merge and move everybody to somebody who takes no part."""
    last = max(one.reported_at for one in facts)
    linking_facts = [(p, body) for p in PEOPLE for body in (Merge(p, "nobody"), Move(p, "nobody"))]
    return [
        replace(fact(body, subject=who), id=f"nobody-{n}", reported_at=last)
        for n, (who, body) in enumerate(linking_facts)
    ]


def keep_facts(facts, people, url, tmp_path):
    """Store and fold *facts*, each of a message of its own, about *people*."""
    arrivals = [
        Arrival(message(f"m{n}", hours(700 + n)), (one,), ()) for n, one in enumerate(facts)
    ]
    db = Database.open(url)
    with db.write() as conn:
        add_participants(conn, [Participant(one, "T", "S1") for one in people], HOUR_ZERO)
    keys = registered_keys(db, tmp_path / "keys")
    with db.write() as conn:
        journal.append_arrivals(conn, keys, arrivals)
    assert JournalWorker(
        db, RULES, "rules", lambda: hours(700 + len(facts)), by_message=True
    ).settle()
    db.close()


@pytest.mark.parametrize("seed", [*range(6), 10, 22, 26, 33, 40])
def test_so_they_are_after_any_correction_and_merge(seed, postgres, tmp_path):
    sent_messages = trial(seed)
    sent_messages += with_nobody(sent_messages)
    Random(seed).shuffle(sent_messages)
    keep_facts(sent_messages, PEOPLE, postgres.url, tmp_path)
    assert_same_facts_stand(postgres.url)


def test_moves_reported_together_are_applied_in_the_order_of_their_events(postgres, tmp_path):
    moves = [("P-002", "P-001", 310), ("P-001", "P-002", 312)]
    facts = [
        replace(
            fact(Move(source, target, "V1"), hour, reported_hour=400, subject=who),
            id=f"{who}-{hour}",
        )
        for source, target, hour in moves
        for who in PEOPLE
    ]
    result = lab("alt", "40", 4, "U/L", site="S1", visit="V1", subject="P-001")
    keep_facts([*facts, result], PEOPLE, postgres.url, tmp_path)
    assert_same_facts_stand(postgres.url)
    with psycopg.connect(postgres.url.replace("+psycopg", "")) as connection:
        query = "SELECT participant FROM watch.standing_fact WHERE kind = 'observation'"
        assert connection.execute(query).fetchall() == [("P-002",)]


# rows as in `KEYED`, of what SQL may read otherwise than the rules: numbers, statuses, order
ROWS = {
    "a verified result ranks with a promoted one": (["a 1.0 F 0 1", "b 2.0 V 0 1"], "b"),
    "a verified result and a correction": (["a 1.0 V 0 1", "b 2.0 C 0 1"], "b"),
    "a verified result is final": (["a 1.0 V 0 1 X/1/r"], "a"),
    "a promotion alone": (["a - U 0 1"], ""),
    "one number with other zeros is one content": (
        ["a 5.0 F 0 1 X/1/r", "b 5 F 0 1 X/2/r", "c 6 C 0 2 X/2/s"],
        "c",
    ),
    "two digits of a number come before one": (
        ["a 5 F 0 1 X/10/r", "b 5 F 0 1 X/9/r", "c 6 F 0 1 X/11/r"],
        "a c",
    ),
    "of two, one is promoted": (
        ["a 5 P 0 1 X/1/r", "b 6 P 0 1 X/2/r", "c - U 0 2 X/2/s"],
        "a b",
    ),
    "a message that says both again, with another number for one": (
        ["a 5 F 0 1 X/1/r", "b 6 F 0 1 X/2/r", "c 5 F 0 2 X/1/s", "d 6 F 0 2 X/3/s"],
        "a b d",
    ),
}


def test_the_facts_that_stand_are_those_of_the_rows(postgres, tmp_path):
    cases = [row[:2] for row in (*TABLE.values(), *KEYED.values(), *ROWS.values())]
    people = [f"P-{number:03d}" for number in range(len(cases))]
    facts = [
        replace(item, id=f"{who} {item.id}", subject=who)
        for who, (rows_of_case, _) in zip(people, cases, strict=True)
        for item in map(read_keyed_row, rows_of_case)
    ]
    keep_facts(facts, people, postgres.url, tmp_path)
    digest_of = {item.id: item.digest for item in facts}
    with psycopg.connect(postgres.url.replace("+psycopg", "")) as connection:
        found_ids = connection.execute("SELECT id FROM watch.standing_fact").fetchall()
    for who, (rows_of_case, names) in zip(people, cases, strict=True):
        digests = sorted(digest_of[one] for (one,) in found_ids if one.startswith(f"{who} "))
        expected_digests = sorted(digest_of[f"{who} {name}"] for name in names.split())
        assert digests == expected_digests, rows_of_case
    assert_same_facts_stand(postgres.url)


def test_the_deaths_that_stand_are_those_of_the_rows(postgres, tmp_path):
    people = [f"P-{number:03d}" for number in range(len(DEATHS))]
    facts = [
        replace(item, id=f"{who} {item.id}", subject=who)
        for who, (rows_of_case, *_) in zip(people, DEATHS.values(), strict=True)
        for item in map(read_death_row, rows_of_case)
    ]
    keep_facts(facts, people, postgres.url, tmp_path)
    with psycopg.connect(postgres.url.replace("+psycopg", "")) as connection:
        query = "SELECT id FROM watch.standing_fact WHERE kind = 'death'"
        found_ids = sorted(one for (one,) in connection.execute(query).fetchall())
    expected_ids = [
        f"{who} {name}"
        for who, (_, names, _) in zip(people, DEATHS.values(), strict=True)
        for name in names.split()
    ]
    assert found_ids == sorted(expected_ids)
