"""Participants of a file are enrolled, corrected by another import, and never doubled."""

import json
from datetime import timedelta

import pytest

from services.ingest.enrolment import import_participants
from services.store import journal
from tests.helpers.hl7_messages import labs, obx
from tests.helpers.intake import (
    CLOCK_TIME,
    PEOPLE,
    list_current_facts,
    list_facts,
    new_intake,
    people,
    submit,
)

MESSAGE = labs(obx("0.49"), control_id="M1")


@pytest.fixture
def intake(tmp_path):
    return new_intake(tmp_path)


def test_a_participant_imported_again_is_corrected_and_not_doubled(intake):
    second = import_participants(intake, people(PEOPLE[0]), "operator")
    assert (second.added_count, second.changed_count, second.wrong) == (0, 0, ())
    moved_facts = PEOPLE[0].replace("2026-01-01T10:00", "2026-01-03T10:00")
    assert import_participants(intake, people(moved_facts), "operator").changed_count == 1
    with intake.db.read() as conn:
        transplants = [one.fact for one in journal.load_facts_of_kind(conn, "transplant", "P-001")]
    assert [(str(f.status), f"{f.observed_at:%d %H:%M}") for f in transplants] == [
        ("F", "01 15:00"),
        ("C", "03 15:00"),
    ]


@pytest.mark.parametrize("minutes", [(0, 0, 0), (0, 1, 2), (60, 5, 10)])  # of the clock: set back
@pytest.mark.parametrize(
    "corrected_line",
    [
        PEOPLE[0].replace("haploidentical", "cord"),
        PEOPLE[0].replace("2026-01-01T10:00", "2026-01-03T10:00"),
        PEOPLE[0].replace("70.5", "70.4"),
    ],
)
def test_the_last_of_several_imports_stands_also_when_it_says_what_an_earlier_did(
    intake, minutes, corrected_line
):
    started_at = list_current_facts(intake)
    for instant, line in zip(minutes, (corrected_line, PEOPLE[0], corrected_line), strict=True):
        intake.clock = lambda instant=instant: CLOCK_TIME + timedelta(minutes=instant)
        assert import_participants(intake, people(line), "operator").changed_count == 1
        assert (list_current_facts(intake) == started_at) is (line == PEOPLE[0])
        second = import_participants(intake, people(line), "operator")
        assert (second.added_count, second.changed_count, second.wrong) == (0, 0, ())


def test_a_file_that_corrects_itself_changes_nothing_when_it_is_imported_again(intake):
    file = people(PEOPLE[0].replace("70.5", "70.4"), PEOPLE[0].replace("70.5", "70.3"))
    assert import_participants(intake, file, "operator").changed_count == 2
    stands = list_current_facts(intake)
    assert import_participants(intake, file, "operator").changed_count == 0
    assert list_current_facts(intake) == stands


EMPTY_CELLS = {
    "no birth year": (",1970,", ",,"),
    "blanks for a birth year": (",1970,", ",  ,"),
    "the first birth year": (",1970,", ",1900,"),
    "no weight": (",70.5,", ",,"),
    "the least weight": (",70.5,", ",0.001,"),
    "neither": (",1970,70.5,", ",,,"),
    "no donor": ("haploidentical", ""),
    "no sex": (",female,", ",,"),
    "no type of the identifier": (",MR,", ",,"),
    "blanks around": (",NMRN,MR,", ", NMRN , MR ,"),
}


@pytest.mark.parametrize(("cell", "replacement"), EMPTY_CELLS.values(), ids=EMPTY_CELLS)
def test_optional_cells_of_a_participant_may_be_empty(tmp_path, cell, replacement):
    assert cell in PEOPLE[0]
    intake = new_intake(tmp_path, PEOPLE[0].replace(cell, replacement, 1))
    assert submit(intake, MESSAGE).facts == 1
    assert [body.kind for _, body in list_current_facts(intake)][:2] == ["enrolment", "transplant"]


@pytest.mark.parametrize("file", ["an empty cell", "no column"])
def test_a_participant_without_a_date_of_transplant_is_enrolled(tmp_path, file):
    intake = new_intake(tmp_path)
    line = PEOPLE[0].replace("P-001", "P-003").replace("QX4711", "QX4713")
    content = people(line.replace("2026-01-01T10:00", ""))
    if file == "no column":
        content = people(line.replace("2026-01-01T10:00,", "")).replace(b"transplant_at,", b"")
    result = import_participants(intake, content, "operator")
    assert (result.added_count, result.wrong) == (1, ())
    assert [fact.body.kind for fact in list_facts(intake, "P-003")] == ["enrolment"]


def test_an_empty_date_of_transplant_takes_the_imported_one_back_and_a_date_restores_it(intake):
    started_at = list_current_facts(intake)
    without_date = PEOPLE[0].replace("2026-01-01T10:00", "")
    for line, kinds in (
        (without_date, ["enrolment"]),
        (PEOPLE[0], ["enrolment", "transplant"]),
        (without_date, ["enrolment"]),
        (PEOPLE[0], ["enrolment", "transplant"]),
    ):
        assert import_participants(intake, people(line), "operator").changed_count == 1
        assert import_participants(intake, people(line), "operator").changed_count == 0
        assert [body.kind for _, body in list_current_facts(intake)] == kinds
    assert list_current_facts(intake) == started_at


def test_a_file_without_the_column_of_the_transplant_leaves_its_date_as_it_is(intake):
    content = people(PEOPLE[0].replace("2026-01-01T10:00,", "")).replace(b"transplant_at,", b"")
    assert import_participants(intake, content, "operator").changed_count == 0
    assert [body.kind for _, body in list_current_facts(intake)] == ["enrolment", "transplant"]


def test_a_second_transplant_that_was_entered_is_nothing_for_an_import_to_correct(intake):
    second = {"kind": "transplant", "number": 2}
    line = {"subject": "P-001", "observed_at": "2026-02-01T10:00:00Z", "body": second}
    assert submit(intake, json.dumps(line).encode(), form="facts", actor="anna").facts == 1
    outcome = import_participants(intake, people(PEOPLE[0]), "operator")
    assert (outcome.added_count, outcome.changed_count) == (0, 0)


def test_an_identifier_that_leads_to_somebody_else_is_not_taken_over(intake):
    thief = PEOPLE[0].replace("P-001", "P-009")
    (row,) = import_participants(intake, people(thief), "operator").wrong
    assert "already leads to P-001" in row.problem
    assert submit(intake, MESSAGE).facts == 1
