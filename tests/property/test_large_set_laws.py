"""Many reports of one code and time: which stands is the same as by looking at all of them.

A device whose clock stands still sends thousands. What is kept of them for the next report may not
change the answer.
"""

import time
from collections import Counter
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from services.safety_rules.domain.facts.current_facts import CurrentFacts
from services.safety_rules.domain.facts.series import Series
from services.vocabulary.fact import ResultKey, Status
from tests.helpers.fact_notes import lab, status

REPEATS = "FFFFFFFPRSU"  # of these another status is rare: a set of them is one result
STATUSES = REPEATS + "CDXW"
COUNT = 5000
LIMIT_S = 5.0  # of processor time; before, 500 took 20 s


@st.composite
def reports(draw):
    """Up to 40 facts of one series and time, most of them each in a report of its own."""
    letters = draw(st.sampled_from((REPEATS, STATUSES)))
    codes = draw(st.sampled_from((("K",), ("K", "L"), ("",), ("K", ""))))
    reports_of_several = draw(st.booleans())
    facts = []
    for number in range(draw(st.integers(1, 40))):
        hour = draw(st.integers(0, 5))
        report = draw(st.integers(0, 3)) if reports_of_several else number
        fact = lab(
            "alt",
            draw(st.sampled_from(("10", "20", "30"))),
            status=status(draw(st.sampled_from(letters))),
            reported_hour=float(hour),
            series="S",
        )
        code = draw(st.sampled_from(codes))
        key = ResultKey(code, str(draw(st.integers(1, 3))), "", f"R{report}") if code else None
        facts.append(replace(fact, id=f"f{number:02}", sequence=hour, result_key=key))
    return facts


@given(reports())
def test_what_stands_of_a_large_set_is_what_stands_of_all_its_facts(facts):
    series = Series()
    for fact in facts:
        series.add(fact)
        series.update_orphans()
        if not series.has_orphans:
            assert Counter(series.find_current_facts([fact.observed_at])) == Counter(
                series.find_current_facts()
            )


@given(reports(), st.integers(1, 40))
def test_in_messages_of_any_size_the_same_facts_stand(facts, size):
    current_facts = {}
    current = CurrentFacts()
    for start in range(0, len(facts), size):
        change = current.add(facts[start : start + size])
        for removed_fact in change.removed_facts:
            del current_facts[removed_fact.id]
        current_facts |= {added.id: added for added in change.added_facts}
    at_once = CurrentFacts()
    assert current_facts == {fact.id: fact for fact in at_once.add(facts).added_facts}
    assert current.list_queries() == at_once.list_queries()


def make_results(letters, *, in_one_report):
    chance = Random(7)
    return [
        replace(
            lab("alt", str(10 + number), status=Status(chance.choice(letters)), series="S"),
            id=f"f{number:04}",
            result_key=ResultKey(
                "K", str(number), "202603010800", f"R{number * (not in_one_report)}"
            ),
        )
        for number in range(COUNT)
    ]


@pytest.mark.parametrize(
    ("letters", "in_one_report", "size"),
    [("F", True, COUNT), ("FC", True, COUNT), ("FD", True, COUNT), ("FCDWX", True, COUNT),
     ("F", False, 1), ("P", False, 1), ("F", False, COUNT), ("FC", False, COUNT)],
)  # fmt: skip
def test_five_thousand_results_of_one_instant_do_not_take_the_square_of_their_number(
    letters, in_one_report, size
):
    facts = make_results(letters, in_one_report=in_one_report)
    current = CurrentFacts()
    began_s = time.process_time()
    for start in range(0, COUNT, size):
        current.add(facts[start : start + size])
    assert time.process_time() - began_s < LIMIT_S
