"""The current facts of one series, whatever the order in which its facts arrive."""

from itertools import permutations

import pytest
from msgspec.structs import replace

from services.safety_rules.domain.facts.current_facts import CurrentFacts, FactChanges
from services.vocabulary.fact import ResultKey
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
    "final and promoted at the time of the report": (["a 9.0 F 0 1", "b 1.0 U 0 1"], "b"),
    "promoted with a greater value": (["a 1.0 F 0 1", "b 9.0 U 0 1"], "b"),
    "verified and final at the time of the report": (["a 9.0 F 0 1", "b 1.0 V 0 1"], "b"),
    "no result": (["a - X 0 1"], ""),
    "no result, then one": (["a - X 0 1", "b 2.0 F 0 2"], "b"),
    "promoted without a value": (["a 1.0 P 0 1", "b - U 0 2"], "a"),
    "corrected time": (["a 1.0 F 0 1", "b 1.0 C 5 2"], "b"),
    "corrected time, then deleted": (["a 1.0 F 0 1", "b 1.0 C 5 2", "c 1.0 D 5 3"], ""),
    "two candidates: it stands alone": (["a 1.0 F 0 1", "b 2.0 F 4 5", "c 9.0 C 9 9"], "a b c"),
    "no result is nothing to correct": (["a 1.0 F 0 1", "b - X 4 5", "c 9.0 C 9 9"], "c"),
    "no result is nothing to delete": (["a 1.0 F 0 1", "b - X 4 5", "c 1.0 D 9 9"], ""),
    "no result alone, and a correction": (["a - X 4 5", "b 9.0 C 9 9"], "b"),
    "no result, corrected at its time": (["a 1.0 F 0 1", "b - X 4 5", "c 9.0 C 4 9"], "a c"),
    "no result of another time": (["a 1.0 F 0 1", "b - X 4 5"], "a"),
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


def standing(facts, size=1):
    """Replay the differences of messages of *size* facts: what they leave is what stands."""
    current, current_facts = CurrentFacts(), {}
    for start in range(0, len(facts), size):
        change = current.add(facts[start : start + size])
        for removed_fact in change.removed_facts:
            assert current_facts.pop(removed_fact.id).observed_at == removed_fact.observed_at
        current_facts |= {new.id: new for new in change.added_facts}
    return current_facts, current


@pytest.mark.parametrize(("rows", "expected"), TABLE.values(), ids=TABLE)
def test_what_stands_in_every_order_of_arrival(rows, expected):
    facts = [read_row(row) for row in rows]
    for order in permutations(facts):
        for size in (1, 2, len(order)):
            current_facts, _ = standing(order, size)
            assert " ".join(sorted(current_facts)) == expected


# The statuses by rank; of one rank and time of report the sender's own count decides.
# Source: docs/decisions/corrections.md, "order"
RANKS = ("X", "I", "P", "RS", "F", "UV", "CAB", "DW")
LETTERS = [(letter, rank) for rank, letters in enumerate(RANKS) for letter in letters]


@pytest.mark.parametrize(("letter", "rank"), LETTERS)
@pytest.mark.parametrize(("other_letter", "other_rank"), LETTERS)
def test_of_two_statuses_the_higher_rank_stands_and_of_one_rank_the_later(
    letter, rank, other_letter, other_rank
):
    """The first was sent first; a deletion or no result leaves nothing."""
    first = replace(read_row(f"a 1.0 {letter} 0 1"), sequence=1)
    second = replace(read_row(f"b 2.0 {other_letter} 0 1"), sequence=2)
    best, best_letter = ("a", letter) if rank > other_rank else ("b", other_letter)
    for order in permutations([first, second]):
        standing_facts, _ = standing(order)
        assert " ".join(standing_facts) == ("" if best_letter in "XDW" else best)


@pytest.mark.parametrize(("wrong_patient", "deletion", "expected"), [(2, 1, "a"), (1, 2, "")])
def test_of_a_deletion_and_a_wrong_patient_the_later_decides_what_is_left_to_another(
    wrong_patient, deletion, expected
):
    facts = [
        read_row("a 1.0 F 0 1"),
        replace(read_row("b 1.0 W 0 1"), subject="P-002", sequence=wrong_patient),
        replace(read_row("c 1.0 D 0 1"), subject="P-002", sequence=deletion),
    ]
    for order in permutations(facts):
        standing_facts, _ = standing(order)
        assert " ".join(standing_facts) == expected


# A fact with its key: code/number/report, and @local time where it is another than observed
KEYED = {
    "two codes of one order": (
        ["a 3.1 F 0 1 X/1/r", "b 0.4 F 0 1 Y/2/r"], "a b", [],
    ),
    "two codes with one content": (
        ["a 3.1 F 0 1 X/1/r", "b 3.1 F 0 1 Y/2/r"], "a b", [],
    ),
    "one code is corrected": (
        ["a 3.1 F 0 1 X/1/r", "b 0.4 F 0 1 Y/2/r", "c 0.6 C 0 2 Y/1/s"], "a c", [],
    ),
    "one code is deleted": (
        ["a 3.1 F 0 1 X/1/r", "b 0.4 F 0 1 Y/2/r", "c 0.4 D 0 2 Y/1/s"], "a", [],
    ),
    "a correction of a code that was not sent": (
        ["a 3.1 F 0 1 X/1/r", "c 0.4 C 0 2 Y/1/s"], "a c", [],
    ),
    "a code twice in one report": (
        ["a 3.1 F 0 1 X/1/r", "b 0.4 F 0 1 X/2/r"], "a b", [],
    ),
    "a code twice with one content": (
        ["a 0.4 F 0 1 X/1/r", "b 0.4 F 0 1 X/2/r"], "a", [],
    ),
    "a code in two reports": (
        ["a 3.1 F 0 1 X/1/r", "b 0.4 F 0 2 X/2/s"], "b", [],
    ),
    "a preliminary and a final one in one report": (
        ["a 3.1 P 0 1 X/1/r", "b 3.1 F 0 1 X/2/r"], "b", [],
    ),
    "pending beside a value in one report": (
        ["a - I 0 1 X/1/r", "b 3.1 F 0 1 X/2/r"], "b", [],
    ),
    "a result and its correction in one report": (
        ["a 3.1 F 0 1 X/1/r", "b 0.4 C 0 1 X/2/r"], "b", [],
    ),
    "a deletion with the value in its place": (
        ["a 3.1 F 0 1 X/1/r", "b 3.1 D 0 2 X/1/s", "c 0.4 F 0 2 X/2/s"], "c", [],
    ),
    "of two, the one with the number is corrected": (
        ["a 3.1 F 0 1 X/1/r", "b 0.4 F 0 1 X/2/r", "c 0.6 C 0 2 X/2/s"], "a c", [],
    ),
    "of two, the one with the number is deleted": (
        ["a 3.1 F 0 1 X/1/r", "b 0.4 F 0 1 X/2/r", "c - D 0 2 X/1/s"], "b", [],
    ),
    "of two, the one with the number is another patient's": (
        ["a 3.1 F 0 1 X/1/r", "b 0.4 F 0 1 X/2/r", "c 0.4 W 0 2 X/2/s"], "a", [],
    ),
    "of two, a correction with neither number": (
        ["a 3.1 F 0 1 X/1/r", "b 0.4 F 0 1 X/2/r", "c 0.6 C 0 2 X/3/s"], "a b c", [("c",)],
    ),
    "of two, a deletion with neither number": (
        ["a 3.1 F 0 1 X/1/r", "b 0.4 F 0 1 X/2/r", "c 0.4 D 0 2 X/3/s"], "a b", [("c",)],
    ),
    "of two, a later report with neither number": (
        ["a 3.1 F 0 1 X/1/r", "b 0.4 F 0 1 X/2/r", "c 0.6 F 0 2 X/3/s"], "a b c", [("c",)],
    ),
    "of two, one is said again under another number": (
        ["a 3.1 F 0 1 X/1/r", "b 0.4 F 0 1 X/2/r", "c 0.4 F 0 2 X/3/s"], "a b", [],
    ),
    "both are reported again, and what was before is over": (
        ["a 9.9 F 0 1 X/7/q", "b 3.1 F 0 2 X/1/r", "c 0.4 F 0 2 X/2/r"], "b c", [],
    ),
    "both are reported twice, and what came in between is over": (
        [
            "a 3.1 F 0 1 X/1/r", "b 0.4 F 0 1 X/2/r", "c 9.9 F 0 2 X/7/q",
            "d 3.2 F 0 3 X/1/s", "e 0.5 F 0 3 X/2/s",
        ],
        "d e", [],
    ),
    "both are corrected": (
        ["a 3.1 F 0 1 X/1/r", "b 0.4 F 0 1 X/2/r", "c 3.2 C 0 2 X/1/s", "d 0.5 C 0 2 X/2/s"],
        "c d", [],
    ),
    "three, two of them equal: either number is that one": (
        ["a 0.4 F 0 1 X/1/r", "b 0.4 F 0 1 X/2/r", "c 5.0 F 0 1 X/3/r", "d 0.6 C 0 2 X/2/s"],
        "c d", [],
    ),
    "an older release knew no code: it is corrected by any": (
        ["a 3.1 F 0 1", "b 0.4 C 0 2 X/1/s"], "b", [],
    ),
    "an older release, then two codes": (
        ["a 3.1 F 0 1", "b 0.4 F 0 2 X/1/s", "c 0.5 F 0 2 Y/2/s"], "b c", [],
    ),
    "an older release, a deletion of one code": (
        ["a 3.1 F 0 1", "b - D 0 2 X/1/s", "c 0.5 P 0 1 Y/2/s"], "c", [],
    ),
    "an older release, at another time": (
        ["a 3.1 F 0 1", "b 0.4 F 5 6 X/1/s", "c 0.5 F 5 6 Y/2/s"], "a b c", [],
    ),
    "an older release had two in one report: one of them stood": (
        ["a 3.1 F 0 1", "b 0.4 F 0 2"], "b", [],
    ),
    "corrected across a clock change": (
        ["a 71 F 0 1 X/1/r@12", "b 118 F 2 3 X/2/r@14", "c 117 C -1 9 X/1/s@12"], "b c", [],
    ),
    "deleted across a clock change": (
        ["a 71 F 0 1 X/1/r@12", "b 118 F 2 3 X/2/r@14", "c 71 D -1 9 X/1/s@12"], "b", [],
    ),
    "another patient's, across a clock change": (
        ["a 71 F 0 1 X/1/r@12", "b 118 F 2 3 X/2/r@14", "c 71 W 1 9 X/1/s@12"], "b", [],
    ),
    "across a clock change, the time of another result": (
        ["a 71 F 0 1 X/1/r@12", "b 118 F -1 3 X/2/r@11", "c 117 C -1 9 X/1/s@12"], "b c", [],
    ),
    "the same instant in another zone": (
        ["a 71 F 0 1 X/1/r@12", "b 118 F 5 6 X/2/r@17", "c 117 C 0 9 X/1/s@17"], "b c", [],
    ),
    "no result, under the local time of one": (
        ["a 71 F 0 1 X/1/r@12", "b 118 F 2 3 X/2/r@14", "c - X -1 9 X/1/s@12"], "b", [],
    ),
    "no result, under the local time of none": (
        ["a 71 F 0 1 X/1/r@12", "b - X -1 9 X/1/s@11"], "a", [],
    ),
    "no result, before the one of its local time": (
        ["a 71 F 0 9 X/1/r@12", "b - X -1 1 X/1/s@12"], "a", [],
    ),
    "a local time that two results have": (
        ["a 71 F 0 1 X/1/r@01", "b 118 F 1 2 X/2/r@01", "c 117 C 5 9 X/1/s@01"],
        "a b c", [("c",)],
    ),
    "a local time of another code": (
        ["a 71 F 0 1 X/1/r@12", "b 118 F 2 3 X/2/r@14", "c 117 C -1 9 Y/1/s@12"], "a b c", [],
    ),
}  # fmt: skip


def read_keyed_row(row):
    """A fact of *row*, with its key after the five words of `read_row`."""
    *words, key_text = row.split() if len(row.split()) > 5 else (*row.split(), "")
    fact = read_row(" ".join(words))
    if not key_text:
        return fact
    place, _, local_time = key_text.partition("@")
    code, number, report = place.split("/")
    return replace(fact, result_key=ResultKey(code, number, local_time, report))


@pytest.mark.parametrize(("rows", "expected", "queried_ids"), KEYED.values(), ids=KEYED)
def test_what_stands_of_several_results_in_every_order_of_arrival(rows, expected, queried_ids):
    facts = [read_keyed_row(row) for row in rows]
    for order in permutations(facts):
        for size in (1, 2, len(order)):
            current_facts, current = standing(order, size)
            assert " ".join(sorted(current_facts)) == expected
            assert [query.facts for query in current.list_queries()] == queried_ids


def test_a_fact_sent_twice_changes_nothing():
    current = CurrentFacts()
    fact = read_row("a 1.0 F 0 1")
    assert current.add([fact, fact]).added_facts == (fact,)
    assert current.add([fact]) == FactChanges((), ())


@pytest.mark.parametrize(("lesser_id", "greater_id"), [("a", "b"), ("a", "aa"), ("P-1", "參-1")])
def test_the_same_content_under_another_message_changes_nothing(lesser_id, greater_id):
    first, second = read_row(f"{lesser_id} 1.0 F 0 1"), read_row(f"{greater_id} 1.0 F 0 1")
    for order in permutations([first, second]):
        current_facts, _ = standing(order)
        assert list(current_facts) == [lesser_id]


def test_a_promotion_makes_the_preliminary_final():
    current_facts, _ = standing([read_row("a 1.0 P 0 1"), read_row("b - U 0 2")])
    assert current_facts["a"].status.is_final


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
    "one, and no result of another time": (["a 1.0 F 0 1", "b - X 4 5"], []),
    "no result of another time": (["a - X 4 5"], []),
    "two, and no result of another time": (["a 1.0 F 0 1", "b 2 F 4 5", "d - X 6 7"], [("c",)]),
}


@pytest.mark.parametrize(("rows", "queried_ids"), CANDIDATES.values(), ids=CANDIDATES)
def test_a_correction_of_another_time_is_asked_about_from_two_candidates_on(rows, queried_ids):
    for order in permutations([*rows, "c 9.0 C 9 9"]):
        _, current = standing([read_row(row) for row in order])
        assert [query.facts for query in current.list_queries()] == queried_ids


def test_a_fact_without_a_series_stands_alone():
    current = CurrentFacts()
    change = current.add([lab("alt", "1.0", name="a")])
    assert [fact.id for fact in change.added_facts] == ["a"]
