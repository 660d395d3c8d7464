"""Merges and moves as data: whose a fact is, whatever the order of the facts."""

from itertools import permutations

import pytest
from msgspec.structs import replace

from services.safety_rules.domain.facts.linked_groups import link_participants
from services.safety_rules.domain.facts.ownership import Ownership, find_survivors
from services.safety_rules.domain.participant.linked_participants import (
    LinkedParticipants,
)
from services.vocabulary.clinical_fact import Enrolment
from services.vocabulary.fact import Status
from services.vocabulary.identity_change import Merge, Move
from tests.helpers.fact_notes import fact, lab
from tests.helpers.random_trials import RULES

# merges "gone>survivor", "gone<survivor" undoes; then who survives for a, b, c
TABLE = {
    "none": ("", "a b c"),
    "one": ("b>a", "a a c"),
    "chain": ("c>b b>a", "a a a"),
    "cycle": ("a>b b>c c>a", "a a a"),
    "undone": ("b>a b<a", "a b c"),
    "merged again": ("b>a b<a b>a", "a a c"),
    "the other way round later": ("b>a a>b", "b b c"),
}


@pytest.mark.parametrize(("text", "expected"), TABLE.values(), ids=TABLE)
def test_survivors(text, expected):
    facts = []
    for hour, word in enumerate(text.split()):
        merged_name, sign, survivor = word
        facts.append(fact(Merge(merged_name, survivor, sign == "<"), hour))
    for order in permutations(facts):
        assert " ".join(find_survivors("abc", order).values()) == expected


def test_families_are_joined_by_every_merge_even_an_undone_one():
    merges = [fact(Merge("b", "a", undone=True)), fact(Merge("d", "c"))]
    assert link_participants("abcde", merges) == [("a", "b"), ("c", "d"), ("e",)]


def test_families_are_joined_by_every_move_even_an_undone_one():
    moves = [fact(Move("b", "a", "V", undone=True)), fact(Move("d", "c"))]
    assert link_participants("abcde", moves) == [("a", "b"), ("c", "d"), ("e",)]


def test_what_names_somebody_who_takes_no_part_joins_nobody():
    links = [fact(Merge("a", "x")), fact(Merge("x", "b")), fact(Move("c", "x"))]
    assert link_participants("abc", links) == [("a",), ("b",), ("c",)]
    ownership = Ownership("abc")
    assert ownership.add_facts([fact(Merge("a", "b"), 1)])
    assert not ownership.add_facts([fact(Merge("b", "x"), 2), fact(Move("c", "x"), 2)])
    assert [ownership.find_owner(lab("potassium", "4", subject=who)) for who in "abc"] == [
        "b",
        "b",
        "c",
    ]


# what was moved or merged: ``a>V>b`` moves visit V from a to b, ``a>V=W>b`` makes it W there,
# ``a>>b`` all that was sent under the identifier of a; ``<`` takes back; ``a+b`` merges a into b,
# ``a-b`` takes that back. Then whose the result of visit V is that was sent about a, b, c.
MOVES = {
    "none": ("", "a b c"),
    "one": ("a>V>b", "b b c"),
    "another visit": ("a>W>b", "a b c"),
    "back by the same event": ("a>V>b b>V>a", "a a c"),
    "taken back": ("a>V>b a<V<b", "a b c"),
    "taken back, and moved again": ("a>V>b a<V<b a>V>b", "b b c"),
    "one of another visit taken back": ("a>V>b a<W<b", "b b c"),
    "on and on": ("a>V>b b>V>c", "c c c"),
    "round": ("a>V>b b>V>c c>V>a", "a a a"),
    "under another number": ("a>V=W>b b>W>c", "c b c"),
    "the identifier": ("a>>b", "b b c"),
    "the identifier, back": ("a>>b a<<b", "a b c"),
    "a visit to it, then the identifier": ("c>V>a a>>b", "b b b"),
    "from a survivor": ("a+b b>V>c", "c c c"),
    "from a survivor, then separated": ("a+b b>V>c a-b", "a c c"),
    "to one who was merged away": ("a>V>b b+c", "c c c"),
    "to one who is merged away later taken back": ("a>V>b b+c b-c", "b b c"),
}


def read_moves(text):
    facts = []
    for hour, word in enumerate(text.split()):
        if word[1] in "+-":
            body = Merge(word[0], word[2], word[1] == "-")
        else:
            source, visit, target = word.replace("<", ">").split(">")
            old_owner, _, new_owner = visit.partition("=")
            body = Move(source, target, old_owner, new_owner, "<" in word)
        facts.append(fact(body, hour))
    return facts


SOURCES = {  # merges and moves; the members whose facts a's records may be made of, b's
    "none": ("", "a", "b"),
    "merged": ("b+a", "a b", "b"),
    "merged, and taken back": ("b+a b-a", "a", "b"),
    "a visit moved": ("c>V>b", "a b c", "a b c"),
}


@pytest.mark.parametrize(("text", "of_a", "of_b"), SOURCES.values(), ids=SOURCES)
def test_records_are_made_of_facts_of_the_merged_and_with_a_move_perhaps_of_all(text, of_a, of_b):
    participants = LinkedParticipants("abc", RULES)
    for number, move in enumerate(read_moves(text)):
        participants.receive("a", [replace(move, id=f"{number}", subject="a")])
    assert [" ".join(participants.list_source_members(member)) for member in "ab"] == [of_a, of_b]


@pytest.mark.parametrize(("text", "expected"), MOVES.values(), ids=MOVES)
def test_whose_a_visit_is(text, expected):
    results = [lab("alt", "30", subject=who, visit="V", site="north") for who in "abc"]
    for order in permutations(read_moves(text)):
        ownership = Ownership("abc")
        for move in order:
            ownership.add_facts([move])
        assert " ".join(map(ownership.find_owner, results)) == expected


def test_what_a_person_said_of_a_participant_is_no_part_of_an_identifier():
    ownership = Ownership("ab")
    assert ownership.add_facts([fact(Move("a", "b"))]) is True
    for stays in (
        fact(Enrolment("north"), subject="a", site="north"),
        lab("alt", "30", subject="a"),
    ):
        assert ownership.find_owner(stays) == "a"


def test_a_correction_that_says_of_no_visit_goes_where_the_corrected_result_goes():
    ownership = Ownership("ab")
    first = lab("alt", "30", subject="a", series="1", visit="V")
    correction = lab("alt", "31", subject="a", series="1", status=Status.CORRECTED)
    elsewhere = lab("alt", "31", 5, subject="a", series="1")
    ownership.add_facts([fact(Move("a", "b", "V")), correction])
    assert ownership.find_owner(correction) == "a"
    assert ownership.add_facts([first]) is True  # the correction is another's from now on
    assert [ownership.find_owner(one) for one in (first, correction, elsewhere)] == ["b", "b", "a"]


def test_a_corrected_time_that_says_of_no_visit_goes_where_its_result_goes():
    ownership = Ownership("ab")
    moved_result = lab("alt", "30", 5, subject="a", series="1", status=Status.CORRECTED)
    other_result = lab("alt", "30", 9, subject="a", series="1")
    ownership.add_facts([fact(Move("a", "b", "V")), moved_result, other_result])
    assert ownership.add_facts([lab("alt", "30", subject="a", series="1", visit="V")]) is True
    assert [ownership.find_owner(one) for one in (moved_result, other_result)] == ["b", "a"]
    ownership.add_facts([lab("alt", "31", 7, subject="a", series="1", visit="W")])
    assert ownership.find_owner(moved_result) == "a"  # of which of the two it is nobody knows


def test_a_corrected_time_takes_over_no_visit_of_another_result_or_person():
    ownership = Ownership("abc")
    neighbours = [
        lab("alt", "30", subject=who, series=series, visit="V")
        for who, series in (("a", "1"), ("c", "2"))
    ]
    ownership.add_facts([fact(Move("a", "b", "V")), *neighbours])
    corrected_result = lab("alt", "30", 5, subject="a", series="2", status=Status.CORRECTED)
    assert ownership.find_owner(corrected_result) == "a"


def test_of_two_moves_that_are_reported_together_the_later_event_is_the_last():
    first_move = fact(Move("a", "b", "V"), 2, reported_hour=9)
    back = fact(Move("b", "a", "V"), 1, reported_hour=9)
    ownership = Ownership("ab")
    ownership.add_facts([first_move, back])
    assert ownership.find_owner(lab("alt", "30", subject="a", visit="V")) == "b"


def test_the_copy_of_a_move_in_the_other_journal_is_no_news():
    ownership = Ownership("ab")
    moves = [fact(Move("a", "b", "V"), subject=who) for who in "ab"]
    assert [ownership.add_facts([one]) for one in moves] == [True, False]
