"""The current facts of one series, whatever the order in which its facts arrive."""

from itertools import permutations

import pytest

from services.safety_rules.domain.facts.current_facts import CurrentFacts
from tests.helpers.fact_notes import lab, status

# name: value, status, observed (h), reported (h); then the names that stand
TABLE = {
    "one result": (["a 1.0 F 0 1"], "a"),
    "preliminary then final": (["a 1.0 P 0 1", "b 1.1 F 0 2"], "b"),
    "final reported before the preliminary": (["a 1.0 P 0 2", "b 1.1 F 0 1"], "a"),
    "same report, the worse status loses": (["a 1.0 P 0 1", "b 1.1 F 0 1"], "b"),
    "corrected": (["a 1.0 F 0 1", "b 9.9 C 0 2"], "b"),
    "corrected twice": (["a 1.0 F 0 1", "b 9.9 C 0 2", "c 5.0 C 0 3"], "c"),
    "deleted": (["a 1.0 F 0 1", "b 1.0 D 0 2"], ""),
    "wrong patient, at the time of the report": (["a 1.0 F 0 1", "b 1.0 W 0 1"], ""),
    "reported again after the deletion": (["a 1.0 F 0 1", "b 1.0 D 0 2", "c 1.2 F 0 3"], "c"),
    "no result": (["a - X 0 1"], ""),
    "no result, then one": (["a - X 0 1", "b 2.0 F 0 2"], "b"),
    "promoted without a value": (["a 1.0 P 0 1", "b - U 0 2"], "a"),
    "corrected time": (["a 1.0 F 0 1", "b 1.0 C 5 2"], "b"),
    "corrected time, then deleted": (["a 1.0 F 0 1", "b 1.0 C 5 2", "c 1.0 D 5 3"], ""),
    "two candidates: it stands alone": (["a 1.0 F 0 1", "b 2.0 F 4 5", "c 9.0 C 9 9"], "a b c"),
    "a correction alone": (["a 1.0 C 0 1"], "a"),
    "a deletion alone": (["a 1.0 D 0 1"], ""),
    "two draws": (["a 1.0 F 0 1", "b 2.0 F 4 5"], "a b"),
}


def read_row(row):
    name, value, letter, observed, reported_hour = row.split()
    return lab(
        "alt",
        None if value == "-" else value,
        float(observed),
        name=name,
        status=status(letter),
        reported_hour=float(reported_hour),
        series="S",
    )


def standing(facts):
    """Replay the differences: what they leave is what stands."""
    current, standing_facts = CurrentFacts(), {}
    for fact in facts:
        change = current.add(fact)
        for removed_fact in change.removed_facts:
            assert standing_facts.pop(removed_fact.id).observed_at == removed_fact.observed_at
        standing_facts |= {new.id: new for new in change.added_facts}
    return standing_facts, current


@pytest.mark.parametrize(("rows", "expected"), TABLE.values(), ids=TABLE)
def test_what_stands_in_every_order_of_arrival(rows, expected):
    facts = [read_row(row) for row in rows]
    for order in permutations(facts):
        standing_facts, _ = standing(order)
        assert " ".join(sorted(standing_facts)) == expected


def test_a_fact_sent_twice_changes_nothing():
    current = CurrentFacts()
    current.add(read_row("a 1.0 F 0 1"))
    changes = current.add(read_row("a 1.0 F 0 1"))
    assert (changes.removed_facts, changes.added_facts) == ((), ())


@pytest.mark.parametrize(("lesser_id", "greater_id"), [("a", "b"), ("a", "aa"), ("P-1", "參-1")])
def test_the_same_content_under_another_message_changes_nothing(lesser_id, greater_id):
    first, second = read_row(f"{lesser_id} 1.0 F 0 1"), read_row(f"{greater_id} 1.0 F 0 1")
    for order in permutations([first, second]):
        standing_facts, _ = standing(order)
        assert list(standing_facts) == [lesser_id]


def test_a_promotion_makes_the_preliminary_final():
    standing_facts, _ = standing([read_row("a 1.0 P 0 1"), read_row("b - U 0 2")])
    assert standing_facts["a"].status == "F"


def test_an_ambiguous_correction_is_a_query_that_names_it():
    rows = ["a 1.0 F 0 1", "b 2.0 F 4 5", "c 9.0 C 9 9"]
    _, current = standing([read_row(row) for row in rows])
    assert [query.facts for query in current.list_queries()] == [("c",)]


# results of the series, and the facts that a correction of another time asks about
CANDIDATES = {
    "none": ([], []),
    "one": (["a 1.0 F 0 1"], []),
    "two": (["a 1.0 F 0 1", "b 2.0 F 4 5"], [("c",)]),
    "two of one time": (["a 1.0 P 0 1", "b 2.0 F 0 2"], []),
}


@pytest.mark.parametrize(("rows", "queried_ids"), CANDIDATES.values(), ids=CANDIDATES)
def test_a_correction_of_another_time_is_asked_about_from_two_candidates_on(rows, queried_ids):
    for order in permutations([*rows, "c 9.0 C 9 9"]):
        _, current = standing([read_row(row) for row in order])
        assert [query.facts for query in current.list_queries()] == queried_ids


def test_a_fact_without_a_series_stands_alone():
    current = CurrentFacts()
    change = current.add(lab("alt", "1.0", name="a"))
    assert [fact.id for fact in change.added_facts] == ["a"]
