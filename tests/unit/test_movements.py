"""Cancelled movements: the rows are what a hospital sends, in the words of its messages."""

from itertools import permutations

import pytest

from services.safety_rules.domain.facts.current_facts import CurrentFacts
from services.vocabulary.clinical_fact import Movement
from tests.helpers.fact_notes import fact

EVENTS = {
    "A01": ("admission", False),
    "A02": ("ward", False),
    "A03": ("discharge", False),
    "A04": ("outpatient", False),
    "A11": ("admission", True),
    "A12": ("ward", True),
    "A13": ("discharge", True),
    "A08": ("update", True),
}

# name: event, ward, observed (h), reported (h) and visit of each message; then the names in force
# and those of the cancels and movements that a person is asked about
ICU = "m A02 icu 10 10 V1"
TABLE = {
    "at the time of the transfer": ([ICU, "c A12 ward 10 11 V1"], "", ""),
    "at the time of the cancel": ([ICU, "c A12 ward 11 11 V1"], "", ""),
    "in the same second": ([ICU, "c A12 ward 10 10 V1"], "", ""),
    "cancelled from intensive care": ([ICU, "c A12 icu 11 11 V1"], "", ""),
    "before it was sent": ([ICU, "c A12 ward 9 9 V1"], "m", "c"),
    "nothing to cancel": (["c A12 ward 11 11 V1"], "", "c"),
    "of another kind": ([ICU, "c A13 ward 11 11 V1"], "m", "c"),
    "an admission is no transfer": (["m A01 icu 10 10 V1", "c A12 ward 11 11 V1"], "m", "c"),
    "an admission": (["m A01 icu 10 10 V1", "c A11 ward 11 11 V1"], "", ""),
    "an outpatient visit": (["m A04 - 10 10 V1", "c A11 - 11 11 V1"], "", ""),
    "a discharge": (["m A03 - 10 10 V1", "c A13 - 11 11 V1"], "", ""),
    "the last of two": ([ICU, "n A02 icu 20 20 V1", "c A12 ward 21 21 V1"], "m", ""),
    "the last, which left intensive care": (
        [ICU, "n A02 ward 20 20 V1", "c A12 icu 21 21 V1"],
        "m",
        "",
    ),
    "the one of its time": ([ICU, "n A02 icu 20 20 V1", "c A12 ward 10 21 V1"], "n", ""),
    "not one that was sent later": ([ICU, "n A02 icu 20 22 V1", "c A12 ward 21 21 V1"], "n", ""),
    "a planned transfer": (["m A02 icu 10 8 V1", "c A12 ward 9 9 V1"], "", ""),
    "two cancels undo two": (
        [ICU, "n A02 icu 20 20 V1", "c A12 ward 21 21 V1", "d A12 ward 22 22 V1"],
        "",
        "",
    ),
    "a cancel sent twice undoes one": (
        [ICU, "n A02 icu 20 20 V1", "c A12 ward 21 21 V1", "c' A12 ward 21 23 V1"],
        "m",
        "",
    ),
    "three cancels of two": (
        [
            *(ICU, "n A02 icu 20 20 V1", "c A12 ward 21 21 V1", "d A12 ward 22 22 V1"),
            "e A12 ward 23 23 V1",
        ],
        "",
        "e",
    ),
    "sent again after its cancel": ([ICU, "c A12 ward 11 11 V1", "m' A02 icu 10 12 V1"], "m", ""),
    "all sent again": (
        [ICU, "c A12 ward 11 11 V1", "m' A02 icu 10 12 V1", "c' A12 ward 11 13 V1"],
        "",
        "",
    ),
    "again, later": ([ICU, "c A12 ward 11 11 V1", "n A02 icu 12 12 V1"], "n", ""),
    "of another visit": ([ICU, "c A12 ward 11 11 V2"], "m", "c"),
    "of its visit, not the last": (
        [ICU, "n A02 icu 20 20 V2", "c A12 ward 21 21 V1"],
        "n",
        "",
    ),
    "a cancel of no visit": ([ICU, "c A12 ward 11 11 -"], "", ""),
    "a movement of no visit": (["m A02 icu 10 10 -", "c A12 ward 11 11 V1"], "", ""),
    "an update gives another ward": (
        ["w A01 ward 1 1 V1", ICU, "u A08 - 11 11 V1"],
        "w",
        "m,u",
    ),
    "the first that is known": ([ICU, "u A08 - 11 11 V1"], "", "m,u"),
    "an update, sent every day": (
        ["w A01 ward 1 1 V1", ICU, "u A08 - 11 11 V1", "v A08 - 35 35 V1"],
        "w",
        "m,u",
    ),
    "an update before it": ([ICU, "u A08 - 9 9 V1"], "m", ""),
    "an update sent before it was": (["m A02 icu 10 12 V1", "u A08 - 11 11 V1"], "m", ""),
    "an update after the way back": (
        [ICU, "w A02 ward 20 20 V1", "u A08 - 21 21 V1"],
        "m w",
        "",
    ),
    "an update of another visit": ([ICU, "u A08 - 11 11 V2"], "m", ""),
    "an update of an admission to intensive care": (
        ["m A01 icu 10 10 V1", "u A08 - 11 11 V1", "v A08 - 12 12 V1"],
        "m",
        "m,u",
    ),
    "an update after a stay of two movements": (
        [ICU, "n A02 icu 20 20 V1", "u A08 - 21 21 V1", "v A08 - 22 22 V1"],
        "m n",
        "n,u",
    ),
    "an update after the cancel": ([ICU, "c A12 - 11 11 V1", "u A08 - 12 12 V1"], "", ""),
}


def read_row(row):
    name, event, ward, observed, reported_hour, visit = row.split()
    key, is_cancel = EVENTS[event]
    visit = "" if visit == "-" else visit
    series = f"EPIC|NORTH|movement|{key}|{visit}"
    destination = "icu" if ward == "icu" or key == "update" else key
    return fact(
        Movement(destination, is_cancel),
        float(observed),
        name=name,
        reported_hour=float(reported_hour),
        series=series,
        site="north",
        visit=visit,
    )


def settle(facts):
    """The facts in force by the changes of each arrival, and the facts of each query."""
    current, in_force = CurrentFacts(), {}
    for new_fact in facts:
        change = current.add([new_fact])
        for removed_fact in change.removed_facts:
            del in_force[removed_fact.id]
        in_force |= {added.id: added for added in change.added_facts}
    return " ".join(sorted(in_force)), " ".join(",".join(q.facts) for q in current.list_queries())


@pytest.mark.parametrize(("rows", "in_force", "queried"), TABLE.values(), ids=TABLE)
def test_a_cancel_undoes_the_last_movement_that_it_can_mean(rows, in_force, queried):
    facts = [read_row(row) for row in rows]
    for order in permutations(facts):
        assert settle(order) == (in_force, queried)


SITES = [("north", "north", ""), ("north", "rhein", "m"), ("", "north", "m"), ("north", "", "m")]


@pytest.mark.parametrize(("site", "cancelling_site", "in_force"), SITES)
def test_a_cancel_is_about_the_movements_of_its_own_site(site, cancelling_site, in_force):
    movement = fact(Movement("icu"), 10, name="m", site=site)
    cancel = fact(Movement("icu", True), 11, name="c", site=cancelling_site)
    assert settle([movement, cancel])[0] == in_force


@pytest.mark.parametrize(
    ("to", "cancelled_to", "in_force"),
    [
        ("icu", "icu", ""),
        ("ward", "ward", ""),
        ("icu", "ward", "m"),
        ("discharge", "discharge", ""),
        ("discharge", "admission", "m"),
    ],
)
def test_a_cancel_that_a_person_enters_names_the_destination(to, cancelled_to, in_force):
    movement = fact(Movement(to), 10, name="m")
    cancel = fact(Movement(cancelled_to, True), 11, name="c")
    assert settle([movement, cancel])[0] == in_force


def test_the_same_movement_entered_twice_is_one():
    facts = [fact(Movement("icu"), 10, name=name, reported_hour=11) for name in ("b", "a")]
    cancel = fact(Movement("icu", True), 12, name="c")
    for order in permutations([*facts, cancel]):
        assert settle(order) == ("", "")
    assert settle(facts)[0] == settle(facts[::-1])[0] == "a"
