"""Which results of a feed stand after corrections: several of one key, and across a clock change.

The clocks of New York went back on 2 November 2025: 12:00 on 1 November was 16:00 UTC.
"""

import pytest

from services.safety_rules.domain.facts.current_facts import CurrentFacts
from tests.helpers.hl7_messages import PID, message
from tests.helpers.intake import feed_facts, new_intake, submit

BEFORE, AFTER = "20251101170000-0400", "20251103080000-0500"
NOON, TWO, ELEVEN = "20251101120000", "20251101140000", "20251101110000"
AUTOMATED, MANUAL = "751-8^^LN", "NEUT_ABS^^L"
VALUES = f"71 1 {NOON}", f"118 2 {TWO}"


@pytest.fixture
def intake(tmp_path):
    return new_intake(tmp_path)


def report(sent_at, *results):
    """A report of ``value number time [status]`` of a pressure, or of a count by its code."""
    segments = [PID, "OBR|1||SHEET1|VITALS^^L"]
    for result in results:
        words = result.split()
        value, number, time, status, code = [*words, *("F", "")[len(words) - 3 :]]
        unit = "10*3/uL" if code else "mm[Hg]"
        segments.append(
            f"OBX|{number}|NM|{code or '8480-6^^LN'}||{value}|{unit}|||||{status}|||{time}"
        )
    return message(*segments, sent_at=sent_at, control_id=f"{sent_at}{len(results)}")


# the second report; the values that stand, and how many queries there are
CLOCK_CHANGES = {
    "corrected, both without an offset": (VALUES, f"117 1 {NOON} C", ["117", "118"], 0),
    "deleted": (VALUES, f"71 1 {NOON} D", ["118"], 0),
    "another patient's": (VALUES, f"71 1 {NOON} W", ["118"], 0),
    "not obtained": (VALUES, f"71 1 {NOON} X", ["118"], 0),
    "reported again": (VALUES, f"71 1 {NOON} F", ["118", "71"], 0),
    "corrected under another number": (VALUES, f"117 9 {NOON} C", ["117", "118"], 0),
    "with the offset of that season": (VALUES, f"117 1 {NOON}-0400 C", ["117", "118"], 0),
    "with the offset of the other season": (VALUES, f"117 1 {NOON}-0500 C", ["117", "118"], 0),
    "in UTC": (VALUES, "117 1 20251101160000+0000 C", ["117", "118"], 0),
    "deleted with the offset of the other season": (VALUES, f"71 1 {NOON}-0500 D", ["118"], 0),
    "another patient's, with the offset of the other season": (
        VALUES, f"71 1 {NOON}-0500 W", ["118"], 0,
    ),
    "hourly, with the offset of the other season": (
        (f"71 1 {ELEVEN}-0400", f"118 2 {NOON}-0400"), f"117 1 {ELEVEN}-0500 C", ["117", "118"], 0,
    ),
    "at a time that nothing has": (VALUES, "117 1 20251101130000 C", ["117", "118", "71"], 1),
    "an offset at first and none later": (
        (f"71 1 {NOON}-0400", f"118 2 {TWO}-0400"), f"117 1 {NOON} C", ["117", "118"], 0,
    ),
}  # fmt: skip


@pytest.mark.parametrize(
    ("first", "second", "values", "query_count"), CLOCK_CHANGES.values(), ids=CLOCK_CHANGES
)
def test_a_correction_across_a_clock_change(intake, first, second, values, query_count):
    submit(intake, report(BEFORE, *first))
    submit(intake, report(AFTER, second))
    assert list_standing_values(intake) == (values, query_count)


# reports of counts, the code of each after its status; what stands, and the number of queries
KEYS = {
    "two codes": ([[f"3.1 1 {NOON} F {AUTOMATED}", f"0.4 2 {NOON} F {MANUAL}"]], ["0.4", "3.1"], 0),
    "one code twice": (
        [[f"3.1 1 {NOON} F {AUTOMATED}", f"0.4 2 {NOON} F {AUTOMATED}"]], ["0.4", "3.1"], 0,
    ),
    "one code twice with one content": (
        [[f"0.4 1 {NOON} F {AUTOMATED}", f"0.4 2 {NOON} F {AUTOMATED}"]], ["0.4"], 0,
    ),
    "one code twice without numbers of their own": (
        [[f"3.1 1 {NOON} F {AUTOMATED}", f"0.4 1 {NOON} F {AUTOMATED}"]], ["0.4", "3.1"], 0,
    ),
    "one code in two reports": (
        [[f"3.1 1 {NOON} F {AUTOMATED}"], [f"0.4 2 {NOON} F {AUTOMATED}"]], ["0.4"], 0,
    ),
    "two codes in two reports": (
        [[f"3.1 1 {NOON} F {AUTOMATED}"], [f"0.4 1 {NOON} F {MANUAL}"]], ["0.4", "3.1"], 0,
    ),
    "the second of one code is corrected": (
        [[f"3.1 1 {NOON} F {AUTOMATED}", f"0.4 2 {NOON} F {AUTOMATED}"],
         [f"4.0 2 {NOON} C {AUTOMATED}"]], ["3.1", "4.0"], 0,
    ),
    "nobody knows which of one code is corrected": (
        [[f"3.1 1 {NOON} F {AUTOMATED}", f"0.4 2 {NOON} F {AUTOMATED}"],
         [f"4.0 7 {NOON} C {AUTOMATED}"]], ["0.4", "3.1", "4.0"], 1,
    ),
    "nobody knows which of one code is deleted": (
        [[f"3.1 1 {NOON} F {AUTOMATED}", f"0.4 2 {NOON} F {AUTOMATED}"],
         [f"0.4 7 {NOON} D {AUTOMATED}"]], ["0.4", "3.1"], 1,
    ),
    "both of one code become final": (
        [[f"3.1 1 {NOON} P {AUTOMATED}", f"0.4 2 {NOON} P {AUTOMATED}"],
         [f"3.2 1 {NOON} F {AUTOMATED}", f"0.5 2 {NOON} F {AUTOMATED}"]], ["0.5", "3.2"], 0,
    ),
    "one code is deleted beside the other": (
        [[f"3.1 1 {NOON} F {AUTOMATED}", f"0.4 2 {NOON} F {MANUAL}"],
         [f"3.1 1 {NOON} D {AUTOMATED}"]], ["0.4"], 0,
    ),
    "a deletion with the new value": (
        [[f"3.1 1 {NOON} F {AUTOMATED}"],
         [f"3.1 1 {NOON} D {AUTOMATED}", f"0.4 2 {NOON} F {AUTOMATED}"]], ["0.4"], 0,
    ),
}  # fmt: skip


@pytest.mark.parametrize(("reports", "values", "query_count"), KEYS.values(), ids=KEYS)
def test_several_results_of_one_order(intake, reports, values, query_count):
    for hour, results in enumerate(reports, 10):
        submit(intake, report(f"20251102{hour}0000-0500", *results))
    assert list_standing_values(intake) == (values, query_count)


def list_standing_values(intake):
    """The values that stand, and the number of queries, the same in either order of arrival."""
    facts = feed_facts(intake)
    (values, query_count), backwards = (find_values(one) for one in (facts, facts[::-1]))
    assert (values, query_count) == backwards
    return values, query_count


def find_values(facts):
    current, current_facts = CurrentFacts(), {}
    for fact in facts:
        change = current.add((fact,))
        for removed_fact in change.removed_facts:
            del current_facts[removed_fact.id]
        current_facts |= {added.id: added for added in change.added_facts}
    values = sorted(str(fact.body.value.value) for fact in current_facts.values())
    return values, len(current.list_queries())
