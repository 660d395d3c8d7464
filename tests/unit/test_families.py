"""Merges as data: who survives, whatever the order of the merge facts."""

from itertools import permutations

import pytest

from services.safety_rules.domain.families import families, survivors
from services.vocabulary.fact import Merge
from tests.reading import fact

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
        gone, undone, survivor = word
        facts.append(fact(Merge(gone, survivor, undone == "<"), hour))
    for order in permutations(facts):
        assert " ".join(survivors("abc", order).values()) == expected


def test_families_are_joined_by_every_merge_even_an_undone_one():
    merges = [fact(Merge("b", "a", undone=True)), fact(Merge("d", "c"))]
    assert families("abcde", merges) == [("a", "b"), ("c", "d"), ("e",)]
