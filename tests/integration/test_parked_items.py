"""What waits is read again when it can be, and what is discarded stays discarded."""

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import delete

from services.ingest import parked_items
from services.ingest.domain.site import Sites
from services.ingest.enrolment import import_participants
from services.ingest.lost_messages import find_lost_messages
from services.store import parking, tables
from tests.helpers.hl7_messages import NORTH, PID, RHEIN, labs, message, obx
from tests.helpers.intake import (
    CLOCK_TIME,
    PEOPLE,
    count_feed_messages,
    feed_facts,
    list_parked,
    new_intake,
    people,
    post_content,
    submit,
)

STRANGER = message(PID.replace("QX4711", "QX4712"), obx("0.49"), control_id="M2")


@pytest.fixture
def intake(tmp_path):
    return new_intake(tmp_path)


def test_a_participant_added_later_gets_the_results_that_waited(intake):
    assert submit(intake, STRANGER).facts == 0
    assert list_parked(intake) == [("unknown-participant", "PID[1].3")]
    assert parked_items.retry_parked(intake, "operator").still_parked == 1
    later = PEOPLE[0].replace("P-001", "P-003").replace("QX4711", "QX4712")
    assert import_participants(intake, people(later), "operator").added_count == 1
    steps = parked_items.retry_parked(intake, "operator")
    assert (steps.facts, steps.closed_items, steps.still_parked) == (1, 1, 0)
    assert (len(feed_facts(intake, "P-003")), list_parked(intake)) == (1, [])


def test_a_mapping_added_later_makes_facts_of_what_waited_and_only_of_that(intake):
    submit(intake, labs(obx("7"), obx("0.49", code="NEUTRO^^L"), control_id="M3"))
    assert (len(feed_facts(intake)), list_parked(intake)) == (1, [("unknown-code", "OBX[2].3")])
    mapped_site = replace(NORTH, codes={"NEUTRO": "neutrophils"})
    wiser = replace(intake, sites=Sites.build((mapped_site, RHEIN)))
    steps = parked_items.retry_parked(wiser, "operator")
    assert (steps.facts, steps.closed_items, steps.still_parked) == (1, 1, 0)
    assert (len(feed_facts(intake)), list_parked(intake)) == (2, [])
    assert parked_items.retry_parked(wiser, "operator").facts == 0


def test_what_still_cannot_be_used_waits_under_its_new_reason(intake):
    submit(intake, labs(obx("7", "parts", code="NEUTRO^^L")))
    wiser = replace(
        intake, sites=Sites.build((replace(NORTH, codes={"NEUTRO": "neutrophils"}), RHEIN))
    )
    steps = parked_items.retry_parked(wiser, "operator")
    assert (steps.facts, steps.closed_items, steps.still_parked) == (0, 1, 1)
    assert list_parked(intake) == [("unknown-unit", "OBX[1].6")]


def test_a_result_of_the_future_is_a_fact_when_its_time_has_come(intake):
    submit(intake, labs(obx("0.49", observed_at="20260302150000+0000")))
    assert parked_items.retry_parked(intake, "operator").facts == 0
    tomorrow = replace(intake, clock=lambda: CLOCK_TIME + timedelta(days=1))
    assert parked_items.retry_parked(tomorrow, "operator").facts == 1


def test_what_is_discarded_waits_no_longer_and_its_message_stays(intake):
    submit(intake, STRANGER)
    (row,) = parked_items.list_parked(intake)
    discard_item(intake, row.path)
    assert (list_parked(intake), count_feed_messages(intake)) == ([], 1)
    assert parked_items.retry_parked(intake, "operator").facts == 0


def discard_item(intake, path):
    """Set the open item at *path* aside."""
    ids = [row.id for row in parked_items.list_parked(intake) if row.path == path]
    with intake.db.write() as conn:
        count = parking.resolve_parked(
            conn, ids, resolution="discarded", instant=intake.clock(), actor="operator"
        )
    assert count == 1


def results(intake, subject="P-001"):
    return [str(fact.body.value.value) for fact in feed_facts(intake, subject)]


OTHER_PEOPLE = [
    PEOPLE[0].replace("P-001", f"P-10{n}").replace("QX4711", f"QX{n}") for n in (1, 2, 3)
]


def enter_fact(*, values, control_id="M7"):
    """One message with a result of each patient, by number: of OTHERS, or 0 for P-001."""
    subject = {n: PID if n == 0 else PID.replace("QX4711", f"QX{n}") for n in values}
    return message(
        *(s for n in values for s in (subject[n], obx(values[n]))), control_id=control_id
    )


def all_parked(intake):
    with intake.db.read() as conn:
        rows = parking.load_parked(conn, still_open=False)
    return {(row.path, row.resolution) for row in rows}


def test_a_discarded_line_is_no_fact_when_the_others_are_read_again(intake):
    lines = [(FACT % "P-001").replace("03-01T08", f"03-05T0{hour}") for hour in (8, 8, 9)]
    post_content(intake, "/v1/facts", "\n".join(lines).encode())
    discard_item(intake, "line 2")  # the same as line 1
    later = replace(intake, clock=lambda: CLOCK_TIME + timedelta(days=7))
    assert parked_items.retry_parked(later, "operator").facts == 1
    assert [fact.observed_at.hour for fact in feed_facts(intake)] == [9]
    assert all_parked(intake) == {("line 2", "discarded"), ("line 3", "retried")}


DISCARDED_PATHS = {
    "its code": (obx("0.49", code="NEUTRO^^L"), "OBX[1].3"),
    "its time": (obx("0.49", observed_at="20260302150000+0000"), "OBX[1]"),
}


@pytest.mark.parametrize(("wrong", "path"), DISCARDED_PATHS.values(), ids=DISCARDED_PATHS)
def test_a_discarded_result_is_no_fact_when_the_others_are_read_again(intake, wrong, path):
    submit(intake, labs(wrong, obx("7", code="X^^L"), control_id="M3"))
    discard_item(intake, path)
    mapped_site = replace(NORTH, codes=dict.fromkeys(("NEUTRO", "X"), "neutrophils"))
    later = CLOCK_TIME + timedelta(days=1)
    wiser = replace(intake, sites=Sites.build((mapped_site, RHEIN)), clock=lambda: later)
    assert parked_items.retry_parked(wiser, "operator").facts == 1
    assert results(intake) == ["7"]
    assert all_parked(intake) == {(path, "discarded"), ("OBX[2].3", "retried")}


def test_what_is_discarded_with_its_code_does_not_wait_for_its_unit(intake):
    submit(intake, labs(obx("0.49", "parts", code="NEUTRO^^L"), obx("7", code="X^^L")))
    discard_item(intake, "OBX[1].3")
    mapped_site = replace(NORTH, codes={"NEUTRO": "neutrophils"})
    assert (
        parked_items.retry_parked(
            replace(intake, sites=Sites.build((mapped_site, RHEIN))), "operator"
        ).still_parked
        == 1
    )
    assert list_parked(intake) == [("unknown-code", "OBX[2].3")]


def test_a_correction_stands_whose_unreadable_value_was_discarded(intake):
    submit(intake, message(PID.replace("QX4711", "QX1"), obx("clotted", status="C")))
    discard_item(intake, "OBX[1].5")
    import_participants(intake, people(OTHER_PEOPLE[0]), "operator")
    assert parked_items.retry_parked(intake, "operator").facts == 1
    assert [fact.body.value for fact in feed_facts(intake, "P-101")] == [None]


@pytest.mark.parametrize("first", [1, 2])
def test_of_two_unknown_patients_the_discarded_one_stays_discarded(intake, first):
    submit(intake, enter_fact(values={1: "1", 2: "2"}))
    discard_item(intake, "PID[1].3")
    for number in (first, 3 - first):
        import_participants(intake, people(OTHER_PEOPLE[number - 1]), "operator")
        parked_items.retry_parked(intake, "operator")
    assert (results(intake, "P-101"), results(intake, "P-102")) == ([], ["2"])
    assert all_parked(intake) == {("PID[1].3", "discarded"), ("PID[2].3", "retried")}


def test_the_number_of_an_unknown_patient_does_not_depend_on_who_is_known(intake):
    submit(intake, enter_fact(values={0: "0", 1: "1", 2: "2"}))
    assert all_parked(intake) == {("PID[2].3", ""), ("PID[3].3", "")}
    import_participants(intake, people(OTHER_PEOPLE[0]), "operator")
    assert parked_items.retry_parked(intake, "operator").closed_items == 1
    assert list_parked(intake) == [("unknown-participant", "PID[3].3")]


def numbered_as_before(intake):
    """Give what waits the paths of an older version: the n-th unknown patient."""
    with intake.db.write() as conn:
        unknown = [row for row in parking.load_parked(conn) if row.path.startswith("PID")]
        conn.execute(delete(tables.parked).where(tables.parked.c.id.in_([r.id for r in unknown])))
        for number, row in enumerate(sorted(unknown, key=lambda row: row.path), 1):
            parking.park_items(conn, [replace(row, id=str(uuid4()), path=f"PID.3[{number}]")])


@pytest.mark.parametrize("first_value", ["0", ""])
def test_what_an_older_version_numbered_otherwise_is_neither_lost_nor_entered(intake, first_value):
    values = {0: first_value, 1: "1", 2: "2", 3: "3"} if first_value else {1: "1", 2: "2", 3: "3"}
    submit(intake, enter_fact(values=values))
    numbered_as_before(intake)
    discard_item(intake, "PID.3[2]")
    assert parked_items.retry_parked(intake, "operator").still_parked == 2
    assert sorted(path for _, path in list_parked(intake)) == ["PID.3[1]", "PID.3[3]"]
    for other_item in OTHER_PEOPLE:
        import_participants(intake, people(other_item), "operator")
        parked_items.retry_parked(intake, "operator")
    assert [results(intake, f"P-10{n}") for n in (1, 2, 3)] == [["1"], [], ["3"]]
    assert list_parked(intake) == []


def test_where_nobody_can_say_whom_an_older_version_meant_they_wait_again(intake):
    stranger = PID.replace("QX4711", "QX1")
    submit(intake, message(PID, obx("9", code="X^^L"), stranger, obx("1")))
    numbered_as_before(intake)
    mapped_site = replace(NORTH, codes={"X": "neutrophils"})
    steps = parked_items.retry_parked(
        replace(intake, sites=Sites.build((mapped_site, RHEIN))), "operator"
    )
    assert (steps.facts, list_parked(intake)) == (1, [("unknown-participant", "PID[2].3")])


def test_what_waits_for_a_reason_of_before_is_parked_again(intake):
    submit(intake, labs(obx("7", "parts", code="NEUTRO^^L")))
    mapped_site = replace(NORTH, codes={"NEUTRO": "neutrophils"})
    wiser = replace(intake, sites=Sites.build((mapped_site, RHEIN)))
    for item, place in ((wiser, ".6"), (intake, ".3"), (wiser, ".6"), (intake, ".3")):
        assert parked_items.retry_parked(item, "operator").closed_items == 1
        assert [path for _, path in list_parked(intake)] == [f"OBX[1]{place}"]


FACT = '{"subject": "%s", "observed_at": "2026-03-01T08:00:00Z", "body": {"kind": "relapse"}}'


FORMERLY_LOST = {
    "a result behind a blank": (labs(f" {obx('0.49')}"), (1, 0)),
    "a result in an update": (message(PID, obx("0.49"), kind="ADT^A08"), (1, 0)),
    "a message without results": (labs(), (0, 1)),
    "an update with nothing": (message(PID, kind="ADT^A08"), (0, 0)),
}


@pytest.mark.parametrize(("raw", "counts"), FORMERLY_LOST.values(), ids=FORMERLY_LOST)
def test_what_an_older_version_read_nothing_in_is_found_and_read_again(intake, raw, counts):
    assert submit(intake, raw, actor="anna").answer == "A"
    with intake.db.write() as conn:  # as if this version had not been there yet
        conn.exec_driver_sql("DELETE FROM parked")
        conn.exec_driver_sql("DELETE FROM fact WHERE kind = 'observation'")
        conn.exec_driver_sql("UPDATE participant SET last_seq = 2 WHERE subject = 'P-001'")
    with intake.db.read() as conn:
        assert len(find_lost_messages(intake, conn)) == sum(counts)
        assert find_lost_messages(intake, conn, "rhein") == []
    result = parked_items.retry_lost(intake, "anna")
    assert (result.facts, result.still_parked) == counts
    assert (len(feed_facts(intake)), len(list_parked(intake))) == counts
    with intake.db.read() as conn:
        assert find_lost_messages(intake, conn) == []


def test_a_measure_of_a_later_release_makes_a_fact_of_the_line_that_waited(intake):
    line = (
        b'{"subject": "P-001", "observed_at": "2026-03-01T08:00:00Z", "body": {"kind":'
        b' "observation", "measure": "inspired-oxygen", "text": "40"}}'
    )
    assert submit(intake, line, actor="dr.a", form="facts").facts == 0
    assert list_parked(intake) == [("unknown-measure", "line 1")]
    names = replace(intake.names, measures=intake.names.measures | {"inspired-oxygen"})
    steps = parked_items.retry_parked(replace(intake, names=names), "operator")
    assert (steps.facts, steps.closed_items, steps.still_parked) == (1, 1, 0)
