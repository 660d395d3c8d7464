"""Groups of participants that merges and moves link."""

from collections.abc import Iterable

from services.safety_rules.domain.facts.ownership import find_named_pair
from services.vocabulary.fact import Fact


def link_participants(
    subjects: Iterable[str], joining_facts: Iterable[Fact]
) -> list[tuple[str, ...]]:
    """Return the connected groups of *subjects* under every merge and move, undone ones included.

    A fact that names anybody else links nobody.

    >>> link_participants(["P-2", "P-1"], [])
    [('P-1',), ('P-2',)]
    """
    group_of = {subject: {subject} for subject in subjects}
    for fact in joining_facts:
        pair = find_named_pair(fact)
        if pair and group_of.keys() >= set(pair):
            linked_subjects = group_of[pair[0]] | group_of[pair[1]]
            for member in linked_subjects:
                group_of[member] = linked_subjects
    return sorted({tuple(sorted(group)) for group in group_of.values()})
