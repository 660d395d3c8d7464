"""The places of facts: what the journal does not say by itself, whatever the order of arrival."""

from itertools import permutations

import pytest
from msgspec.structs import replace

from services.safety_rules.domain.participant.linked_participants import LinkedParticipants
from services.vocabulary.fact import Status
from services.vocabulary.identity_change import Merge
from tests.helpers.fact_notes import fact, lab
from tests.helpers.random_trials import RULES

RESULT = lab("alt", "40", 4, "U/L", name="a", series="S", reported_hour=5)


def later(name, value, letter):
    """A later report of the same result."""
    item = lab("alt", value, 4, "U/L", name=name, series="S", reported_hour=6)
    return replace(item, status=Status(letter))


def merge(*, undone, hour):
    return fact(Merge("P-002", "P-001", undone=undone), hour, name=f"m{hour}", subject="P-002")


OTHERS_RESULT = lab("alt", "50", 4, "U/L", name="o", series="T", subject="P-002")
# facts; of each that is not as the journal has it: to whom it belongs ("-": it does not stand)
CASES = {
    "a result stands as it came": ([RESULT], {}),
    "a correction takes its place": ([RESULT, later("c", "50", "C")], {"a": "-"}),
    "the same again is no news": ([RESULT, later("c", "40", "F")], {"c": "-"}),
    "a deletion stands no more than what it deletes": (
        [RESULT, later("d", "40", "D")],
        {"a": "-", "d": "-"},
    ),
    "a promotion without a value makes it final": (
        [replace(RESULT, status=Status.PRELIMINARY), later("u", None, "U")],
        {"a": "P-001, promoted", "u": "-"},
    ),
    "the facts of who is merged are the survivor's": (
        [OTHERS_RESULT, merge(undone=False, hour=8)],
        {"o": "P-001", "m8": "P-001"},
    ),
    "a merge that is undone": (
        [OTHERS_RESULT, merge(undone=False, hour=8), merge(undone=True, hour=9)],
        {},
    ),
}


def list_places(facts, *, at_once):
    """The places that are not plain, as a reader of all changes has them."""
    participants = LinkedParticipants(["P-001", "P-002"], RULES)
    stored_places = {}
    for item in facts:
        participants.receive(item.subject, [item])
        if not at_once or item is facts[-1]:
            change = participants.take_changed_places()
            stored_places = {
                key: one for key, one in stored_places.items() if one.subject not in change.subjects
            }
            stored_places |= {one.fact: one for one in change.places}
    return {
        one.fact: (one.participant or "-") + (", promoted" if one.is_promoted else "")
        for one in stored_places.values()
        if not one.is_plain
    }


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("at_once", [True, False], ids=["taken once", "taken after each"])
def test_places_are_those_of_the_table(case, at_once):
    facts, expected = CASES[case]
    for order in permutations(facts):
        assert list_places(order, at_once=at_once) == expected
